"""The engine's events as records for people. Docker Engine API 1.41 `GET /events`; Podman gives the same shape."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backends.abilities.events import Events
from backends.docker.parse import image_id
from backends.events import OWN, EngineEvent, EventRing
from backends.text import clean

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_CHATTER = ("exec_", "top", "resize", "archive-path", "cleanup", "init")
_MOST_ATTRIBUTES = 60
_LONGEST = 300
_PODMAN_FILLERS = {"containerExitCode": "0", "podId": "", "image": ""}
"""Attributes Podman gives every event, and their values when they say nothing."""
_MOST_SHARED = 4096
_shared: dict[tuple[str, str], tuple[str, str]] = {}
"""Each attribute once: every event of a container carries all its labels."""


class DockerEvents(Events):
    def __init__(self, backend: DockerBackend) -> None:
        self._ring = backend.ring

    @property
    def ring(self) -> EventRing:
        return self._ring


def record(event: Mapping[str, Any], engine: str) -> EngineEvent:
    """One object of the stream. `exec_create: ls -l` becomes the action `exec_create` with the attribute `command`."""
    actor = event.get("Actor")
    actor = actor if isinstance(actor, Mapping) else {}
    pairs = actor.get("Attributes")
    attributes: dict[str, str] = {}
    for key, value in pairs.items() if isinstance(pairs, Mapping) else ():
        if len(attributes) == _MOST_ATTRIBUTES:
            break
        text = clean(str(value), _LONGEST)
        if _PODMAN_FILLERS.get(key) != text:
            attributes[clean(str(key), 128)] = text
    action = clean(str(event.get("Action") or event.get("status") or ""), _LONGEST)
    if action.startswith("exec_"):
        action, _, command = action.partition(":")
        if command.strip():
            attributes["command"] = command.strip()
    kind = clean(str(event.get("Type") or ""), 32)
    identity = clean(str(actor.get("ID") or event.get("id") or ""), 512)
    if kind == "image":
        identity = image_id(identity)
    name = attributes.pop("name", "") or identity
    nanoseconds = event.get("timeNano")
    return EngineEvent(
        time=nanoseconds / 1e9 if isinstance(nanoseconds, int) else time.time(),
        engine=engine,
        type=kind,
        action=action,
        name=name,
        id=identity,
        attributes=tuple(_share(pair) for pair in sorted(attributes.items(), key=_labels_last)),
        chatter=action.startswith(_CHATTER),
    )


def _labels_last(pair: tuple[str, str]) -> tuple[bool, str]:
    return "." in pair[0], pair[0]


def _share(pair: tuple[str, str]) -> tuple[str, str]:
    if len(_shared) >= _MOST_SHARED:
        _shared.clear()
    return _shared.setdefault(pair, pair)


def listening(engine: str, version: str) -> EngineEvent:
    """What boxtop notes when the stream stands."""
    return EngineEvent(time.time(), engine, OWN, "listening", engine, attributes=(("version", version),))
