"""What all engines told since boxtop was started: their own rings, and one made here for engines that have none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backends.base import Backend
from backends.events import EngineEvent, EventRing
from backends.model import VM, Change, Kind, Snapshot
from backends.watch import Update
from tui.store import Store

_EVENTS = "events.Events"


class Happened:
    """An engine without the ability Events has changes of its VMs' states noted as they are listed."""

    def __init__(self, store: Store, backend_of: Callable[[str], Backend | None]) -> None:
        self._store = store
        self._backend_of = backend_of
        self._noted: dict[str, EventRing] = {}

    def rings(self) -> Mapping[str, EventRing]:
        """By engine; those that tell nothing are left out."""
        from backends.abilities.events import Events

        found = dict(self._noted)
        for engine in self._store.engines:
            backend = self._backend_of(engine)
            teller = backend.ability(Events) if backend else None
            if teller is not None:
                found[engine] = teller.ring
        return found

    def observe(self, update: Update) -> None:
        """Before the store takes an update in: note what it changes for VMs of engines that tell no events."""
        if not isinstance(update, (Snapshot, Change)):
            return
        engine = self._store.engines.get(update.engine)
        if engine is None or engine.info is None or not engine.listed or _EVENTS in engine.info.abilities:
            return
        known = self._store.items[Kind.VM]
        if isinstance(update, Snapshot):
            present = {vm.ref for vm in update.vms}
            updated = update.vms
            removed = [ref for ref in known if ref.engine == update.engine and ref not in present]
        else:
            updated = tuple(item for item in update.updated if isinstance(item, VM))
            removed = [ref for ref in update.removed if ref in known]
        for vm in updated:
            before = known.get(vm.ref)
            if not isinstance(before, VM):
                self._note(update.time, vm, "registered", ())
            elif before.state_word != vm.state_word:
                self._note(update.time, vm, f"state: {vm.state_word}", (("before", before.state_word),))
        for ref in removed:
            gone = known[ref]
            if isinstance(gone, VM):
                self._note(update.time, gone, "unregistered", ())

    def _note(self, time: float, vm: VM, action: str, attributes: tuple[tuple[str, str], ...]) -> None:
        ring = self._noted.setdefault(vm.ref.engine, EventRing())
        ring.add(EngineEvent(time, vm.ref.engine, str(Kind.VM), action, vm.name, vm.ref.id, attributes))
