"""The question before something is lost: the safe answer has the focus, no letter answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from widgets.controls import Control, Push, ScrollingText, Toggle
from widgets.glyphs import BRAILLE, Glyphs
from widgets.line import Line, Part
from widgets.line_input import LineInput
from widgets.text import width_of
from widgets.tones import Tone

_GAP = 2
_FRAME = 4
"""Cells the border and the padding take of the box's width; of its height they take two."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. One that `needs_typed` is disabled until the typed name is exact."""

    id: str
    label: str
    tone: Tone = ""
    needs_typed: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A box to check beside the choices."""

    id: str
    label: str
    value: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The choice made, and the ids of the options that were checked."""

    choice: str
    options: frozenset[str]


class Confirm(ModalScreen[Answer | None]):
    """Dismissed with the answer, or None on Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="confirm.cancel", show=False),
        Binding("right", "focus_step(1)", "Next", id="confirm.next", show=False),
        Binding("left", "focus_step(-1)", "Previous", id="confirm.previous", show=False),
        Binding("down", "focus_step(1)", "Next", id="confirm.down", show=False),
        Binding("up", "focus_step(-1)", "Previous", id="confirm.up", show=False),
        Binding("pagedown", "scroll(1)", "Scroll down", id="confirm.scroll_down", show=False),
        Binding("pageup", "scroll(-1)", "Scroll up", id="confirm.scroll_up", show=False),
    ]

    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > #confirm-box {
        width: 76; max-width: 98%; height: auto; max-height: 100%;
        border: round $border; background: $surface; padding: 0 1;
    }
    Confirm LineView { background: $surface; }
    Confirm Line { width: 100%; }
    Confirm ScrollingText { width: 100%; }
    Confirm Toggle { width: 100%; }
    Confirm Input { width: 100%; height: 1; border: none; padding: 0 1; background: $panel; }
    Confirm #confirm-choices { width: 100%; height: 1; layout: horizontal; align-horizontal: right; }
    Confirm #confirm-choices Push { margin-left: 2; }
    Confirm #confirm-choices.stacked { height: auto; layout: vertical; }
    """

    def __init__(
        self,
        title: str,
        lines: Sequence[tuple[str, Tone]],
        *,
        choices: Sequence[Choice],
        options: Sequence[Option] = (),
        typed: str = "",
        safe: str,
        glyphs: Glyphs = BRAILLE,
    ) -> None:
        super().__init__()
        if safe not in {choice.id for choice in choices}:
            raise ValueError(f"no choice is called {safe!r}")
        self._title = title
        self._texts = tuple(lines)
        self._choices = tuple(choices)
        self._options = tuple(options)
        self._typed = typed
        self._safe = safe
        self._glyphs = glyphs
        self._ended = False
        self._pushes: dict[str, Push] = {}
        self._toggles: dict[str, Toggle] = {}

    def compose(self) -> ComposeResult:
        glyphs = self._glyphs
        with Vertical(id="confirm-box"):
            yield Line(id="confirm-title", glyphs=glyphs)
            yield ScrollingText(self._texts, glyphs=glyphs)
            for option in self._options:
                toggle = self._toggles[option.id] = Toggle(option.label, option.value, glyphs=glyphs)
                yield toggle
            if self._typed:
                yield Line(id="confirm-ask", glyphs=glyphs)
                entry = LineInput(compact=True, placeholder="type it here", select_on_focus=False)
                entry.cursor_blink = False
                yield entry
            with Container(id="confirm-choices"):
                for choice in self._choices:
                    push = self._pushes[choice.id] = Push(choice.label, choice.tone, glyphs=glyphs)
                    push.disabled = choice.needs_typed
                    yield push

    def on_mount(self) -> None:
        if self._typed:
            locked = " / ".join(choice.label for choice in self._choices if choice.needs_typed)
            self.query_one("#confirm-ask", Line).set_parts([Part(f"For {locked}, type: ", "warn"), Part(self._typed)])
        self._fit()
        self._pushes[self._safe].focus()

    def on_resize(self) -> None:
        self._fit()
        self._tell_position()

    def _fit(self) -> None:
        width, height = self.app.size
        inner = min(76, width * 98 // 100) - _FRAME
        row = sum(width_of(choice.label) + 4 + _GAP for choice in self._choices)
        stacked = row > inner
        self.query_one("#confirm-choices").set_class(stacked, "stacked")
        others = 3 + len(self._options) + (2 if self._typed else 0) + (len(self._choices) if stacked else 1)
        text = self.query_one(ScrollingText)
        text.styles.height = max(1, min(len(text.wrapped(inner)), height - others))
        self.call_after_refresh(self._tell_position)

    @on(ScrollingText.Scrolled)
    def _tell_position(self) -> None:
        text = self.query_one(ScrollingText)
        right: list[Part] = []
        if text.overflowing:
            last = min(text.top + text.page, text.total_lines())
            right = [Part(f"{text.top + 1}-{last} of {text.total_lines()}, PgUp/PgDn", "dim", priority=1)]
        self.query_one("#confirm-title", Line).set_parts([Part(self._title, "strong")], right)

    @on(Input.Changed)
    def _unlock(self, event: Input.Changed) -> None:
        event.stop()
        for choice in self._choices:
            if choice.needs_typed:
                self._pushes[choice.id].disabled = event.value != self._typed

    @on(Input.Submitted)
    def _typed_out(self, event: Input.Submitted) -> None:
        """Enter in the field only moves on to what it unlocked: a second Enter is the answer."""
        event.stop()
        for choice in self._choices:
            if choice.needs_typed and not self._pushes[choice.id].disabled:
                self._pushes[choice.id].focus()
                return

    @on(Push.Pressed)
    def _answer(self, event: Push.Pressed) -> None:
        event.stop()
        checked = frozenset(option_id for option_id, toggle in self._toggles.items() if toggle.value)
        for choice in self._choices:
            if self._pushes[choice.id] is event.push and not event.push.disabled:
                self._end(Answer(choice.id, checked))
                return

    def on_key(self, event: events.Key) -> None:
        """What is typed goes to the field that wants it, wherever the focus is."""
        if self._typed and event.is_printable and event.character:
            if event.key == "space" and isinstance(self.focused, Control):
                return
            self._to_field(event.character)
            event.stop()

    def on_paste(self, event: events.Paste) -> None:
        """So does what is pasted."""
        if self._typed and event.text:
            self._to_field(event.text.splitlines()[0])
            event.stop()

    def _to_field(self, text: str) -> None:
        entry = self.query_one(Input)
        # At once: a space that is typed right after belongs to the field, too. What the field takes never comes here.
        self.set_focus(entry)
        entry.insert_text_at_cursor(text)

    def action_focus_step(self, step: int) -> None:
        if step > 0:
            self.focus_next(f"{Control.__name__}, Input")
        else:
            self.focus_previous(f"{Control.__name__}, Input")

    def action_scroll(self, pages: int) -> None:
        text = self.query_one(ScrollingText)
        text.scroll_to_top(text.top + pages * max(1, text.page - 1))

    def action_cancel(self) -> None:
        self._end(None)

    def _end(self, answer: Answer | None) -> None:
        """Answer once: keys that come while the dialog closes mean nothing any more."""
        if not self._ended:
            self._ended = True
            self.dismiss(answer)
