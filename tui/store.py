"""What is known now: the latest of every engine, bounded histories, pending actions and failures.

The store runs on the event loop and knows no screen. Each change is told to the listeners as a Delta, so that only
the rows concerned are drawn again.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from backends.model import (
    VM,
    Action,
    ActionOptions,
    Change,
    Container,
    EngineInfo,
    HostUsage,
    Image,
    Item,
    Kind,
    Network,
    Ref,
    Snapshot,
    State,
    Usage,
    Volume,
    image_users,
    network_users,
    volume_users,
)
from backends.watch import Connected, Lost, Update
from tui.commands import Rights
from tui.history import HOST_FIELDS, History

SHOWN_WHILE: Mapping[Action, State] = {
    Action.START: State.STARTING,
    Action.STOP: State.STOPPING,
    Action.RESTART: State.RESTARTING,
    Action.PAUSE: State.STOPPING,
    Action.RESUME: State.STARTING,
    Action.KILL: State.STOPPING,
    Action.SAVE: State.SAVING,
    Action.RESET: State.RESTARTING,
    Action.DELETE: State.DELETING,
}


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed: the objects, and whether any came, went or has to be placed anew."""

    refs: frozenset[Ref] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    """Kinds of which objects came or went."""
    engines: bool = False
    usage: bool = False
    host: bool = False


@dataclass(slots=True)
class Engine:
    """One engine connection as the user sees it."""

    key: str
    url: str
    info: EngineInfo | None = None
    lost: Lost | None = None
    listed: bool = False
    read_only: bool = False
    expected: tuple[Kind, ...] = ()
    """Kinds of object it would have, as long as it has not answered."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return self.info.kinds if self.info else self.expected

    @property
    def connected(self) -> bool:
        return self.info is not None and self.lost is None


@dataclass(frozen=True, slots=True)
class Failure:
    """An action that did not work; kept until dismissed."""

    ref: Ref
    name: str
    action: str
    """An Action, or the verb of other work."""
    reason: str
    options: ActionOptions = field(default_factory=ActionOptions)
    """What was chosen for the Action."""
    again: Callable[[Item], Awaitable[object]] | None = None
    """Does other work once more."""
    time: float = field(default_factory=time.time)


class Store:
    def __init__(self) -> None:
        self.engines: dict[str, Engine] = {}
        self.items: dict[Kind, dict[Ref, Item]] = {kind: {} for kind in Kind}
        self.usage: dict[Ref, Usage] = {}
        self.histories: dict[Ref, History] = {}
        self.host: HostUsage | None = None
        self.host_history = History(HOST_FIELDS)
        self.pending: dict[Ref, Action] = {}
        self.failures: dict[Ref, Failure] = {}
        self._listeners: list[Callable[[Delta], None]] = []
        self.volume_sizes: dict[Ref, int] = {}
        """Bytes of volumes, as far as they were asked for: an engine walks the files of each."""
        self._users: dict[Kind, Mapping[tuple[str, str], tuple[str, ...]]] = {}

    def listen(self, listener: Callable[[Delta], None]) -> None:
        self._listeners.append(listener)

    def add_engine(self, key: str, url: str, kinds: tuple[Kind, ...], *, read_only: bool) -> None:
        self.engines[key] = Engine(key, url, read_only=read_only, expected=kinds)

    def get(self, ref: Ref) -> Item | None:
        return self.items[ref.kind].get(ref)

    def of_kind(self, kind: Kind) -> Iterable[Item]:
        return self.items[kind].values()

    def reachable(self, ref: Ref) -> bool:
        engine = self.engines.get(ref.engine)
        return engine is not None and engine.connected

    @property
    def read_only(self) -> list[str]:
        return [engine.key for engine in self.engines.values() if engine.read_only]

    @property
    def barred(self) -> dict[str, str]:
        """Engines on which nothing can be done now, each with the reason."""
        barred = {engine.key: f"{engine.key} does not answer" for engine in self.engines.values() if engine.lost}
        return barred | {key: f"{key} is read-only" for key in self.read_only}

    @property
    def rights(self) -> Rights:
        """What the engines allow now."""
        abilities = {engine.key: engine.info.abilities for engine in self.engines.values() if engine.info}
        lost = frozenset(engine.key for engine in self.engines.values() if engine.lost)
        return Rights(self.barred, abilities, lost)

    def engines_for(self, kind: Kind) -> list[Engine]:
        """Engines that have this kind of object, or would have it if they answered."""
        return [engine for engine in self.engines.values() if kind in engine.kinds]

    def users_of(self, item: Image | Volume | Network) -> tuple[str, ...]:
        """Names of the containers made from this image, mounting this volume or in this network."""
        kind = item.ref.kind
        if kind not in self._users:
            containers: Iterable[Container] = self.items[Kind.CONTAINER].values()  # type: ignore[assignment]
            if kind is Kind.IMAGE:
                self._users[kind] = image_users(containers)
            elif kind is Kind.VOLUME:
                self._users[kind] = volume_users(containers)
            else:
                found = network_users(containers)
                self._users[kind] = {key: tuple(name for name, _ in users) for key, users in found.items()}
        return self._users[kind].get((item.ref.engine, item.ref.id if isinstance(item, Image) else item.name), ())

    def shown_state(self, item: Container | VM) -> State:
        """The state to show: the transition an action of ours has begun, else the engine's."""
        action = self.pending.get(item.ref)
        return SHOWN_WHILE[action] if action else item.state

    def apply(self, update: Update) -> Delta:
        """Take in what a watcher delivered, tell the listeners and return what changed."""
        match update:
            case Connected(info):
                engine = self.engines[info.engine]
                engine.info, engine.lost, engine.listed = info, None, False
                delta = Delta(refs=self._refs_of(info.engine), engines=True)
            case Lost():
                engine = self.engines[update.engine]
                first = engine.lost is None
                engine.lost = update
                refs = self._refs_of(update.engine) if first else frozenset[Ref]()
                self._forget_usage(refs)
                delta = Delta(refs=refs, engines=True)
            case Snapshot():
                delta = self._apply_snapshot(update)
            case Change():
                delta = self._apply_change(update.updated, update.removed)
        self._tell(delta)
        return delta

    def apply_usage(self, figures: Mapping[Ref, Usage]) -> None:
        changed = set()
        for ref, usage in figures.items():
            if ref not in self.items[ref.kind]:
                continue
            self.usage[ref] = usage
            history = self.histories.get(ref)
            if history is None:
                history = self.histories[ref] = History()
            history.push(usage)
            changed.add(ref)
        if changed:
            self._tell(Delta(refs=frozenset(changed), usage=True))

    def apply_volume_sizes(self, sizes: Mapping[Ref, int]) -> None:
        """Bytes of volumes, as an engine counted them now."""
        known = {ref: size for ref, size in sizes.items() if ref in self.items[Kind.VOLUME]}
        self.volume_sizes |= known
        self._tell(Delta(refs=frozenset(known)))

    def apply_host(self, usage: HostUsage) -> None:
        self.host = usage
        self.host_history.push(usage)
        self._tell(Delta(host=True))

    def set_pending(self, ref: Ref, action: Action) -> None:
        self.pending[ref] = action
        self.failures.pop(ref, None)
        self._tell(Delta(refs=frozenset({ref})))

    def clear_pending(self, ref: Ref, failure: Failure | None = None) -> None:
        self.pending.pop(ref, None)
        if failure:
            self.failures[ref] = failure
        self._tell(Delta(refs=frozenset({ref})))

    def fail(self, failure: Failure) -> None:
        self.failures[failure.ref] = failure
        self._tell(Delta(refs=frozenset({failure.ref})))

    def dismiss_failure(self, ref: Ref) -> None:
        if self.failures.pop(ref, None):
            self._tell(Delta(refs=frozenset({ref})))

    def clear(self) -> None:
        """Forget every engine and object, as when the demo takes over."""
        kinds = frozenset(kind for kind in Kind if self.items[kind])
        for items in self.items.values():
            items.clear()
        self.engines.clear()
        self.usage.clear()
        self.histories.clear()
        self.pending.clear()
        self.failures.clear()
        self.volume_sizes.clear()
        self._users.clear()
        self.host, self.host_history = None, History(HOST_FIELDS)
        self._tell(Delta(kinds=kinds, engines=True, host=True))

    def _tell(self, delta: Delta) -> None:
        for listener in self._listeners:
            listener(delta)

    def _refs_of(self, engine: str) -> frozenset[Ref]:
        return frozenset(ref for items in self.items.values() for ref in items if ref.engine == engine)

    def _apply_snapshot(self, snapshot: Snapshot) -> Delta:
        engine = self.engines[snapshot.engine]
        first, engine.listed = not engine.listed, True
        fresh: list[Item] = [*snapshot.containers, *snapshot.vms, *snapshot.images]
        fresh += [*(snapshot.volumes or ()), *(snapshot.networks or ())]
        present = {item.ref for item in fresh}
        unasked = set[Kind]()
        if snapshot.volumes is None:
            unasked.add(Kind.VOLUME)
        if snapshot.networks is None:
            unasked.add(Kind.NETWORK)
        removed = [ref for ref in self._refs_of(snapshot.engine) if ref not in present and ref.kind not in unasked]
        delta = self._apply_change(fresh, removed)
        return Delta(refs=delta.refs, kinds=delta.kinds, engines=first)

    def _apply_change(self, updated: Iterable[Item], removed: Iterable[Ref]) -> Delta:
        refs: set[Ref] = set()
        kinds: set[Kind] = set()
        rejoined = False
        for item in updated:
            items = self.items[item.ref.kind]
            before = items.get(item.ref)
            if before == item:
                continue
            items[item.ref] = item
            refs.add(item.ref)
            if before is None:
                kinds.add(item.ref.kind)
            rejoined = rejoined or _rejoined(before, item)
            if isinstance(item, (Container, VM)) and item.state is not State.RUNNING:
                self._forget_usage([item.ref])
        for ref in removed:
            if self.items[ref.kind].pop(ref, None) is not None:
                refs.add(ref)
                kinds.add(ref.kind)
                self._forget_usage([ref])
                self.histories.pop(ref, None)
                self.failures.pop(ref, None)
                self.volume_sizes.pop(ref, None)
        if any(ref.kind is Kind.CONTAINER for ref in refs):
            self._users.clear()
            if Kind.CONTAINER in kinds:  # the used-by counts of images
                refs.update(self.items[Kind.IMAGE])
            if rejoined or Kind.CONTAINER in kinds:
                refs.update(self.items[Kind.VOLUME])
                refs.update(self.items[Kind.NETWORK])
        return Delta(refs=frozenset(refs), kinds=frozenset(kinds))

    def _forget_usage(self, refs: Iterable[Ref]) -> None:
        for ref in refs:
            self.usage.pop(ref, None)


def _rejoined(before: Item | None, now: Item) -> bool:
    """Whether a container is in other networks than before, or mounts other volumes."""
    if not isinstance(before, Container) or not isinstance(now, Container):
        return False
    return before.networks != now.networks or before.mounts != now.mounts
