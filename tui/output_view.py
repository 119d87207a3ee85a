"""The output of a command of the user's, live: to scroll, to search, to cancel."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Input

from tui.commands import Here
from tui.formats import duration
from tui.rows.fields import Look
from tui.tasks import Task, Tasks, TaskState
from tui.view import View
from widgets.line import Line, Part
from widgets.log_view import LogView
from widgets.prompt import Prompt
from widgets.tones import Tone

_EACH = 0.15
"""Seconds between two drawings at least, however much comes."""
_ELAPSED = 1.0
_TONES: dict[TaskState, Tone] = {TaskState.DONE: "ok", TaskState.FAILED: "error", TaskState.CANCELLED: "warn"}


class OutputView(View):
    place = "output"

    DEFAULT_CSS = """
    OutputView > Line { background: $surface; }
    OutputView #output-search { height: 1; border: none; padding: 0 1; }
    """

    def __init__(self, tasks: Tasks, look: Callable[[], Look]) -> None:
        super().__init__(id="output-view")
        self._tasks = tasks
        self._look = look
        glyphs = look().glyphs
        self._title = Line(glyphs=glyphs)
        self.log_view = LogView(lambda raw: ((raw.decode(errors="replace"), ""),), id="output", glyphs=glyphs)
        self.entry = Prompt(placeholder="search: words as they are; Enter, then n and N", id="output-search")
        self.entry.display = False
        self.task_shown: Task | None = None
        self._taken = 0
        """So many lines of the task are in the log."""
        self._pattern: re.Pattern[str] | None = None
        self._due: Timer | None = None
        tasks.listen(self._told)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.log_view
        yield self.entry

    def focus_content(self) -> None:
        self.log_view.focus()

    @property
    def here(self) -> Here:
        return Here(self.task_shown)

    def watch_task(self, task: Task) -> None:
        """Show the output of this one from now on."""
        if task is not self.task_shown:
            self.task_shown, self._taken = task, 0
            self.log_view.clear()
        self.log_view.set_message("Nothing was written yet.")
        self.draw()

    def step(self, by: int) -> None:
        """The output of the next or the previous task."""
        tasks = self._tasks.all
        if tasks:
            at = tasks.index(self.task_shown) if self.task_shown in tasks else 0
            self.watch_task(tasks[(at + by) % len(tasks)])

    def draw(self) -> None:
        task = self.task_shown
        if task is None or not self.is_attached or not self.display:
            return
        self._take_lines(task)
        self.post_message(self.Changed())
        now = self._look().now
        about = str(task.state) if task.open else task.result
        dropped = f", {task.dropped} older lines dropped" if task.dropped else ""
        took = duration(task.took(now))
        self._title.set_parts(
            [
                Part(f" {task.title}", "strong"),
                Part(f"  {about}", _TONES.get(task.state, "accent")),
                Part(f"  {'for' if task.open else 'after'} {took}{dropped}", "dim", priority=1),
            ],
            [Part("follows " if self.log_view.following else "stays ", "dim", priority=2)],
        )
        if task.open and self._due is None:
            self._due = self.set_timer(_ELAPSED, self._draw_due)

    def _take_lines(self, task: Task) -> None:
        total = task.dropped + len(task.lines)
        fresh = min(total - self._taken, len(task.lines))
        self._taken = total
        if fresh > 0:
            lines = [line.encode(errors="replace") for line in list(task.lines)[-fresh:]]
            self.log_view.add(lines, [time.time_ns()] * fresh, [0] * fresh)

    def _told(self) -> None:
        if self.is_attached and self.display and self.task_shown is not None:
            if self._due is not None:
                if self._soon:
                    return
                self._due.stop()
            self._soon = True
            self._due = self.set_timer(_EACH, self._draw_due)

    _soon = False

    def _draw_due(self) -> None:
        self._due, self._soon = None, False
        self.draw()

    def left(self) -> None:
        if self._due is not None:
            self._due.stop()
        self._due, self._soon = None, False

    @on(LogView.Moved)
    def _moved(self, event: LogView.Moved) -> None:
        event.stop()
        self.draw()

    # -- looks and search --------------------------------------------------------------------------------------

    def toggle_wrap(self) -> None:
        self.log_view.set_look(replace(self.log_view.look, wrap=not self.log_view.look.wrap))

    def toggle_times(self) -> None:
        self.log_view.set_look(replace(self.log_view.look, timestamps=not self.log_view.look.timestamps))

    def ask_search(self) -> None:
        self.entry.value = ""
        self.entry.display = True
        self.entry.focus()

    @on(Input.Submitted)
    def _search(self, event: Input.Submitted) -> None:
        event.stop()
        self._end_search()
        self._pattern = re.compile(re.escape(event.value), re.IGNORECASE) if event.value else None
        self.log_view.set_search(self._pattern)
        self.find(-1, here=True)

    def _end_search(self) -> None:
        self.entry.display = False
        self.log_view.focus()

    def find(self, step: int, *, here: bool = False) -> bool:
        """Go to the next match, or with -1 the previous one; `here`: the nearest from the last line on screen."""
        pattern, ring = self._pattern, self.log_view.ring
        if pattern is None or not ring.count:
            return False
        selected = self.log_view.selected
        start = ring.place(selected[0]) + step if selected and not here else ring.count - 1
        places = [(start + step * offset) % ring.count for offset in range(ring.count)]
        for place in places:
            number = ring.number(place)
            if pattern.search(ring.texts[number - ring.base].decode(errors="replace")):
                self.log_view.show_line(number)
                return True
        return False

    def back(self) -> bool:
        if self.entry.has_focus:
            self._end_search()
            return True
        if self._pattern is not None:
            self._pattern = None
            self.log_view.set_search(None)
            self.log_view.unselect()
            return True
        return self.log_view.unselect()
