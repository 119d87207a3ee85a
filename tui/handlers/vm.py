"""Commands of VMs: clones, autostart, saved states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from backends import vm_names
from backends.abilities.cloning import CloneOffer, CloneSpec, Cloning, source_refusal
from backends.abilities.vm_settings import Autostart, SavedState
from backends.base import ActionError
from backends.model import VM, Item, Kind, State
from backends.progress import Report
from tui.confirmations import CANCEL, differs
from tui.formats import size_long
from tui.handlers.area import Area
from widgets.confirm import Choice, Confirm
from widgets.form import ChoiceField, Form, TextField, Values
from widgets.tones import Tone


class VmArea(Area):
    async def clone(self, items: Sequence[Item]) -> None:
        await clone(self, vm_of(items), None)

    async def autostart_on(self, items: Sequence[Item]) -> None:
        await self._autostart(items, on=True)

    async def autostart_off(self, items: Sequence[Item]) -> None:
        await self._autostart(items, on=False)

    async def _autostart(self, items: Sequence[Item], *, on: bool) -> None:
        notes: set[str] = set()

        async def work(item: Item) -> None:
            notes.add(await self.able(item.ref.engine, Autostart).set_autostart(item.ref, on=on))

        verb = f"autostart {'on' if on else 'off'}"
        done = await self.each([item for item in items if isinstance(item, VM)], work, verb)
        for engine in {item.ref.engine for item in done}:
            # not every engine tells of it by events
            if (backend := self.app.session.backend(engine)) is not None:
                refs = [item.ref for item in done if item.ref.engine == engine]
                self.app.store.apply(await backend.list_some(refs))
        if done:
            names = done[0].name if len(done) == 1 and isinstance(done[0], VM) else f"{len(done)} VMs"
            told = f"{names} {'starts' if len(done) == 1 else 'start'} with the host{'' if on else ' no longer'}"
            more = "; ".join(sorted(notes - {""}))
            self.main.say(f"{told}{f': {more}' if more else ''}.", "warn" if more else "ok")

    async def discard(self, items: Sequence[Item]) -> None:
        saved = [item for item in items if isinstance(item, VM) and item.state is State.SAVED]
        title = f"Discard the saved state of {saved[0].name if len(saved) == 1 else f'{len(saved)} VMs'}?"
        lines: list[tuple[str, Tone]] = [(f"{vm.name}  on {vm.ref.engine}", "strong") for vm in saved]
        lines += [
            ("", ""),
            ("Lost for good: what ran in it when it was saved, and what it had not written to its disks.", "warn"),
            ("Its disks stay as they are; it is off then, as after a power failure.", ""),
        ]
        choices = (Choice(CANCEL, "Cancel"), Choice("discard", "Discard", tone="error"))
        answer = await self.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        if answer is None or answer.choice != "discard":
            return

        async def work(item: Item) -> None:
            if reason := differs(item, self.app.store.get(item.ref)):
                raise ActionError(reason)
            await self.able(item.ref.engine, SavedState).discard(item.ref)

        await self.each(saved, work, "discard the saved state of")
        for engine in {vm.ref.engine for vm in saved}:
            self.app.session.refresh_engine(engine)


async def clone(area: Area, vm: VM, snapshot: str | None, ended: Callable[[], None] = lambda: None) -> None:
    """Ask how, and copy. `snapshot`: what it is made from, if the user lets it stand; None: what can be.

    `ended` is called when there is a clone, or none after all.
    """
    able = area.able(vm.ref.engine, Cloning)
    if reason := area.app.store.rights.barred.get(vm.ref.engine):
        raise ActionError(reason)
    offer = await area.wait_for(able.offer(vm.ref), f"Asking {vm.ref.engine} what can be copied ...")
    if offer is None:
        return
    items = area.app.store.of_kind(Kind.VM)
    taken = {item.name for item in items if isinstance(item, VM) and item.ref.engine == vm.ref.engine}
    if snapshot is None:
        snapshot = next((source.id for source in offer.sources if not source.full), "")

    def check(values: Values) -> Mapping[str, str]:
        spec = _spec(values)
        found = {}
        if words := vm_names.problem(spec.name):
            found["name"] = words
        elif spec.name in taken:
            found["name"] = f"a VM on {vm.ref.engine} has this name already"
        if words := source_refusal(offer, spec):
            found["snapshot"] = words
        return found

    async def objections(values: Values) -> Mapping[str, str]:
        return await able.objections(vm.ref, _spec(values))

    form = Form(
        f"Clone {vm.name}",
        (
            TextField("name", "Name", vm_names.proposed(vm.name, taken)),
            ChoiceField("linked", "Kind", (("", "full: with disks of its own"), ("1", "linked: only what differs"))),
            ChoiceField("snapshot", "From", tuple((one.id, one.label) for one in offer.sources), snapshot),
            ChoiceField("macs", "MAC addresses", (("", "new ones"), ("1", "keep them: never run both in a network"))),
        ),
        submit="Clone",
        notes=[(note, "dim") for note in offer.notes],
        check=check,
        slow_check=objections,
        preview=lambda values: _summary(_spec(values), vm, offer),
        glyphs=area.glyphs,
    )
    values = await area.ask(form)
    if values is None:
        return
    spec = _spec(values)

    async def work(report: Report) -> str:
        try:
            made = await able.clone(vm.ref, spec, report)
        finally:
            # not every engine tells of a VM by events
            area.app.session.refresh_engine(vm.ref.engine)
            ended()
        backend = area.app.session.backend(vm.ref.engine)
        if backend is not None:
            area.app.store.apply(await backend.list_some([made]))
        return f"{spec.name} is there, and off"

    area.app.tasks.start("clone", f"{vm.name} to {spec.name}", vm.ref.engine, work, ref=vm.ref)


def vm_of(items: Sequence[Item]) -> VM:
    first = items[0]
    if not isinstance(first, VM):
        raise ActionError("it is no VM")
    return first


def _spec(values: Values) -> CloneSpec:
    return CloneSpec(
        str(values["name"]), bool(values["linked"]), str(values["snapshot"]), keep_macs=bool(values["macs"])
    )


def _summary(spec: CloneSpec, vm: VM, offer: CloneOffer) -> str:
    """What the form amounts to, in a sentence or two."""
    label = next((source.label for source in offer.sources if source.id == spec.snapshot), "")
    text = f"{'Linked' if spec.linked else 'Full'} copy of {vm.name} {f'from {label}' if spec.snapshot else label}"
    if spec.linked:
        return f"{text}. {offer.linked_note}"
    if offer.size is not None:
        text += f": up to {size_long(offer.size)}"
    if offer.free is not None:
        text += f", {size_long(offer.free)} are left{f' in {offer.folder}' if offer.folder else ''}"
    return f"{text}."
