"""The engine's listing JSON as model objects: pure but for the steady moments kept beside.

Docker Engine API 1.41 to 1.51 `GET /containers/json` and `GET /images/json`, and Podman's service for the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.docker.moments import Moments, parse_age
from backends.model import Action, Container, Health, Image, Kind, Mount, Port, Ref, State
from backends.text import clean

_STATES = {
    "running": State.RUNNING,
    "paused": State.PAUSED,
    "restarting": State.RESTARTING,
    "exited": State.EXITED,
    "created": State.CREATED,
    "dead": State.CRASHED,
    "removing": State.DELETING,
    # Podman's own words, where its service does not translate them
    "stopped": State.EXITED,
    "configured": State.CREATED,
    "initialized": State.CREATED,
    "stopping": State.STOPPING,
}
_LIVE = {State.RUNNING, State.PAUSED, State.RESTARTING, State.STOPPING}
_ENDED = {State.EXITED, State.RESTARTING, State.CRASHED}
_HEALTH = {
    "(healthy)": Health.HEALTHY,
    "(unhealthy)": Health.UNHEALTHY,
    "(health: starting)": Health.STARTING,
    "(starting)": Health.STARTING,
}
_EXIT_CODE = re.compile(r"^(?:Exited|Restarting) \((-?\d+)\)")
_ID = re.compile(r"[0-9a-f]{64}")
_DEAD_REFUSAL = "the engine failed to remove it: only delete remains"
_PODMAN_PAUSED = "Podman cannot do this while it is paused: resume it first"


@dataclass
class Parser:
    """Turns one engine's answers into model objects. Used from one thread at a time."""

    engine: str
    podman: bool = False
    started: Moments = field(default_factory=Moments)
    ended: Moments = field(default_factory=Moments)

    def containers(self, listing: Iterable[Mapping[str, Any]], now: float) -> tuple[Container, ...]:
        return tuple(self.container(entry, now) for entry in listing)

    def container(self, entry: Mapping[str, Any], now: float) -> Container:
        """One entry of `GET /containers/json`, listed at Unix time `now`."""
        identity = clean(str(entry.get("Id") or ""), 128)
        word = str(entry.get("State") or "").lower()
        status = str(entry.get("Status") or "")
        state = _STATES.get(word, State.UNKNOWN)
        started, ended = self._moments(identity, state, status, now)
        exit_code = _EXIT_CODE.match(status)
        return Container(
            ref=Ref(self.engine, Kind.CONTAINER, identity),
            name=_name(entry.get("Names"), identity),
            image=clean(str(entry.get("Image") or ""), 512),
            image_id=image_id(str(entry.get("ImageID") or "")),
            command=_command(entry.get("Command")),
            state=state,
            state_word=clean(word, 64),
            created=_time(entry.get("Created")),
            started=started,
            ended=ended,
            exit_code=int(exit_code.group(1)) if exit_code and state in _ENDED else None,
            health=_health(entry, status),
            ports=_ports(entry.get("Ports")),
            labels=_pairs(entry.get("Labels")),
            networks=_networks(entry),
            mounts=_mounts(entry.get("Mounts")),
            refusals=self._refusals(state),
        )

    def images(self, listing: Iterable[Mapping[str, Any]]) -> tuple[Image, ...]:
        return tuple(self.image(entry) for entry in listing)

    def image(self, entry: Mapping[str, Any]) -> Image:
        """One entry of `GET /images/json`."""
        tags = _texts(entry.get("RepoTags"))
        digests = _texts(entry.get("RepoDigests"))
        return Image(
            ref=Ref(self.engine, Kind.IMAGE, image_id(str(entry.get("Id") or ""))),
            tags=tags,
            digests=digests,
            size=int(entry.get("Size") or 0),
            created=_time(entry.get("Created")),
            dangling=not tags,
        )

    def _moments(self, identity: str, state: State, status: str, now: float) -> tuple[float | None, float | None]:
        live = state in _LIVE and state is not State.RESTARTING
        age = parse_age(status)
        started = ended = None
        if live:
            started = self.started.settle(identity, age if status.startswith("Up") else None, now)
        else:
            self.started.forget(identity)
        if state in _ENDED:
            ended = self.ended.settle(identity, age, now)
        else:
            self.ended.forget(identity)
        return started, ended

    def _refusals(self, state: State) -> tuple[tuple[Action, str], ...]:
        if state is State.CRASHED:
            return ((Action.START, _DEAD_REFUSAL), (Action.RESTART, _DEAD_REFUSAL))
        if self.podman and state is State.PAUSED:
            return ((Action.STOP, _PODMAN_PAUSED), (Action.RESTART, _PODMAN_PAUSED))
        return ()


def image_id(text: str) -> str:
    """An image's id in one form, `sha256:<hex>`: older Podman leaves the prefix out."""
    text = clean(text, 512)
    return f"sha256:{text}" if _ID.fullmatch(text) else text


def is_anonymous(volume: str) -> bool:
    """Whether the engine named a volume itself: 64 hexadecimal digits."""
    return _ID.fullmatch(volume) is not None


def _name(names: Any, identity: str) -> str:
    """Its own name: the one without a further slash, which legacy links have."""
    texts = [str(name).removeprefix("/") for name in names or ()]
    own = [text for text in texts if text and "/" not in text]
    return clean((own or texts or [identity[:12]])[0] or identity[:12], 256)


def _command(command: Any) -> str:
    if isinstance(command, list):
        command = " ".join(str(word) for word in command)
    return clean(str(command or ""))


def _time(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _health(entry: Mapping[str, Any], status: str) -> Health | None:
    summary = entry.get("Health")
    if isinstance(summary, Mapping):  # API 1.52
        found = {health.value: health for health in Health}.get(str(summary.get("Status") or "").lower())
        if found is not None:
            return found
    if not status.endswith(")"):
        return None
    return next((health for word, health in _HEALTH.items() if status.endswith(word)), None)


def _ports(ports: Any) -> tuple[Port, ...]:
    """Sorted; a port published on both 0.0.0.0 and :: is one."""
    found: set[tuple[int, str, str, int]] = set()
    for entry in ports or ():
        if not isinstance(entry, Mapping):
            continue
        private, public = int(entry.get("PrivatePort") or 0), int(entry.get("PublicPort") or 0)
        address = clean(str(entry.get("IP") or ""), 64)
        found.add((private, clean(str(entry.get("Type") or "tcp"), 16), address, public))
    both = {("::", "0.0.0.0"), ("::1", "127.0.0.1")}  # noqa: S104
    return tuple(
        Port(private, protocol, address, public or None)
        for private, protocol, address, public in sorted(found)
        if not any(address == six and (private, protocol, four, public) in found for six, four in both)
    )


def _pairs(labels: Any) -> tuple[tuple[str, str], ...]:
    if not labels:
        return ()
    return tuple(sorted((clean(str(key), 512), clean(str(value))) for key, value in labels.items()))


def _networks(entry: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    found = []
    for name, network in networks.items():
        address = (network or {}).get("IPAddress") or (network or {}).get("GlobalIPv6Address") or ""
        found.append((clean(str(name), 256), clean(str(address), 64)))
    return tuple(sorted(found))


def _mounts(mounts: Any) -> tuple[Mount, ...]:
    found = []
    for mount in mounts or ():
        if not isinstance(mount, Mapping):
            continue
        kind = str(mount.get("Type") or "bind")
        source = mount.get("Name") if kind == "volume" else mount.get("Source")
        found.append(
            Mount(
                type=clean(kind, 32),
                source=clean(str(source or mount.get("Source") or "")),
                destination=clean(str(mount.get("Destination") or "")),
                writable=bool(mount.get("RW", True)),
            )
        )
    return tuple(found)


def _texts(values: Any) -> tuple[str, ...]:
    """Tags or digests without the engine's word for none."""
    return tuple(clean(str(value), 512) for value in values or () if value and "<none>" not in str(value))
