"""Volumes and networks of the simulated engine made, joined, measured."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.abilities.belongings import Drivers, Networks, NetworkSpec, Sizes, Volumes, VolumeSpec
from backends.base import ActionError
from backends.demo import belongings
from backends.demo.curves import MB, number
from backends.model import Container, Kind, Network, Ref, State, Subnet, Volume

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_DRIVERS = Drivers(("local",), ("bridge", "ipvlan", "macvlan", "overlay"))
_FIRST = 32
"""The second number of the first subnet given to a new network."""


class DemoVolumes(Volumes):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def create(self, spec: VolumeSpec) -> Ref:
        world = self._backend.world
        await asyncio.sleep(0.1 * world.options.pace)
        now = self._backend.clock()
        name = spec.name or hashlib.sha256(f"volume/{now}/{len(world.items)}".encode()).hexdigest()
        made = belongings.volume(self._backend.engine, name, now)
        if made.ref in world.items:
            raise ActionError(f"there is a volume {name} already")
        if spec.driver not in _DRIVERS.volume:
            raise ActionError(f'error looking up volume plugin {spec.driver}: plugin "{spec.driver}" not found')
        world.put(replace(made, options=spec.options, labels=spec.labels))
        return made.ref

    async def drivers(self) -> Drivers:
        return _DRIVERS


class DemoNetworks(Networks):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def create(self, spec: NetworkSpec) -> Ref:
        world = self._backend.world
        await asyncio.sleep(0.2 * world.options.pace)
        others = [item for item in world.items.values() if isinstance(item, Network)]
        if any(other.name == spec.name for other in others):
            raise ActionError(f"there is a network {spec.name} already")
        taken = [ipaddress.ip_network(subnet.subnet) for other in others for subnet in other.subnets]
        subnet = spec.subnet or next(
            f"172.{second}.0.0/16"
            for second in range(_FIRST, 256)
            if not any(ipaddress.ip_network(f"172.{second}.0.0/16").overlaps(one) for one in taken if one.version == 4)
        )
        wanted = ipaddress.ip_network(subnet)
        if any(one.version == wanted.version and wanted.overlaps(one) for one in taken):
            raise ActionError("Pool overlaps with other one on this address space")
        gateway = spec.gateway or str(wanted[1])
        made = belongings.network(
            self._backend.engine, spec.name, spec.driver, self._backend.clock(), subnets=(Subnet(subnet, gateway),)
        )
        world.put(
            replace(made, internal=spec.internal, attachable=spec.attachable, options=spec.options, labels=spec.labels)
        )
        return made.ref

    async def connect(self, network: Ref, container: Ref, aliases: tuple[str, ...] = (), address: str = "") -> None:
        del aliases
        await asyncio.sleep(0.2 * self._backend.world.options.pace)
        net, box = self._pair(network, container)
        if any(name == net.name for name, _ in box.networks):
            raise ActionError(f"endpoint with name {box.name} already exists in network {net.name}")
        if any(name in {"host", "none"} for name, _ in box.networks):
            raise ActionError(
                "container cannot be connected to multiple networks with one of the networks in private (none) mode"
            )
        given = (address or self._free(net)) if box.state in (State.RUNNING, State.PAUSED) else ""
        self._backend.world.put(replace(box, networks=tuple(sorted((*box.networks, (net.name, given))))))

    async def disconnect(self, network: Ref, container: Ref) -> None:
        await asyncio.sleep(0.2 * self._backend.world.options.pace)
        net, box = self._pair(network, container)
        left = tuple(pair for pair in box.networks if pair[0] != net.name)
        if left == box.networks:
            raise ActionError(f"container {box.name} is not connected to network {net.name}")
        self._backend.world.put(replace(box, networks=left))

    async def drivers(self) -> Drivers:
        return _DRIVERS

    def _pair(self, network: Ref, container: Ref) -> tuple[Network, Container]:
        items = self._backend.world.items
        net, box = items.get(network), items.get(container)
        if not isinstance(net, Network) or not isinstance(box, Container):
            raise ActionError(f"the {network.kind if box else container.kind} is gone")
        return net, box

    def _free(self, net: Network) -> str:
        boxes = [item for item in self._backend.world.items.values() if isinstance(item, Container)]
        taken = {address for box in boxes for name, address in box.networks if name == net.name}
        if not net.subnets:
            return ""
        hosts = ipaddress.ip_network(net.subnets[0].subnet)
        return next((str(host) for host in (hosts[n] for n in range(2, 200)) if str(host) not in taken), "")


class DemoSizes(Sizes):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def volumes(self) -> Mapping[Ref, int]:
        world = self._backend.world
        await asyncio.sleep(0.8 * world.options.pace)
        return {ref: belongings.size_of(item.name) for ref, item in world.items.items() if isinstance(item, Volume)}

    async def stopped_containers(self) -> Mapping[Ref, int]:
        world = self._backend.world
        await asyncio.sleep(0.2 * world.options.pace)
        return {
            ref: number(world.options.seed, "layer", item.name) % (90 * MB)
            for ref, item in world.items.items()
            if ref.kind is Kind.CONTAINER and isinstance(item, Container) and item.state is not State.RUNNING
        }
