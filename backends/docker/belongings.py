"""Volumes and networks of a Docker or Podman engine: listed, looked up, removed. Blocking but for `Belongings`.

Docker Engine API 1.41 `/volumes` and `/networks`; half a millisecond of the engine's time each, with dozens of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backends.base import ActionError, EngineError
from backends.docker.client import Connection
from backends.docker.errors import status
from backends.docker.parse import is_anonymous
from backends.model import Kind, Loss, Network, Ref, Subnet, Volume
from backends.text import clean

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_PATIENCE = 2.0
"""Seconds a listing waits for volumes and networks: a volume plugin that hangs must not hide the containers."""
_BUILTIN = frozenset({"bridge", "host", "none"})
_PODMAN_DEFAULT = "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9"
"""The id of Podman's default network, which its Docker API calls `bridge` and the rest of Podman `podman`."""
_ANONYMOUS_LABEL = "com.docker.volume.anonymous"
"""Set by engines from 23.0 on; the name tells with older ones."""
_LIVE = {"running", "paused", "restarting"}

Found = tuple[tuple[Volume, ...] | None, tuple[Network, ...] | None]


class Belongings:
    """The volumes and networks that go with a listing, as far as the engine tells them in time."""

    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend
        self._asked: asyncio.Task[Found] | None = None
        self._patience = _PATIENCE

    def ask(self) -> None:
        """Begin to ask, unless the last answer is still awaited."""
        if self._asked is None:
            engine = self._backend.engine
            self._asked = asyncio.create_task(self._backend.ask(lambda connection: list_all(connection, engine)))
            self._asked.add_done_callback(_heed)

    async def answer(self) -> Found:
        """What came; None for what the engine did not tell, or not yet."""
        if self._asked is None:
            return None, None
        task = self._asked
        done, _ = await asyncio.wait({task}, timeout=self._patience)
        # Waited for once: later listings take the answer when it is there
        self._patience = _PATIENCE if done else 0.0
        if not done:
            return None, None
        self._asked = None
        if task.cancelled() or isinstance(task.exception(), (EngineError, ActionError)):
            return None, None
        return task.result()


def _heed(task: asyncio.Task[Found]) -> None:
    if not task.cancelled():
        task.exception()  # who asked may be gone


def list_all(connection: Connection, engine: str) -> Found:
    """Both lists; None for one the engine refuses, as a proxy before it may."""
    found_volumes: tuple[Volume, ...] | None = None
    found_networks: tuple[Network, ...] | None = None
    try:
        found_volumes = volumes(connection.asking.volumes(), engine)
    except Exception as error:
        if not status(error):
            raise
    try:
        found_networks = networks(connection.asking.networks(), engine)
    except Exception as error:
        if not status(error):
            raise
    return found_volumes, found_networks


def volumes(answer: Any, engine: str) -> tuple[Volume, ...]:
    """`GET /volumes`."""
    listing = answer.get("Volumes") if isinstance(answer, Mapping) else None
    return tuple(volume(entry, engine) for entry in listing or () if isinstance(entry, Mapping) and entry.get("Name"))


def volume(entry: Mapping[str, Any], engine: str) -> Volume:
    """One entry of `GET /volumes`. Its `CreatedAt` is the folder's time of change with engines before 23.0."""
    name = clean(str(entry.get("Name")), 512)
    labels = _pairs(entry.get("Labels"))
    return Volume(
        ref=Ref(engine, Kind.VOLUME, name),
        name=name,
        driver=clean(str(entry.get("Driver") or ""), 128),
        mountpoint=clean(str(entry.get("Mountpoint") or "")),
        created=_moment(entry.get("CreatedAt")),
        labels=tuple(pair for pair in labels if pair[0] != _ANONYMOUS_LABEL),
        scope=clean(str(entry.get("Scope") or ""), 32),
        anonymous=is_anonymous(name) or any(key == _ANONYMOUS_LABEL for key, _ in labels),
        options=_pairs(entry.get("Options")),
    )


def networks(answer: Any, engine: str) -> tuple[Network, ...]:
    """`GET /networks`."""
    entries = answer if isinstance(answer, list) else []
    return tuple(network(entry, engine) for entry in entries if isinstance(entry, Mapping) and entry.get("Id"))


def network(entry: Mapping[str, Any], engine: str) -> Network:
    """One entry of `GET /networks`."""
    identity = clean(str(entry.get("Id")), 128)
    name = clean(str(entry.get("Name") or identity[:12]), 256)
    config = (entry.get("IPAM") or {}).get("Config") or ()
    subnets = [
        Subnet(clean(str(pool.get("Subnet") or ""), 64), clean(str(pool.get("Gateway") or ""), 64))
        for pool in config
        if isinstance(pool, Mapping) and pool.get("Subnet")
    ]
    return Network(
        ref=Ref(engine, Kind.NETWORK, identity),
        # containers list it by Podman's own name
        name="podman" if identity == _PODMAN_DEFAULT else name,
        driver=clean(str(entry.get("Driver") or ""), 128),
        scope=clean(str(entry.get("Scope") or ""), 32),
        created=_moment(entry.get("Created")),
        subnets=tuple(subnets),
        internal=bool(entry.get("Internal")),
        attachable=bool(entry.get("Attachable")),
        builtin=name in _BUILTIN or identity == _PODMAN_DEFAULT,
        labels=_pairs(entry.get("Labels")),
        options=_pairs(entry.get("Options")),
    )


def inspect(connection: Connection, ref: Ref) -> Any:
    client = connection.asking
    return client.inspect_volume(ref.id) if ref.kind is Kind.VOLUME else client.inspect_network(ref.id)


def losses(connection: Connection, ref: Ref) -> tuple[Loss, ...]:
    """What a removal destroys. Raises ActionError where the engine would refuse it, saying who uses it."""
    if ref.kind is Kind.VOLUME:
        check_unused(connection, ref)
        return (Loss("all files in it"),)
    users = check_unused(connection, ref)
    return tuple(Loss(f"{name} ({word}) is to join it and does not start without it") for name, word in users)


def delete(connection: Connection, ref: Ref) -> None:
    """Remove it unless it is used. Never forced: forcing has Podman remove the containers with it."""
    check_unused(connection, ref)
    if ref.kind is Kind.VOLUME:
        connection.acting.remove_volume(ref.id)
    else:
        connection.acting.remove_network(ref.id)


def check_unused(connection: Connection, ref: Ref) -> list[tuple[str, str]]:
    """(name, state) of those whose use the engine does not mind. Raises ActionError, naming them, where it does.

    Docker removes a network that only stopped containers refer to, Podman none; neither removes a volume in use.
    """
    users = users_of(connection, ref)
    hindering = [(name, word) for name, word in users if ref.kind is Kind.VOLUME or connection.podman or word in _LIVE]
    if hindering:
        names = ", ".join(f"{name} ({word})" for name, word in hindering)
        remedy = "delete the container first" if ref.kind is Kind.VOLUME else "disconnect it first"
        raise ActionError(f"used by {names}: {remedy}")
    return users


def users_of(connection: Connection, ref: Ref) -> list[tuple[str, str]]:
    """(name, state) of the containers that use a volume or a network, stopped ones too, sorted."""
    client = connection.asking
    try:
        if ref.kind is Kind.VOLUME:
            client.inspect_volume(ref.id)
            listing = client.containers(all=True, filters={"volume": ref.id})
            found = [entry for entry in listing if _mounts(entry, ref.id)]
        else:
            # The engine's filter by id misses a container that was never started
            name = network(client.inspect_network(ref.id), ref.engine).name
            found = [entry for entry in client.containers(all=True) if _joins(entry, ref.id, name)]
    except Exception as error:
        if status(error) == 404:
            raise ActionError(f"the {ref.kind} is gone") from error
        raise
    return sorted((_name(entry), clean(str(entry.get("State") or ""), 32)) for entry in found)


def _mounts(entry: Mapping[str, Any], volume: str) -> bool:
    """The engine's filter takes a volume's destination for its name, too."""
    mounts = entry.get("Mounts")
    return mounts is None or any(mount.get("Name") == volume for mount in mounts if isinstance(mount, Mapping))


def _joins(entry: Mapping[str, Any], identity: str, name: str) -> bool:
    joined = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return any(key == name or (value or {}).get("NetworkID") == identity for key, value in joined.items())


def _name(entry: Mapping[str, Any]) -> str:
    names: Iterable[Any] = entry.get("Names") or [str(entry.get("Id"))[:12]]
    return clean(str(next(iter(names))).removeprefix("/"), 256)


def _pairs(values: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(values, Mapping):
        return ()
    return tuple(sorted((clean(str(key), 512), clean(str(value))) for key, value in values.items()))


def _moment(text: Any) -> float | None:
    """RFC 3339 as Unix time; None for Go's zero time and what is no time."""
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(str(text))
        if moment.year > 1 and moment.tzinfo is not None:
            return moment.timestamp()
    return None
