"""Volumes and networks of Docker and Podman made, joined, measured. Docker Engine API 1.41."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backends.abilities.belongings import Drivers, Networks, NetworkSpec, Sizes, Volumes, VolumeSpec
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.errors import status
from backends.docker.streams import Exchange
from backends.model import Kind, Ref
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_NO_SLOT = ("host", "none", "null")
"""Network drivers of which an engine has one, made by itself."""
_LARGEST = 256 << 20
_DF_BY_TYPE = (1, 42)


class DockerVolumes(Volumes):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def create(self, spec: VolumeSpec) -> Ref:
        name = await self._backend.act(lambda connection: _create_volume(connection, spec))
        return Ref(self._backend.engine, Kind.VOLUME, name)

    async def drivers(self) -> Drivers:
        return await self._backend.ask(_drivers)


class DockerNetworks(Networks):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def create(self, spec: NetworkSpec) -> Ref:
        identity = await self._backend.act(lambda connection: _create_network(connection, spec))
        return Ref(self._backend.engine, Kind.NETWORK, identity)

    async def connect(self, network: Ref, container: Ref, aliases: tuple[str, ...] = (), address: str = "") -> None:
        await self._backend.act(
            lambda connection: connection.acting.connect_container_to_network(
                container.id, network.id, ipv4_address=address or None, aliases=list(aliases) or None
            )
        )

    async def disconnect(self, network: Ref, container: Ref) -> None:
        await self._backend.act(
            lambda connection: connection.acting.disconnect_container_from_network(container.id, network.id)
        )

    async def drivers(self) -> Drivers:
        return await self._backend.ask(_drivers)


class DockerSizes(Sizes):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def volumes(self) -> Mapping[Ref, int]:
        connection = self._backend.connected()
        version = tuple(int(part) for part in connection.api_version.split("."))
        # Older engines count images and containers, too, whoever asks
        query = {"type": "volume"} if version >= _DF_BY_TYPE and not connection.podman else None
        answer = await self._long(connection, "/system/df", query)
        found: dict[Ref, int] = {}
        for entry in (answer.get("Volumes") if isinstance(answer, Mapping) else None) or ():
            size = (entry.get("UsageData") or {}).get("Size")
            if entry.get("Name") and isinstance(size, int) and size >= 0:
                found[Ref(self._backend.engine, Kind.VOLUME, clean(str(entry["Name"]), 512))] = size
        return found

    async def stopped_containers(self) -> Mapping[Ref, int]:
        connection = self._backend.connected()
        # Podman knows no dead ones, and refuses the word
        states = ["exited", "created", *(() if connection.podman else ("dead",))]
        filters = json.dumps({"status": states})
        answer = await self._long(connection, "/containers/json", {"all": "1", "size": "1", "filters": filters})
        found: dict[Ref, int] = {}
        for entry in answer if isinstance(answer, list) else ():
            if entry.get("Id") and isinstance(entry.get("SizeRw", 0), int):
                identity = clean(str(entry["Id"]), 128)
                found[Ref(self._backend.engine, Kind.CONTAINER, identity)] = int(entry.get("SizeRw") or 0)
        return found

    async def _long(self, connection: Connection, path: str, query: Mapping[str, str] | None) -> Any:
        exchange = Exchange(connection)

        def work() -> Any:
            try:
                exchange.request("GET", path, query)
                body = bytearray()
                for chunk in exchange.chunks():
                    body += chunk
                    if len(body) > _LARGEST:
                        raise ActionError("the engine's answer is too long")
                return json.loads(bytes(body))
            except ValueError as error:
                raise ActionError("the engine's answer is not understood") from error
            finally:
                exchange.finish()

        return await in_thread(work, exchange.close, f"{self._backend.engine}-sizes")


def _create_volume(connection: Connection, spec: VolumeSpec) -> str:
    if spec.name:
        try:
            connection.asking.inspect_volume(spec.name)
        except Exception as error:
            if status(error) != 404:
                raise
        else:
            raise ActionError(f"there is a volume {spec.name} already")
    answer = connection.acting.create_volume(
        spec.name or None, spec.driver, dict(spec.options) or None, dict(spec.labels) or None
    )
    return clean(str(answer.get("Name") or spec.name), 512)


def _create_network(connection: Connection, spec: NetworkSpec) -> str:
    if any(entry.get("Name") == spec.name for entry in connection.asking.networks()):
        raise ActionError(f"there is a network {spec.name} already")
    from docker.types import IPAMConfig, IPAMPool

    pool = IPAMPool(spec.subnet or None, spec.range or None, spec.gateway or None)
    answer = connection.acting.create_network(
        spec.name,
        spec.driver,
        dict(spec.options) or None,
        ipam=IPAMConfig(pool_configs=[pool]) if spec.subnet else None,
        check_duplicate=True,
        internal=spec.internal,
        labels=dict(spec.labels) or None,
        enable_ipv6=spec.ipv6,
        attachable=spec.attachable or None,
    )
    return clean(str(answer.get("Id") or ""), 128)


def _drivers(connection: Connection) -> Drivers:
    plugins = connection.asking.info().get("Plugins") or {}
    volume = tuple(sorted(clean(str(name), 128) for name in plugins.get("Volume") or ()))
    network = tuple(sorted(clean(str(name), 128) for name in plugins.get("Network") or () if name not in _NO_SLOT))
    return Drivers(volume or ("local",), network or ("bridge",))
