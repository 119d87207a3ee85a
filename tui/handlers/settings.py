"""Commands of a VM's settings: the view of them, and the forms that change them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from backends.abilities.creating import Creating, Limits
from backends.abilities.editing import (
    Adapter,
    DetachDisk,
    Drive,
    Editing,
    Forward,
    Insert,
    Outcome,
    RemoveAdapter,
    RemoveForward,
    Settings,
    SettingsChange,
    When,
    words_of,
)
from backends.base import ActionError, EngineError
from backends.model import VM, Item
from backends.text import clean
from tui import settings_forms as forms
from tui.confirmations import CANCEL
from tui.create_form import remarks
from tui.formats import size
from tui.handlers.area import Area, reason_of
from tui.held import held_elsewhere
from tui.settings_view import SettingsView
from widgets.confirm import Choice, Confirm
from widgets.fields import Field, TextField, Values
from widgets.form import Form
from widgets.picker import Picker, PickItem
from widgets.tones import Tone

if TYPE_CHECKING:
    from backends.model import Ref
    from backends.progress import Progress
    from tui.app import BoxtopApp


_Change = TypeVar("_Change")

_SLOW = 0.5
"""Seconds after which is told what is being changed."""


class Quiet:
    """A Report for what is over soon: nobody reads it."""

    def progress(self, progress: Progress) -> None:
        del progress

    def line(self, text: str) -> None:
        del text


class SettingsArea(Area):
    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(app)
        self._changing = asyncio.Lock()
        self._waiting = False
        self._asked = 0
        """Times the settings were asked for: of answers that overtake each other only the newest is shown."""

    async def open(self, items: Sequence[Item]) -> None:
        vm = items[0]
        if not isinstance(vm, VM):
            return
        opened = await self.wait_for(self._read(vm.ref), f"Reading the settings of {vm.name}")
        if opened is None:
            return
        await self.main.show_view("settings")
        self._view.show(vm.ref, *opened)
        self.type_on()

    async def rename(self, items: Sequence[Item]) -> None:
        vm = items[0]
        opened = await self.wait_for(self._limited(vm.ref), "Reading its settings") if isinstance(vm, VM) else None
        if opened is None:
            return
        settings, limits = opened
        timing = settings.timed("name")
        if timing.when is When.REFUSED:
            self.main.say(f"rename {settings.name}: {timing.reason}.", "warn")
            return

        def read(values: Values) -> tuple[Sequence[SettingsChange], Mapping[str, str]]:
            return forms.general_changes(values, settings, limits)

        fields = (TextField("name", "New name", settings.name),)
        changes = await self._filled(f"Rename {settings.name}", fields, "Rename", read)
        if changes:
            await self._apply(vm.ref, settings, changes)

    async def edit(self) -> None:
        if not await self._settled():
            return
        view, shown = self._view, self._view.shown
        subject = view.subject
        if view.ref is None or shown is None or subject is None or self._refused(view.ref.engine):
            return
        if isinstance(subject, str):
            await self._general(view.ref, shown, subject)
        elif isinstance(subject, Drive):
            await self._drive(view.ref, shown, subject)
        elif isinstance(subject, Adapter):
            await self._adapter(view.ref, shown, subject)
        else:
            await self.remove()

    async def add(self) -> None:
        if not await self._settled():
            return
        view, shown = self._view, self._view.shown
        if view.ref is None or shown is None or self._refused(view.ref.engine):
            return
        entries = []
        parts = (("disk", "attach", "A disk"), ("adapter", "plug", "A network adapter"))
        for what, timing_of, label in (*parts, ("port", "forward", "A forwarded port")):
            timing = shown.timed(timing_of)
            reason = timing.reason if timing.when is When.REFUSED else shown.no_forwards if what == "port" else ""
            hint = "" if reason or not shown.live else str(timing.when)
            entries.append(PickItem(what, label, hint, not reason, reason))
        picked = await self.ask(Picker(f"Add to {shown.name}", entries, glyphs=self.glyphs))
        if picked == "disk":
            await self._attach(view.ref, shown)
        elif picked == "adapter":
            await self._new_adapter(view.ref, shown)
        elif picked == "port":
            await self._forward(view.ref, shown)

    async def remove(self) -> None:
        if not await self._settled():
            return
        view, shown = self._view, self._view.shown
        subject = view.subject
        if view.ref is None or shown is None or self._refused(view.ref.engine):
            return
        if isinstance(subject, Drive) and subject.kind == "disk":
            await self._detach(view.ref, shown, subject)
        elif isinstance(subject, Drive):
            if subject.path:
                await self._apply(view.ref, shown, [Insert(subject)])
        elif isinstance(subject, Adapter):
            await self._unplug(view.ref, shown, subject)
        elif isinstance(subject, Forward):
            lines: list[tuple[str, Tone]] = [
                (f"{clean(subject.name)}: port {subject.host_port} of the host to {subject.guest_port}", "strong"),
                ("Connections to it are not led to the guest any more.", "warn"),
            ]
            if await self._agreed("Forward this port no more?", lines, "Remove"):
                await self._apply(view.ref, shown, [RemoveForward(subject)])

    async def again(self) -> None:
        view = self._view
        if view.ref is not None and not self._changing.locked():  # the end of a change reads them anyway
            await self._renew(view.ref)

    # -- the parts ----------------------------------------------------------------------------------------------------

    async def _general(self, ref: Ref, shown: Settings, first: str) -> None:
        fields = forms.general_fields(shown)
        notes = forms.general_notes(shown)
        if not fields:
            self.main.say(notes[0][0], "warn")
            return
        limits = await self._limits(ref.engine)

        def read(values: Values) -> tuple[Sequence[SettingsChange], Mapping[str, str]]:
            return forms.general_changes(values, shown, limits)

        changes = await self._filled(shown.name, fields, "Change", read, notes=notes, first=first)
        if changes is not None:
            await self._apply(ref, shown, changes)

    async def _drive(self, ref: Ref, shown: Settings, drive: Drive) -> None:
        if drive.kind != "disk":
            limits = await self._limits(ref.engine)
            field = TextField("path", "ISO", drive.path, "empty: nothing in the drive", browse="file")

            def read(values: Values) -> tuple[Insert, Mapping[str, str]]:
                return Insert(drive, str(values["path"])), {}

            title = f"{drive.place} of {shown.name}"
            inserted = await self._filled(title, (field,), "Insert", read, limits=limits)
            if inserted is not None and inserted.path != drive.path:
                await self._apply(ref, shown, [inserted])
            return
        grow, detach = shown.timed("grow"), shown.timed("detach")
        may_grow, may_detach = grow.when is not When.REFUSED, detach.when is not When.REFUSED
        entries = [
            PickItem("grow", "Grow", size(drive.size), may_grow, "" if may_grow else grow.reason),
            PickItem("detach", "Detach", clean(drive.path), may_detach, "" if may_detach else detach.reason),
        ]
        picked = await self.ask(Picker(f"{drive.place} of {shown.name}", entries, glyphs=self.glyphs))
        if picked == "grow":
            title, fields = f"Grow {clean(drive.path)}", forms.grow_fields(drive)
            grown = await self._filled(title, fields, "Grow", lambda values: forms.grow_change(values, drive))
            if grown is not None:
                await self._apply(ref, shown, [grown])
        elif picked == "detach":
            await self._detach(ref, shown, drive)

    async def _detach(self, ref: Ref, shown: Settings, drive: Drive) -> None:
        path = clean(drive.path)
        name = path.rpartition("/")[2]
        lines: list[tuple[str, Tone]] = [
            (f"{path}  {drive.format} {size(drive.size)}", "strong"),
            (f"in {drive.place} of {shown.name}", ""),
            ("", ""),
        ]
        if shown.live:
            lines.append(("It runs: a guest that has the disk in use loses what it has not written yet.", "warn"))
        lines.append(("Detached, the file is kept. Deleted, what is on it is lost for good.", "warn"))
        choices = [Choice(CANCEL, "Cancel"), Choice("detach", "Detach", tone="warn")]
        held = await held_elsewhere(self.app.store, self.app.session.backend, ref.engine, (drive.path,))
        if held:
            lines.append((f"It can only be detached: {held[drive.path]}.", "warn"))
        else:
            choices.append(Choice("delete", "Detach and delete", tone="error", needs_typed=True))
        answer = await self.ask(
            Confirm(
                "Detach the disk?", lines, choices=choices, typed="" if held else name, safe=CANCEL, glyphs=self.glyphs
            )
        )
        if answer is not None and answer.choice != CANCEL:
            await self._apply(ref, shown, [DetachDisk(drive, delete=answer.choice == "delete")])

    async def _attach(self, ref: Ref, shown: Settings) -> None:
        limits = await self._limits(ref.engine)
        if limits is None:
            return
        title, fields = f"A disk for {shown.name}", forms.attach_fields(limits)
        change = await self._filled(title, fields, "Attach", forms.attach_change, limits=limits)
        if change is not None:
            await self._apply(ref, shown, [change])

    async def _adapter(self, ref: Ref, shown: Settings, adapter: Adapter) -> None:
        networks = await self.able(ref.engine, Editing).networks()
        title, fields = f"Adapter {adapter.id} of {shown.name}", forms.adapter_fields(adapter, networks, shown)
        change = await self._filled(title, fields, "Change", lambda values: forms.adapter_change(values, adapter))
        if change is not None and change.adapter != adapter:
            await self._apply(ref, shown, [change])

    async def _new_adapter(self, ref: Ref, shown: Settings) -> None:
        networks = await self.able(ref.engine, Editing).networks()
        title, fields = f"A network adapter for {shown.name}", forms.new_adapter_fields(networks)
        change = await self._filled(title, fields, "Add", lambda values: forms.new_adapter(values, shown))
        if change is not None:
            await self._apply(ref, shown, [change])

    async def _unplug(self, ref: Ref, shown: Settings, adapter: Adapter) -> None:
        networks = dict(await self.able(ref.engine, Editing).networks())
        change = RemoveAdapter(adapter)
        lines = forms.removal_lines(change, shown, networks.get(adapter.network, adapter.network))
        if await self._agreed("Remove the network adapter?", lines, "Remove"):
            await self._apply(ref, shown, [change])

    async def _forward(self, ref: Ref, shown: Settings) -> None:
        title, fields = f"Forward a port to {shown.name}", forms.forward_fields(shown)
        change = await self._filled(title, fields, "Forward", lambda values: forms.forward_change(values, shown))
        if change is not None:
            await self._apply(ref, shown, [change])

    # -- what they share ----------------------------------------------------------------------------------------------

    async def _apply(self, ref: Ref, shown: Settings, changes: Sequence[SettingsChange]) -> None:
        """Have the engine change it, tell what became of each change, and show the settings as they are then."""
        if not changes:
            self.main.say("Nothing is different.")
            return
        if self._refused(ref.engine):
            return
        item = self.app.store.get(ref)
        if item is None:
            self.main.say(f"{shown.name} is gone.", "warn")
            return
        async with self._changing:
            await self._changed(ref, item, shown, changes)

    async def _changed(self, ref: Ref, item: Item, shown: Settings, changes: Sequence[SettingsChange]) -> None:
        outcomes: list[Outcome] = []

        async def work() -> None:
            outcomes.extend(await self.able(ref.engine, Editing).apply(ref, shown, changes, Quiet()))
            if refused := [one for one in outcomes if one.when is When.REFUSED]:
                raise ActionError("; ".join(f"{one.what}: {one.reason}" for one in refused))

        under_way = f"{shown.name}: {', '.join(words_of(change) for change in changes)} ..."
        told = asyncio.get_running_loop().call_later(_SLOW, self.main.say, under_way)
        try:
            failure = await self.app.noted("change", item, work())
        finally:
            told.cancel()
        done = [f"{one.what} {one.when}" for one in outcomes if one.when is not When.REFUSED]
        if done:
            self.main.say(f"{shown.name}: {', '.join(done)}.")
        if failure:
            self.main.say(f"{shown.name}: {failure}", "error")
        await self._renew(ref)

    async def _settled(self) -> bool:
        """Wait for the end of a change under way: what it comes to would be taken for another's, and refused.

        False where something waits for that already: a key pressed again means no second dialog. False, too, where
        the settings were left meanwhile: a dialog about them would come up amid something else.
        """
        if self._waiting:
            return False
        self._waiting = True
        ref = self._view.ref
        try:
            async with self._changing:
                return self.main.view == "settings" and self._view.ref == ref and self.app.screen is self.main
        finally:
            self._waiting = False

    def _refused(self, engine: str) -> bool:
        """Whether nothing may be changed there now, which is said then."""
        reason = self.app.store.barred.get(engine)
        if reason:
            self.main.say(f"settings: {reason}.", "warn")
        return bool(reason)

    async def _renew(self, ref: Ref) -> None:
        backend = self.app.session.backend(ref.engine)
        try:
            if backend is not None:
                self.app.store.apply(await backend.list_some([ref]))
            if self.main.view == "settings" and self._view.ref == ref:
                self._asked += 1
                asked = self._asked
                opened = await self._read(ref)
                if asked == self._asked and self._view.ref == ref:
                    self._view.show(ref, *opened)
        except (ActionError, EngineError) as error:
            self.main.say(f"settings: {reason_of(error)}", "warn")

    async def _read(self, ref: Ref) -> tuple[Settings, dict[str, str]]:
        able = self.able(ref.engine, Editing)
        settings, networks = await asyncio.gather(able.settings(ref), able.networks())
        return settings, dict(networks)

    async def _limited(self, ref: Ref) -> tuple[Settings, Limits | None]:
        return await asyncio.gather(self.able(ref.engine, Editing).settings(ref), self._limits(ref.engine))

    async def _limits(self, engine: str) -> Limits | None:
        """What the host has; None where the engine does not tell: then it judges by itself what is wanted."""
        try:
            return await self.able(engine, Creating).limits()
        except (ActionError, EngineError):
            return None

    async def _filled(
        self,
        title: str,
        fields: Sequence[Field],
        submit: str,
        read: Callable[[Values], tuple[_Change, Mapping[str, str]]],
        *,
        limits: Limits | None = None,
        notes: Sequence[tuple[str, Tone]] = (),
        first: str = "",
    ) -> _Change | None:
        """What the filled form comes to; `read` makes it of its values, and says what is wrong by field id."""
        form = Form(
            title,
            fields,
            submit=submit,
            notes=notes,
            check=lambda values: read(values)[1],
            suggest=forms.suggestions(limits),
            remarks=remarks(limits) if limits is not None else None,
            browse=self._browse,
            first=first,
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        return None if values is None else read(values)[0]

    async def _agreed(self, title: str, lines: Sequence[tuple[str, Tone]], label: str) -> bool:
        choices = (Choice(CANCEL, "Cancel"), Choice("go", label, tone="warn"))
        answer = await self.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        return answer is not None and answer.choice == "go"

    async def _browse(self, label: str, value: str, kind: str) -> str | None:
        del kind
        return await self.browse_engine(self._view.ref.engine if self._view.ref else "", label, value)

    @property
    def _view(self) -> SettingsView:
        view = self.main.views["settings"]
        assert isinstance(view, SettingsView)  # noqa: S101
        return view
