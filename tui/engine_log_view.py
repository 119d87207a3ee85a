"""The log an engine writes of one VM: its end, followed as it grows, and searched."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from backends.abilities.engine_log import EngineLog, LogMark, LogPart
from backends.base import ActionError, EngineError
from backends.log_text import pieces, plain, searched
from backends.model import Item
from tui.handlers.area import reason_of
from tui.log_pattern import Pattern
from tui.selection import name_of
from tui.view import View
from widgets.line import Line, Part
from widgets.log_view import NOTE, LogView
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_AGAIN = 3.0
"""Seconds after a failure."""
_MOST_COPIED = 200_000


class EngineLogView(View):
    place: ClassVar[str] = "engine-log"

    DEFAULT_CSS = """
    EngineLogView > Line { background: $surface; }
    EngineLogView > Input { height: 1; border: none; padding: 0 1; }
    """

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(id="engine-log-view")
        self._boxtop = app
        glyphs = app.look().glyphs
        self._title = Line(glyphs=glyphs)
        self.log_view = LogView(pieces, id="engine-log", glyphs=glyphs)
        self.entry = Input(
            placeholder="search: words, or /regular expression/; Enter, then n and N", id="engine-log-entry"
        )
        self.entry.cursor_blink = False
        self.entry.display = False
        self.item: Item | None = None
        self.search = Pattern()
        self._place = ""
        self._failure = ""
        self._following: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.log_view
        yield self.entry

    def focus_content(self) -> None:
        self.log_view.focus()

    def show(self, item: Item) -> None:
        """Follow this VM's log from now on."""
        self._stop()
        self.item, self._place, self._failure = item, "", ""
        self.set_search(Pattern())
        self.log_view.ring.dropped = 0
        self.log_view.clear()
        self.log_view.follow(True)
        self.log_view.set_message("waiting for lines ...")
        self._following = asyncio.create_task(self._follow(item), name=f"log of {name_of(item)}")
        self.draw()

    def left(self) -> None:
        self._stop()
        self.log_view.clear()
        self._close_entry()

    def on_unmount(self) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            self._following = None

    async def _follow(self, item: Item) -> None:
        mark: LogMark | None = None
        while True:
            wait = _AGAIN
            try:
                found = await self._boxtop.main.details.able(item.ref.engine, EngineLog).read(item.ref, mark)
            except (ActionError, EngineError) as error:
                self._fail(reason_of(error))
            else:
                self._take(found)
                mark, wait = found.mark, found.again
            await asyncio.sleep(wait)

    def _fail(self, reason: str) -> None:
        if reason == self._failure:
            return
        self._failure = reason
        self.log_view.set_message(f"{reason}.", "warn")
        if len(self.log_view.ring):
            self._note(reason)
        self.draw()

    def _take(self, found: LogPart) -> None:
        if found.anew:
            self._note("begun anew")
        elif found.cut:
            self._note("older lines were left out")
        if found.lines:
            stamp = time.time_ns()
            self.log_view.add(found.lines, [stamp] * len(found.lines), [0] * len(found.lines))
        elif not len(self.log_view.ring):
            self.log_view.set_message("It is empty.")
        if found.lines or self._failure or found.place != self._place:
            self._place, self._failure = found.place, ""
            self.draw()

    def _note(self, text: str) -> None:
        self.log_view.add([text.encode()], [time.time_ns()], [NOTE])

    @on(LogView.Moved)
    def draw(self) -> None:
        if self.item is None or not self.is_attached:
            return
        ring = self.log_view.ring
        left = [
            Part(" Engine's log", "accent"),
            Part(f"  {name_of(self.item)}", "strong"),
            Part(f"  {self._place}", "dim", priority=2),
        ]
        right = [Part(f"{len(ring):,} lines", "dim", priority=3)]
        if ring.dropped:
            right.append(Part(f"  {ring.dropped:,} dropped", "warn", priority=4))
        if self.search.active:
            right.append(Part(f"  /{self.search.typed}", "info", priority=1))
        state: tuple[str, Tone] = ("  following ", "ok") if self.log_view.following else ("  held ", "warn")
        right.append(Part(*(("  cannot be read ", "warn") if self._failure else state)))
        self._title.set_parts(left, right)

    # -- search ------------------------------------------------------------------------------------------------

    def ask_search(self) -> None:
        self.entry.value = self.search.typed
        self.entry.display = True
        self._boxtop.main.set_focus(self.entry)

    def _close_entry(self) -> None:
        if self.entry.display:
            self.entry.display = False
            if self.log_view.is_attached:
                self.log_view.focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            pattern = Pattern(event.value)
        except ValueError as error:
            self._boxtop.main.say(str(error), "warn")
            return
        self._close_entry()
        self.set_search(pattern)
        if pattern.active:
            self.step_match(-1)

    def set_search(self, pattern: Pattern) -> None:
        self.search = pattern
        self.log_view.set_search(pattern.expression)
        self.draw()

    def step_match(self, by: int) -> None:
        """The next match after the selected line, or the one before; at first the newest."""
        expression = self.search.expression
        if expression is None:
            self._boxtop.main.say("Nothing is searched for: press / first.")
            return
        view, ring = self.log_view, self.log_view.ring
        start = ring.count - 1 if by < 0 else 0
        if view.selected is not None:
            start = ring.place(view.selected[0]) + by
        for number in ring.numbers(start, by):
            at = number - ring.base
            if 0 <= at < len(ring) and expression.search(searched(ring.texts[at])):
                view.show_line(number)
                return
        self._boxtop.main.say(f"No match of {self.search.typed} {'below' if by > 0 else 'above'}.")

    def back(self) -> bool:
        """Esc: out of the input, the selection, the search."""
        if self.entry.display:
            self._close_entry()
            return True
        if self.log_view.unselect():
            return True
        if self.search.active:
            self.set_search(Pattern())
            return True
        return False

    def toggle_wrap(self) -> None:
        self.log_view.set_look(replace(self.log_view.look, wrap=not self.log_view.look.wrap))

    def chosen_text(self) -> str:
        """The selected lines, or those on screen, as clean text."""
        ring = self.log_view.ring
        text = ""
        with suppress(IndexError):
            text = "\n".join(plain(ring.texts[number - ring.base]) for number in self.log_view.chosen())
        return text[:_MOST_COPIED]
