"""What the views of logs share: a title, the lines, and an entry line to search them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from backends.log_text import pieces, plain, searched
from tui.log_pattern import Pattern, in_turns
from tui.view import View
from widgets.line import Line, Part
from widgets.log_view import LogView
from widgets.prompt import Prompt
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_MOST_COPIED = 200_000
SEARCH = "search: words, or /regular expression/; Enter, then n and N"


class LogFrame(View):
    DEFAULT_CSS = """
    LogFrame > Line { background: $surface; }
    LogFrame > Input { height: 1; border: none; padding: 0 1; }
    """

    def __init__(self, app: BoxtopApp, name: str) -> None:
        super().__init__(id=f"{name}-view")
        self._boxtop = app
        glyphs = app.look().glyphs
        self._title = Line(glyphs=glyphs)
        self.log_view = LogView(pieces, id=name, glyphs=glyphs)
        self.entry = Prompt(placeholder=SEARCH, id=f"{name}-entry")
        self.entry.cursor_blink = False
        self.entry.display = False
        self.search = Pattern()

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.log_view
        yield self.entry

    def focus_content(self) -> None:
        self.log_view.focus()

    def draw_title(self) -> None:
        """Draw what stands above the lines."""
        raise NotImplementedError

    @on(LogView.Moved)
    def _moved(self, event: LogView.Moved) -> None:
        event.stop()
        self.draw_title()

    @property
    def following_part(self) -> Part:
        """Whether the end is followed, for the title."""
        state: tuple[str, Tone] = ("  following ", "ok") if self.log_view.following else ("  held ", "warn")
        return Part(*state)

    # -- what is typed ------------------------------------------------------------------------------------------

    def ask_search(self) -> None:
        self._ask(SEARCH, self.search.typed)

    def _ask(self, placeholder: str, value: str) -> None:
        self.entry.placeholder = placeholder
        self.entry.value = value
        self.entry.display = True
        self._boxtop.main.set_focus(self.entry)

    def _close_entry(self) -> None:
        if self.entry.display:
            self.entry.display = False
            if self.log_view.is_attached:
                self.log_view.focus()

    @on(Input.Submitted)
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            # In a thread: some expressions take long to be read
            pattern = await asyncio.to_thread(self._read, event.value)
        except ValueError as error:
            self._boxtop.main.say(str(error), "warn")
            self.entry.stay_open()
            return
        self._close_entry()
        await self._take_pattern(pattern)

    def _read(self, typed: str) -> Pattern:
        """Raises ValueError."""
        return Pattern(typed)

    async def _take_pattern(self, pattern: Pattern) -> None:
        self.set_search(pattern)
        if pattern.active:
            await self.step_match(-1)

    def set_search(self, pattern: Pattern) -> None:
        self.search = pattern
        self.log_view.set_search(pattern.expression)
        self.draw_title()

    async def step_match(self, by: int) -> None:
        """The next match after the selected line, or the screen's first; with -1 the one before, or the newest."""
        expression = self.search.expression
        if expression is None:
            self._boxtop.main.say("Nothing is searched for: press / first.")
            return
        view, ring = self.log_view, self.log_view.ring
        if view.selected is not None:
            start = ring.place(view.selected[0]) + by
        elif by > 0 and view.first_on_screen is not None:
            start = ring.place(view.first_on_screen)
        else:
            start = ring.count - 1
        for number, late in in_turns(ring.numbers(start, by)):
            if late:
                await asyncio.sleep(0)
            at = number - ring.base
            if 0 <= at < len(ring) and expression.search(searched(ring.texts[at])):
                view.show_line(number)
                return
        where = "below" if by > 0 else "above"
        self._boxtop.main.say(self.search.gave_up or f"No match of {self.search.typed} {where}.")

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

    # -- the rest -----------------------------------------------------------------------------------------------

    def toggle_wrap(self) -> None:
        view = self.log_view
        view.set_look(replace(view.look, wrap=not view.look.wrap))

    def chosen_text(self) -> str:
        """The selected lines, or those on screen, as clean text."""
        ring = self.log_view.ring
        texts: list[str] = []
        left = _MOST_COPIED
        for number in self.log_view.chosen():
            if not 0 <= number - ring.base < len(ring):
                continue
            text = plain(ring.texts[number - ring.base])
            left -= len(text) + 1
            if left < 0:
                break
            texts.append(text)
        return "\n".join(texts)
