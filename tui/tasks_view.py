"""Background tasks on screen: the list, and beside it the parts and the output of the selected one."""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.timer import Timer

from tui.commands import Here
from tui.rows.fields import Look
from tui.rows.tasks import COLUMNS, heads_of, lines_of, row_of
from tui.tasks import Task, Tasks, TaskState
from tui.view import View
from widgets.line import Line, Part
from widgets.table import Table
from widgets.worklog import WorkLog

_WIDE = 120
_EACH = 0.2
"""Seconds between two drawings at least, however much is told."""
_ELAPSED = 1.0


class TasksView(View):
    place = "tasks"

    DEFAULT_CSS = """
    TasksView > .title { background: $surface; }
    TasksView > #tasks-body { height: 1fr; layout: vertical; }
    TasksView #tasks-output { height: 3fr; }
    TasksView #tasks { height: 2fr; }
    TasksView #tasks-about { background: $surface; height: 1; }
    TasksView > #tasks-body.wide { layout: horizontal; }
    TasksView > #tasks-body.wide > #tasks { width: 4fr; height: 1fr; }
    TasksView > #tasks-body.wide > #tasks-output { width: 3fr; height: 1fr; border-left: solid $surface-lighten-2; }
    """

    def __init__(self, tasks: Tasks, look: Callable[[], Look]) -> None:
        super().__init__(id="tasks-view")
        self._tasks = tasks
        self._look = look
        glyphs = look().glyphs
        self._title = Line(classes="title", glyphs=glyphs)
        self.table = Table(COLUMNS, id="tasks", glyphs=glyphs)
        self.table.set_message(
            [
                ("Nothing was started in the background yet.", "dim"),
                ("Pulls, pushes, builds, copies and the like are listed here.", "dim"),
            ]
        )
        self._about = Line(id="tasks-about", glyphs=glyphs)
        self.output = WorkLog(id="tasks-log", glyphs=glyphs)
        self._due: Timer | None = None
        self._elapsed: Timer | None = None
        self._entering = True
        self._known: set[int] = set()
        tasks.listen(self._told)

    def compose(self) -> ComposeResult:
        yield self._title
        with Container(id="tasks-body"):
            yield self.table
            with Vertical(id="tasks-output"):
                yield self._about
                yield self.output

    @property
    def current(self) -> Task | None:
        return self._tasks.named(self.table.cursor_key)

    @property
    def here(self) -> Here:
        task = self.current
        return Here(task, task.engine if task else "")

    def focus_content(self) -> None:
        self.table.focus()

    def back(self) -> bool:
        if self.output.has_focus:
            self.table.focus()
            return True
        return False

    def left(self) -> None:
        for timer in (self._due, self._elapsed):
            if timer is not None:
                timer.stop()
        self._due = self._elapsed = None
        self._entering = True

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#tasks-body").set_class(event.size.width >= _WIDE, "wide")

    def draw(self) -> None:
        if not self.display or not self.is_attached:
            return
        look = self._look()
        now, glyphs = look.now, look.glyphs
        tasks = self._tasks.all
        at_work = [task for task in tasks if task.state is TaskState.RUNNING]
        waiting = sum(task.state is TaskState.WAITING for task in tasks)
        failed = sum(task.state is TaskState.FAILED for task in tasks)
        counts = f"  {len(at_work)} at work"
        counts += f", {waiting} waiting" if waiting else ""
        self._title.set_parts(
            [
                Part(" 8 Tasks", "accent"),
                Part(counts if tasks else "", "dim"),
                Part(f", {failed} failed" if failed else "", "error"),
            ]
        )
        # the newest on top; the cursor stays on its task
        self.table.set_rows([row_of(task, now, glyphs) for task in reversed(tasks)])
        # who comes here after something was started or failed looks for that
        if self._entering and tasks and tasks[-1].id not in self._known:
            self.table.select(tasks[-1].id)
        self._entering = False
        self._known = {task.id for task in tasks}
        self._draw_output()
        if at_work and self._elapsed is None:
            self._elapsed = self.set_timer(_ELAPSED, self._second_passed)

    def _draw_output(self) -> None:
        self.post_message(self.Changed())
        task = self.current
        glyphs = self._look().glyphs
        if task is None:
            self._about.set_parts([])
            self.output.show(None, [], [])
            return
        self._about.set_parts([Part(f" {task.title}", "strong")])
        self.output.show(task.id, heads_of(task, self._look().now), lines_of(task, glyphs))

    def _told(self) -> None:
        if self.is_attached and self.display and self._due is None:
            self._due = self.set_timer(_EACH, self._draw_due)

    def _draw_due(self) -> None:
        self._due = None
        self.draw()

    def _second_passed(self) -> None:
        self._elapsed = None
        self.draw()

    @on(Table.Selected)
    def _selected(self, event: Table.Selected) -> None:
        event.stop()
        self._draw_output()

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        self.output.focus()
