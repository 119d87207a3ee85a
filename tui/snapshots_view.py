"""A VM's snapshots: their tree with the present state in it, and below it what is said of the selected one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.timer import Timer

from backends.abilities.snapshots import Snapshots, SnapshotTree, VmSnapshot
from backends.base import ActionError, EngineError
from backends.model import VM, Ref
from tui.commands import Here
from tui.formats import percent
from tui.handlers.area import reason_of
from tui.snapshot_rows import COLUMNS, NOW, about, named, rows_of
from tui.store import Delta
from tui.subjects import SnapshotsRow
from tui.tasks import Task
from tui.view import View
from widgets.facts import Facts
from widgets.line import Line, Part
from widgets.table import Table

if TYPE_CHECKING:
    from tui.app import BoxtopApp

log = logging.getLogger(__name__)

_LOW = 20
"""Lines below which the screen has no room for what is said of the selected one."""
_AGES = 5.0
"""Seconds between two looks at the ages."""
_EACH = 0.2
"""Seconds between two drawings of a task's progress at least."""


class SnapshotsView(View):
    place = "snapshots"

    DEFAULT_CSS = """
    SnapshotsView > Line { background: $surface; }
    SnapshotsView > Table { height: 1fr; }
    SnapshotsView > Facts { height: 7; border-top: solid $surface-lighten-2; }
    """

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(id="snapshots-view")
        self._boxtop = app
        glyphs = app.look().glyphs
        self._title = Line(glyphs=glyphs)
        self.table = Table(COLUMNS, id="snapshots", glyphs=glyphs)
        self.facts = Facts(id="snapshots-about", glyphs=glyphs)
        self.vm: VM | None = None
        self.found: SnapshotTree | None = None
        self.failure = ""
        """Why the tree cannot be read now; what was read last stays."""
        self._asking: asyncio.Task[None] | None = None
        self._again = False
        self._due: Timer | None = None
        self._aging: Timer | None = None
        self._to_select: object = None
        app.tasks.listen(self._told)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.table
        yield self.facts

    # -- what it shows ------------------------------------------------------------------------------------------

    def turn_to(self, vm: VM) -> None:
        """Show this VM's snapshots from now on."""
        if self.vm is None or self.vm.ref != vm.ref:
            self.found = None
            self._to_select = NOW
        self.vm, self.failure = vm, ""
        self.ask()

    @property
    def selected(self) -> VmSnapshot | None:
        """The snapshot under the cursor; None on the present state."""
        return named(self.found, self.table.cursor_key) if self.found else None

    @property
    def under_way(self) -> Task | None:
        """What is being done to this VM's snapshots now."""
        if self.vm is None:
            return None
        ref = self.vm.ref
        return next(
            (task for task in self._boxtop.tasks.under_way if task.ref == ref and "snapshot" in task.verb), None
        )

    @property
    def here(self) -> Here:
        if self.vm is None:
            return Here()
        task = self.under_way
        row = SnapshotsRow(self.found, self.selected, task.title if task else "") if self.found else None
        return Here(row, self.vm.ref.engine, (self.vm.ref.engine,))

    def ask(self) -> None:
        """Read the tree anew; once more when it is being read already."""
        if self._asking is not None and not self._asking.done():
            self._again = True
            return
        self._again = False
        if self.vm is not None:
            self._asking = asyncio.create_task(self._ask(self.vm.ref), name="snapshots")

    async def _ask(self, ref: Ref) -> None:
        try:
            backend = self._boxtop.session.backend(ref.engine)
            able = backend.ability(Snapshots) if backend else None
            if able is None:
                raise ActionError(f"{ref.engine} has no snapshots to show")
            tree, failure = await able.tree(ref), ""
        except (ActionError, EngineError) as error:
            tree, failure = None, reason_of(error)
        except Exception:
            log.exception("snapshots")
            tree, failure = None, "this failed inside boxtop: see the log"
        if self.vm is not None and self.vm.ref == ref:
            self.found, self.failure = tree or self.found, failure
            self.draw()
        if self._again or (self.vm is not None and self.vm.ref != ref):
            self._asking = None
            self.ask()

    def take_in(self, ref: Ref, tree: SnapshotTree) -> None:
        """Show this tree, which was read just now."""
        if self.vm is not None and self.vm.ref == ref:
            self.found, self.failure = tree, ""
            self.draw()

    def focus_content(self) -> None:
        self.table.focus()

    def left(self) -> None:
        for timer in (self._due, self._aging):
            if timer is not None:
                timer.stop()
        self._due = self._aging = None

    def apply(self, delta: Delta) -> None:
        if self.vm is None:
            return
        now = self._boxtop.store.get(self.vm.ref)
        if now is None:
            self.found, self.failure = None, "the VM is gone"
            self.draw()
        elif isinstance(now, VM) and self.vm.ref in delta.refs and (now != self.vm or not delta.usage):
            changed = now != self.vm
            self.vm = now
            if changed:
                self.ask()
            self.draw()
        elif delta.engines and self.failure:
            self.ask()

    # -- drawing ------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        vm = self.vm
        if vm is None or not self.display or not self.is_attached:
            return
        look = self._boxtop.look()
        self.facts.display = self.size.height >= _LOW
        self._draw_title()
        if self.found is None:
            self.table.set_message([(self.failure or "asking the engine ...", "error" if self.failure else "dim")])
            self.table.set_rows([])
            self.facts.set_facts([])
            self.post_message(self.Changed())
            return
        self.table.set_rows(rows_of(self.found, vm, look.now, look.glyphs))
        if self._to_select is not None:
            self.table.select(self._to_select)
            self._to_select = None
        self._draw_facts()
        if self._aging is None:
            self._aging = self.set_interval(_AGES, self._draw_ages)

    def _draw_ages(self) -> None:
        """Draw those rows anew whose ages read differently by now."""
        if self.vm is None or self.found is None or not self.display:
            return
        look = self._boxtop.look()
        rows = rows_of(self.found, self.vm, look.now, look.glyphs)
        self.table.update_rows([row for row, old in zip(rows, self.table.rows, strict=False) if row != old])

    def _draw_title(self) -> None:
        vm, tree = self.vm, self.found
        if vm is None:
            return
        count = len(tree.snapshots) if tree else vm.snapshots
        left = [
            Part(" Snapshots ", "accent"),
            Part(vm.name, "strong"),
            Part(f"  {count or 'none yet'}", "dim"),
            Part(f"  on {vm.ref.engine}", "dim", priority=2),
        ]
        right = []
        if task := self.under_way:
            share = f" {percent(task.share, cores=False)}" if task.share is not None else ""
            right.append(Part(f"{task.verb}: {task.at.text or 'waiting'}{share} ", "info"))
        elif self.failure:
            right.append(Part(f"{self.failure} ", "error"))
        self._title.set_parts(left, right)

    def _draw_facts(self) -> None:
        self.post_message(self.Changed())
        if self.found is not None:
            self.facts.set_facts(about(self.selected, self.found), keep_scroll=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def _told(self) -> None:
        if self.is_attached and self.display and self._due is None and self.vm is not None:
            self._due = self.set_timer(_EACH, self._draw_due)

    def _draw_due(self) -> None:
        self._due = None
        self._draw_title()
        self.post_message(self.Changed())

    @on(Table.Selected)
    def _selected(self, event: Table.Selected) -> None:
        event.stop()
        self._draw_facts()
