"""A modal list one types in to find, then picks from: the palette, the action menu, a choice of ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from widgets.dialog import Dialog
from widgets.glyphs import BRAILLE, Glyphs
from widgets.line import Line, Part
from widgets.line_input import LineInput
from widgets.lines import join
from widgets.matching import rank
from widgets.scrolling import ScrollingLines
from widgets.text import fit_runs, plain, width_of
from widgets.tones import Ground, Tone

_LEAST, _MOST = 72, 110
"""Cells the box is wide, as far as the screen has them."""
_FRAME = 5
"""Of those: border, padding and scroll bar."""


@dataclass(frozen=True, slots=True)
class PickItem:
    """Something to pick. One not `enabled` is dimmed, shows its `reason` in place of the hint, and is not picked."""

    id: str
    label: str
    hint: str = ""
    enabled: bool = True
    reason: str = ""

    @property
    def note(self) -> str:
        """What is said beside the label."""
        return plain(self.hint if self.enabled else f"({self.reason})" if self.reason else "(not now)")

    @property
    def width(self) -> int:
        """Cells it takes, with blanks around its two parts."""
        return width_of(plain(self.label)) + 2 + (width_of(self.note) + 1 if self.note else 0)


class PickList(ScrollingLines):
    """The items that match, one of them current."""

    DEFAULT_CSS = """
    PickList { height: auto; max-height: 100%; }
    """

    class Chosen(Message):
        """A click on an item."""

    def __init__(self, *, glyphs: Glyphs = BRAILLE) -> None:
        super().__init__(glyphs=glyphs)
        self.items: tuple[PickItem, ...] = ()
        self.cursor = 0

    def set_items(self, items: Sequence[PickItem]) -> None:
        """Other items; the first one that can be picked is current."""
        self.items = tuple(items)
        self.cursor = next((at for at, item in enumerate(self.items) if item.enabled), 0)
        self._top = 0
        self.follow_cursor()
        self.repaint()

    def move(self, lines: int) -> None:
        if self.items:
            self.cursor = max(0, min(self.cursor + lines, len(self.items) - 1))
            self.follow_cursor()
            self.repaint()

    @property
    def current(self) -> PickItem | None:
        return self.items[self.cursor] if self.items else None

    def cursor_line(self) -> int | None:
        return self.cursor if self.items else None

    def total_lines(self) -> int:
        return len(self.items)

    def body_line(self, index: int, width: int) -> Strip:
        item = self.items[index]
        ground: Ground = "cursor" if index == self.cursor else ""
        base, dim = self.ink("", ground), self.ink("dim", ground)
        note = item.note
        label = f" {plain(item.label)} "
        room = max(0, width - width_of(label)) if item.enabled else width - min(width_of(label), width // 2)
        note_width = min(width_of(note) + 1, room) if note else 0
        tone: Tone = "" if item.enabled else "dim"
        runs = fit_runs([(label, self.ink(tone, ground))], width - note_width, base, ellipsis=self.glyphs.ellipsis)
        runs += fit_runs([(note, dim)], note_width, base, ellipsis=self.glyphs.ellipsis)
        return Strip(join(runs), width)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.x < self.line_width and self.top + offset.y < len(self.items):
            self.cursor = self.top + offset.y
            self.repaint()
            self.post_message(self.Chosen())


class Picker(Dialog[str | None]):
    """Dismissed with the picked item's id, or None on Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="picker.cancel", show=False),
        Binding("down,ctrl+n", "move(1)", "Down", id="picker.down", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", "Up", id="picker.up", show=False, priority=True),
        Binding("pagedown", "move(10)", "Page down", id="picker.page_down", show=False, priority=True),
        Binding("pageup", "move(-10)", "Page up", id="picker.page_up", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    Picker { align: center middle; }
    Picker > Vertical {
        max-width: 94%; height: auto; max-height: 90%;
        border: round $border; background: $surface; padding: 0 1;
    }
    Picker > Vertical > Line { width: 100%; }
    Picker > Vertical > Input { width: 100%; border: none; padding: 0; height: 1; background: $surface; }
    Picker > Vertical > PickList { width: 100%; background: $surface; }
    """

    def __init__(self, title: str, items: Sequence[PickItem], *, glyphs: Glyphs = BRAILLE) -> None:
        super().__init__()
        self._ended = False
        self._title = title
        self._items = tuple(items)
        self._width = max(_LEAST, min(_MOST, _FRAME + max((item.width for item in self._items), default=0)))
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Line(id="picker-title", glyphs=self._glyphs)
            entry = LineInput(placeholder="type to find", compact=True)
            entry.cursor_blink = False
            yield entry
            yield PickList(glyphs=self._glyphs)

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Input))
        self._fit()
        self._show("")

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        # A fixed size: the box does not jump while one types.
        self.query_one(Vertical).styles.width = self._width
        self.query_one(PickList).styles.height = max(1, min(len(self._items), self.app.size.height * 9 // 10 - 5))

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    def _show(self, typed: str) -> None:
        found = rank(typed, self._items, lambda item: item.label, lambda item: item.hint)
        self.query_one(PickList).set_items(found)
        count = f"{len(found)} of {len(self._items)}"
        self.query_one("#picker-title", Line).set_parts([Part(self._title, "strong")], [Part(count, "dim", priority=1)])

    @on(Input.Submitted)
    @on(PickList.Chosen)
    def _pick(self, event: Message) -> None:
        event.stop()
        item = self.query_one(PickList).current
        if item is not None and item.enabled:
            self._end(item.id)

    def action_move(self, lines: int) -> None:
        self.query_one(PickList).move(lines)

    def action_cancel(self) -> None:
        self._end(None)

    def _end(self, picked: str | None) -> None:
        """Answer once: keys that come while the list closes mean nothing any more."""
        if not self._ended:
            self._ended = True
            self.dismiss(picked)
