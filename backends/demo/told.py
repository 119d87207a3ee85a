"""What a simulated engine tells of itself: told from what became of its objects, in the words of the real ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from backends.abilities.events import Events
from backends.demo import catalog
from backends.events import OWN, EngineEvent, EventRing
from backends.model import VM, Container, Image, Item, Kind, Ref, State

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_UP = (State.RUNNING, State.PAUSED)
_CHECKED_EVERY = 30.0
_SHOWN = 300.0
"""So many seconds before its start the history begins."""


class DemoEvents(Events):
    def __init__(self, backend: DemoBackend) -> None:
        self._ring = backend.ring

    @property
    def ring(self) -> EventRing:
        return self._ring


class Teller:
    """Puts an event into the ring for each change it is told of."""

    def __init__(self, ring: EventRing, engine: str, items: Iterable[Item], now: float) -> None:
        self._ring = ring
        self._engine = engine
        self._known = {item.ref: item for item in items}
        for event in sorted(self._history(now), key=lambda event: event.time):
            ring.add(event)
        ring.add(EngineEvent(now, engine, OWN, "listening", engine))

    def tell(self, ref: Ref, item: Item | None, now: float) -> None:
        before = self._known.pop(ref, None)
        if item is not None:
            self._known[ref] = item
        for action, attributes, kind in _changes(before, item):
            subject = item or before
            if subject is not None:
                self._ring.add(self._event(now, subject, action, attributes, kind=kind))

    def _event(
        self, time: float, item: Item, action: str, attributes: dict[str, str], *, kind: str = "", chatter: bool = False
    ) -> EngineEvent:
        name = (item.tags[0] if item.tags else item.ref.id) if isinstance(item, Image) else item.name
        if isinstance(item, Container) and not kind:
            attributes = {"image": item.image, **attributes, **dict(item.labels)}
        if kind == "network":
            name, attributes = attributes["network"], {"container": item.ref.id, "type": "bridge"}
        pairs = tuple(sorted(attributes.items(), key=lambda pair: ("." in pair[0], pair[0])))
        return EngineEvent(time, self._engine, kind or str(item.ref.kind), action, name, item.ref.id, pairs, chatter)

    def _history(self, now: float) -> Iterator[EngineEvent]:
        """The last minutes before boxtop began to listen: health checks, and one container's crashes."""
        began = now - _SHOWN
        for item in self._known.values():
            if not isinstance(item, Container):
                continue
            if item.health is not None and item.state is State.RUNNING:
                offset = int(item.ref.id[:4], 16) % _CHECKED_EVERY
                for round_ in range(int(_SHOWN // _CHECKED_EVERY)):
                    at = began + offset + round_ * _CHECKED_EVERY
                    command = {"command": "/bin/sh -c wget -qO- http://localhost/health || exit 1"}
                    yield self._event(at, item, "exec_create", command, chatter=True)
                    yield self._event(at + 0.04, item, "exec_start", command, chatter=True)
                    yield self._event(at + 0.31, item, "exec_die", {"exitCode": "0"}, chatter=True)
            if item.name == catalog.RESTARTING:
                for round_ in range(int(_SHOWN // 24)):
                    at = began + 3 + round_ * 24
                    yield self._event(at, item, "start", {})
                    yield self._event(at + 6.8, item, "die", {"exitCode": "1"})


def _changes(before: Item | None, now: Item | None) -> Iterator[tuple[str, dict[str, str], str]]:
    """(action, attributes, another type than the object's) of what became of it."""
    some = now or before
    if some is None:
        return
    if before is None or now is None:
        came, went = ("pull", "delete") if some.ref.kind is Kind.IMAGE else ("create", "destroy")
        yield came if now else went, {}, ""
        if isinstance(now, Container) and now.state is State.RUNNING:
            yield "start", {}, ""
    elif isinstance(before, Container) and isinstance(now, Container):
        yield from _container(before, now)
    elif isinstance(before, VM) and isinstance(now, VM):
        if before.state_word != now.state_word:
            yield f"state: {now.state_word}", {"before": before.state_word}, ""
    elif isinstance(before, Image) and isinstance(now, Image):
        for tag in sorted(set(now.tags) - set(before.tags)):
            yield "tag", {"tag": tag}, ""
        for tag in sorted(set(before.tags) - set(now.tags)):
            yield "untag", {"tag": tag}, ""


def _container(before: Container, now: Container) -> Iterator[tuple[str, dict[str, str], str]]:
    if before.name != now.name:
        yield "rename", {"oldName": f"/{before.name}"}, ""
    if before.state is not now.state:
        if now.state is State.PAUSED:
            yield "pause", {}, ""
        elif now.state is State.RUNNING:
            yield "unpause" if before.state is State.PAUSED else "start", {}, ""
        elif now.state in (State.EXITED, State.RESTARTING) and before.state not in (State.EXITED, State.CREATED):
            yield "die", {"exitCode": str(now.exit_code or 0)}, ""
        elif now.state is State.STOPPING:
            yield "kill", {"signal": "15"}, ""
    if now.health is not None and before.health is not now.health and now.state in _UP:
        yield f"health_status: {now.health}", {}, ""
    for name in sorted({name for name, _ in now.networks} - {name for name, _ in before.networks}):
        yield "connect", {"network": name}, "network"
    for name in sorted({name for name, _ in before.networks} - {name for name, _ in now.networks}):
        yield "disconnect", {"network": name}, "network"
