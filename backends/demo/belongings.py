"""The volumes and networks of a simulated engine: those its containers use, and a few nobody uses any more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from backends.base import ActionError
from backends.demo.curves import GB, MB
from backends.model import Container, Item, Kind, Loss, Network, Ref, State, Subnet, Volume

_DAY = 86400.0
_COMPOSE = "com.docker.compose.project"
_UP = (State.RUNNING, State.PAUSED, State.RESTARTING)
KB = 1024
BUILTIN = ("bridge", "host", "none")

# name -> (days since it was made, bytes): left behind by containers that are gone
_UNUSED: dict[str, tuple[float, int]] = {
    "shop_db-data-16": (212.0, int(11.4 * GB)),
    "shop_uploads-old": (64.0, 733 * MB),
    "0a7d41f5c2b94e6f8d3a1c5b7e9f20416385a9bc7d1e2f304152637485960a1b": (17.0, 61 * MB),
    "c41e97ab35d04f2c96be08d7a1f35c2e4b6d8091f2a3c4d5e6f708192a3b4c5d": (9.0, 4 * KB),
}
_SIZES: dict[str, int] = {
    "shop_db-data": int(23.7 * GB),
    "shop_search-data": int(6.2 * GB),
    "build-cache": int(18.9 * GB),
    "9f1c3f6b2e7d4a58b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d": int(2.3 * GB),
}


def volumes(engine: str, now: float, containers: Iterable[Container]) -> Iterator[Volume]:
    seen: set[str] = set()
    for container in containers:
        for mount in container.mounts:
            if mount.type == "volume" and mount.source not in seen:
                seen.add(mount.source)
                yield volume(engine, mount.source, container.created - 1.0, _project(container, mount.source))
    if seen:
        for name, (days, _) in _UNUSED.items():
            yield volume(engine, name, now - days * _DAY, "shop" if name.startswith("shop_") else "")


def volume(engine: str, name: str, created: float, project: str = "", **changes: object) -> Volume:
    labels = [(_COMPOSE, project), ("com.docker.compose.volume", name.partition("_")[2])] if project else []
    return Volume(
        ref=Ref(engine, Kind.VOLUME, name),
        name=name,
        driver=str(changes.get("driver") or "local"),
        mountpoint=f"/var/lib/docker/volumes/{name}/_data",
        created=created,
        labels=changes.get("labels") or tuple(labels),  # type: ignore[arg-type]
        anonymous=len(name) == 64,
        options=changes.get("options") or (),  # type: ignore[arg-type]
    )


def _project(container: Container, name: str) -> str:
    project = dict(container.labels).get(_COMPOSE, "")
    return project if project and name.startswith(f"{project}_") else ""


def size_of(name: str) -> int:
    """Bytes in a volume; a new one is empty."""
    return _UNUSED[name][1] if name in _UNUSED else _SIZES.get(name, 0)


def networks(engine: str, now: float, containers: Iterable[Container]) -> Iterator[Network]:
    for name in BUILTIN:
        subnets = (Subnet("172.17.0.0/16", "172.17.0.1"),) if name == "bridge" else ()
        driver = "null" if name == "none" else name
        yield network(engine, name, driver, now - 90 * _DAY, subnets=subnets)
    found: dict[str, Container] = {}
    for container in containers:
        for name, address in container.networks:
            if name not in BUILTIN and (name not in found or address):
                found.setdefault(name, container)
                if address:
                    found[name] = container
    for name, container in found.items():
        address = dict(container.networks)[name]
        project = name.removesuffix("_default")
        yield network(engine, name, "bridge", container.created - 2.0, subnets=_subnets(address), project=project)
    if found:
        gone = Subnet("172.22.0.0/16", "172.22.0.1")
        yield network(engine, "staging_default", "bridge", now - 33 * _DAY, subnets=(gone,), project="staging")


def network(
    engine: str, name: str, driver: str, created: float, *, subnets: tuple[Subnet, ...], project: str = ""
) -> Network:
    builtin = name in BUILTIN
    return Network(
        ref=Ref(engine, Kind.NETWORK, hashlib.sha256(f"network/{engine}/{name}".encode()).hexdigest()),
        name=name,
        driver=driver,
        scope="local",
        created=created,
        subnets=subnets,
        builtin=builtin,
        labels=((_COMPOSE, project), ("com.docker.compose.network", "default")) if project else (),
    )


def _subnets(address: str) -> tuple[Subnet, ...]:
    parts = address.split(".")
    if len(parts) != 4:
        return (Subnet("172.29.0.0/16", "172.29.0.1"),)
    base = ".".join(parts[:2])
    return (Subnet(f"{base}.0.0/16", f"{base}.0.1"),)


def check_removal(items: Iterable[Item], item: Volume | Network) -> None:
    """Raises ActionError where the engine would refuse."""
    users = users_of(items, item)
    if isinstance(item, Network):
        if item.builtin:
            raise ActionError(f"{item.name} is a pre-defined network and cannot be removed")
        users = [user for user in users if user.state in _UP]
    if users:
        names = ", ".join(user.name for user in users)
        raise ActionError(f"used by {names}: {_REMEDY[item.ref.kind]}")


_REMEDY = {Kind.VOLUME: "delete the container first", Kind.NETWORK: "disconnect it first"}


def users_of(items: Iterable[Item], item: Volume | Network) -> list[Container]:
    boxes = [box for box in items if isinstance(box, Container) and box.ref.engine == item.ref.engine]
    if isinstance(item, Network):
        found = [box for box in boxes if any(name == item.name for name, _ in box.networks)]
    else:
        found = [
            box for box in boxes if any(mount.type == "volume" and mount.source == item.name for mount in box.mounts)
        ]
    return sorted(found, key=lambda box: box.name)


def losses(items: Iterable[Item], item: Volume | Network, size: int | None) -> tuple[Loss, ...]:
    """What its removal would destroy. Raises ActionError where it would be refused."""
    items = list(items)
    check_removal(items, item)
    if isinstance(item, Volume):
        return (Loss("all files in it", size=size),)
    return tuple(
        Loss(f"{user.name} ({user.state}) is connected to it and will not start without it")
        for user in users_of(items, item)
    )
