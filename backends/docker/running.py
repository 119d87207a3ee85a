"""Containers created and started from a RunSpec. Docker Engine API 1.41, `POST /containers/create`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from backends.abilities.containers import Run
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.errors import action_error, status
from backends.docker.posting import post
from backends.listening import listening_ports
from backends.model import Action, ActionOptions, Kind, Ref
from backends.runs import entries
from backends.runs.body import body_of
from backends.runs.options import Body
from backends.runs.spec import RunSpec
from backends.text import clean
from backends.threads import settled, whole

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_BUILT_IN = {"bridge", "host", "none", "default", "private", "slirp4netns", "pasta", "podman"}
_OPEN = ("container:", "ns:")


class DockerRun(Run):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def objections(self, spec: RunSpec, beside: Ref | None = None) -> Mapping[str, str]:
        return await self._backend.ask(lambda connection: _objections(connection, spec, beside.id if beside else ""))

    async def has_image(self, reference: str) -> bool:
        return await self._backend.ask(lambda connection: image_of(connection, reference) is not None)

    async def run(self, spec: RunSpec) -> Ref:
        try:
            body = body_of(spec)
        except ValueError as error:
            raise ActionError(str(error)) from None
        networks = {} if spec.network in {"", *_BUILT_IN} or not body.endpoint else {spec.network: body.endpoint}
        made: list[Ref] = []

        async def make() -> None:
            identity = await self._backend.act(lambda connection: create(connection, spec.name, body, networks))
            made.append(Ref(self._backend.engine, Kind.CONTAINER, identity))

        try:
            await whole(make())
            if spec.start:
                await whole(self._backend.perform(Action.START, made[0], ActionOptions()))
        except (ActionError, asyncio.CancelledError):
            if made:
                back = self._backend.perform(Action.DELETE, made[0], ActionOptions(force=True, volumes=True))
                removing = asyncio.ensure_future(back)
                await settled(removing)
                # What made it necessary is what is told
                removing.exception()
            raise
        return made[0]


def create(connection: Connection, name: str, body: Body, networks: Mapping[str, dict[str, Any]]) -> str:
    """Create a container in these networks, the first of which its settings name; its id. One half made is removed."""
    client = connection.acting
    config = {**body.config, "HostConfig": body.host}
    places = list(networks.items())
    if places:
        name_of_first, endpoint = places[0]
        config["NetworkingConfig"] = {"EndpointsConfig": {name_of_first: endpoint}}
    made = client.create_container_from_config(config, name or None, body.platform or None)  # type: ignore[no-untyped-call]
    identity = str(made["Id"])
    try:
        for network, endpoint in places[1:]:
            # The first alone is taken at creation by engines before API 1.44
            data = {"Container": identity, "EndpointConfig": endpoint}
            post(connection, f"/networks/{quote(network, safe='')}/connect", data)
    except BaseException:
        with suppress(Exception):
            client.remove_container(identity, force=True)
        raise
    return identity


def image_of(connection: Connection, reference: str) -> dict[str, Any] | None:
    """The engine's answer for an image; None when it has none of this name."""
    try:
        answer: dict[str, Any] = connection.asking.inspect_image(reference)  # type: ignore[no-untyped-call]
    except Exception as error:
        if status(error) in {400, 404}:
            return None
        raise action_error(error, connection.endpoint) from error
    return answer


def _objections(connection: Connection, spec: RunSpec, beside: str) -> dict[str, str]:
    containers = connection.asking.containers(all=True)
    found: dict[str, str] = {}
    others = [entry for entry in containers if entry.get("Id") != beside]
    if spec.name and any(f"/{spec.name}" in (entry.get("Names") or ()) for entry in others):
        found["name"] = f"a container is called {spec.name} already"
    if spec.network and spec.network not in _BUILT_IN and not spec.network.startswith(_OPEN):
        known = [{str(entry.get("Name")), str(entry.get("Id"))} for entry in connection.asking.networks()]
        if not any(spec.network in names for names in known):
            found["network"] = f"there is no network {spec.network}"
    own: Mapping[str, Any] = next((entry for entry in containers if entry.get("Id") == beside), {})
    if spec.start and (reason := _port_taken(connection, spec, others, _published(own))):
        found["ports"] = reason
    if connection.may_be_local:
        with suppress(ValueError):
            paths = [volume.source for volume in map(entries.read_volume, spec.volumes) if volume.bind]
            missing = next((path for path in paths if not os.path.lexists(path)), "")
            if missing:
                found["volumes"] = f"there is no {missing} on this machine"
    return found


def _published(entry: Mapping[str, Any]) -> set[tuple[str, int]]:
    return {
        (str(port.get("Type") or "tcp"), int(port["PublicPort"]))
        for port in entry.get("Ports") or ()
        if port.get("PublicPort")
    }


def _port_taken(
    connection: Connection, spec: RunSpec, others: Collection[Mapping[str, Any]], free: Collection[tuple[str, int]]
) -> str:
    """Which of its ports cannot be had, in words."""
    wanted: set[tuple[str, int]] = set()
    with suppress(ValueError):
        for entry in spec.ports:
            published = entries.read_ports(entry)
            wanted |= {(port.protocol, int(port.host_port)) for port in published if port.host_port.isdigit()}
    for other in others:
        for protocol, port in sorted(wanted & _published(other)):
            name = clean(str((other.get("Names") or [str(other.get("Id"))[:12]])[0]).removeprefix("/"), 256)
            return f"{name} has port {port}/{protocol} of the host"
    if connection.may_be_local and wanted:
        for protocol, port in sorted((wanted & listening_ports()) - set(free)):
            return f"a program on this machine has port {port}/{protocol}"
    return ""
