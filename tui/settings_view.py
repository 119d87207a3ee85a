"""A VM's settings on screen: a row for each, with what a change to it would do now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from backends.abilities.editing import Drive, Forward, Settings, Timing, When
from backends.model import VM, Item, Ref
from backends.text import clean
from tui.commands import Here
from tui.formats import size
from tui.store import Delta
from tui.subjects import SettingsRow, Subject
from tui.view import View
from widgets.line import Line, Part
from widgets.table import Cell, Column, Row, Table
from widgets.text import cut
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_COLUMNS = (
    Column("section", "SECTION", 9),
    Column("what", "SETTING", 12, flex=1),
    Column("value", "VALUE", 20, flex=6),
    Column("when", "A CHANGE", 17, priority=1),
)


class SettingsView(View):
    place = "settings"

    DEFAULT_CSS = """
    SettingsView > Line { background: $surface; }
    """

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(id="settings-view")
        self._boxtop = app
        glyphs = app.look().glyphs
        self._title = Line(glyphs=glyphs)
        self.table = Table(_COLUMNS, id="settings", glyphs=glyphs)
        self.ref: Ref | None = None
        self.shown: Settings | None = None
        self._item: Item | None = None
        self._reading: asyncio.Task[None] | None = None
        self._subjects: dict[str, Subject] = {}

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.table

    def focus_content(self) -> None:
        self.table.focus()

    @property
    def subject(self) -> Subject | None:
        key = self.table.cursor_key
        return self._subjects.get(key) if isinstance(key, str) else None

    def apply(self, delta: Delta) -> None:
        """Read them anew when its VM is in another state, or in another way not as it was."""
        if self.ref is None or delta.usage or self.ref not in delta.refs:
            return
        item, before = self._boxtop.store.get(self.ref), self._item
        self._item = item
        if item is None:
            self._title.set_parts([Part(" Settings", "accent"), Part("  the VM is gone", "error")])
        elif (
            isinstance(before, VM)
            and isinstance(item, VM)
            and _told(item) != _told(before)
            and self.ref not in self._boxtop.store.pending
        ):
            self._reading = asyncio.create_task(self._boxtop.run_command("settings.again", ()), name="settings")

    @property
    def here(self) -> Here:
        if self.ref is None or self.shown is None:
            return Here()
        return Here(SettingsRow(self.shown, self.subject), self.ref.engine, (self.ref.engine,))

    @on(Table.Selected)
    def _selected(self, event: Table.Selected) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Table.Opened)
    async def _opened(self, event: Table.Opened) -> None:
        event.stop()
        await self._boxtop.run_command("settings.edit", ())

    def show(self, ref: Ref, settings: Settings, networks: dict[str, str]) -> None:
        """These settings of this VM; the cursor stays where it was."""
        if ref != self.ref:
            self.table.scroll_to_top(0)
        fresh = ref != self.ref
        self.ref, self.shown, self._item = ref, settings, self._boxtop.store.get(ref)
        entries = rows_of(settings, networks)
        self._subjects = {str(row.key): subject for row, subject in entries}
        self.table.set_rows([row for row, _ in entries])
        self.post_message(self.Changed())
        if fresh and entries:
            self.table.select(entries[0][0].key)
        runs = "it runs: some changes are done at once, some later or not" if settings.live else "it is off"
        if not settings.live and settings.timed("attach").when is When.REFUSED:
            runs = settings.timed("attach").reason
        self._title.set_parts(
            [
                Part(" Settings", "accent"),
                Part(f"  {cut(settings.name, 60)}", "strong"),
                Part(f"  on {ref.engine}, {runs}", "dim"),
            ]
        )


def _told(vm: VM) -> tuple[object, ...]:
    """What of a listed VM its settings hang together with."""
    return vm.state, vm.name, vm.description, vm.cpus, vm.memory, vm.autostart, vm.snapshots


def rows_of(settings: Settings, networks: dict[str, str]) -> list[tuple[Row, Subject]]:
    """Each setting's row, and what it is about."""
    lines = settings.description.splitlines() or [""]
    described = lines[0] + (f" (+{len(lines) - 1} lines)" if len(lines) > 1 else "")
    found: list[tuple[Row, Subject]] = []

    def add(section: str, what: str, value: str, timing: str, subject: Subject) -> None:
        timed = settings.timed(timing)
        if isinstance(subject, Forward) and (reason := settings.unforwardable(subject)):
            timed = Timing(timing, When.REFUSED, reason)
        told = "not now" if timed.when is When.REFUSED else str(timed.when)
        tones: dict[When, Tone] = {When.NOW: "ok", When.NEXT: "info", When.REFUSED: "dim"}
        first = not any(row.cells[0].text == section for row, _ in found)
        cells = (Cell(section if first else "", "accent"), Cell(what), Cell(value or "-", "" if value else "dim"))
        # of the setting, not of its place: the cursor stays on it when one above comes or goes
        key = subject if isinstance(subject, str) else subject.name if isinstance(subject, Forward) else subject.id
        number = sum(str(row.key).startswith(f"{section}/{key}/") for row, _ in found)
        found.append((Row(f"{section}/{key}/{number}", (*cells, Cell(told, tones[timed.when]))), subject))

    add("General", "name", settings.name, "name", "name")
    add("General", "description", described, "description", "description")
    add("General", "CPUs", str(settings.cpus), "cpus", "cpus")
    add("General", "memory", size(settings.memory), "memory", "memory")
    add("General", "firmware", "UEFI" if settings.uefi else "BIOS", "uefi", "uefi")
    add("General", "boot order", ", ".join(settings.boot), "boot", "boot")
    add("General", "autostart", "starts with its host" if settings.autostart else "no", "autostart", "autostart")
    for drive in settings.drives:
        timing = "attach" if drive.kind == "disk" else "insert"
        add("Disks", drive.place, drive_words(drive), timing, drive)
    for adapter in settings.adapters:
        told = [networks.get(adapter.network, adapter.network), adapter.mac, adapter.model]
        told += [] if adapter.link else ["cable unplugged"]
        add("Network", f"adapter {adapter.id}"[:25], "  ".join(one for one in told if one), "link", adapter)
    for forward in settings.forwards:
        host = f"{forward.host_ip or '*'}:{forward.host_port}"
        guest = f"{forward.guest_ip or 'guest'}:{forward.guest_port}"
        add("Ports", clean(forward.name), f"{host} to {guest} {forward.protocol}", "forward", forward)
    return found


def drive_words(drive: Drive) -> str:
    """What a drive is and holds; its folder, often long, stands last as what a narrow column cuts off."""
    if not drive.path:
        return f"{drive.kind}, empty"
    folder, _, name = drive.path.rpartition("/")
    told = [drive.kind]
    if drive.kind == "disk":
        told = [" ".join(word for word in (drive.format, size(drive.size) if drive.size else "") if word) or "disk"]
        told += [f"{size(drive.used)} on disk"] if drive.used is not None else []
    return f"{', '.join(told)}  {clean(name)}" + (f"  in {clean(folder)}" if folder else "")


def hardware_rows(settings: Settings, networks: dict[str, str]) -> list[Row]:
    """The rows of drives, adapters and ports, without what a change would do."""
    return [Row(row.key, row.cells[:3]) for row, subject in rows_of(settings, networks) if not isinstance(subject, str)]
