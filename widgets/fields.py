"""The fields of a form: what is declared, and the control that stands for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from widgets.controls import Control, Toggle
from widgets.glyphs import BRAILLE, Glyphs
from widgets.line_input import LineInput
from widgets.text import plain
from widgets.tones import Tone

Value = str | bool | tuple[str, ...]
Values = Mapping[str, Value]
"""By field id: a text, a toggle's bool, or the entries of a field of lines."""

_MOST_LINES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class TextField:
    """One line of text. Its value comes stripped of blanks around it, a secret one exactly as typed."""

    id: str
    label: str
    value: str = ""
    placeholder: str = ""
    help: str = ""
    secret: bool = False
    browse: str = ""
    """`file`, `folder` or `save`: a path that can be browsed for; empty: none."""


@dataclass(frozen=True, slots=True)
class LinesField:
    """Several entries, one a line; blank lines are no entries."""

    id: str
    label: str
    value: tuple[str, ...] = ()
    placeholder: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceField:
    """One of a few values; without a `value` the first of its options."""

    id: str
    label: str
    options: tuple[tuple[str, str], ...]
    """(value, label)."""
    value: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class ToggleField:
    """Yes or no."""

    id: str
    label: str
    value: bool = False
    help: str = ""


Field = TextField | LinesField | ChoiceField | ToggleField


class FieldChanged(Message):
    """A choice or a toggle has another value."""


class TextControl(LineInput):
    """The control of a TextField."""

    DEFAULT_CSS = """
    TextControl { width: 1fr; height: 1; border: none; padding: 0 1 !important; background: $panel; }
    """

    def __init__(self, field: TextField) -> None:
        super().__init__(
            field.value,
            placeholder=plain(field.placeholder),
            password=field.secret,
            compact=True,
            select_on_focus=False,
        )
        self.cursor_blink = False
        self._secret = field.secret

    @property
    def entered(self) -> Value:
        return self.value if self._secret else plain(self.value).strip()

    @entered.setter
    def entered(self, value: Value) -> None:
        self.value = value if isinstance(value, str) else ""
        self.cursor_position = len(self.value)

    def suggest(self, text: str) -> None:
        """Take over what was picked from the field's list."""
        self.entered = text


class LinesControl(TextArea):
    """The control of a LinesField; the arrows leave it at its first and last line."""

    DEFAULT_CSS = f"""
    LinesControl {{
        width: 1fr; height: auto; min-height: 1; max-height: {_MOST_LINES_SHOWN};
        border: none; padding: 0 1; background: $panel; scrollbar-size-vertical: 1;
    }}
    LinesControl:focus {{ border: none; }}
    LinesControl .text-area--cursor-line {{ background: $panel; }}
    """

    def __init__(self, field: LinesField) -> None:
        super().__init__(
            "\n".join(plain(entry) for entry in field.value),
            placeholder=plain(field.placeholder),
            soft_wrap=False,
            compact=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
        )
        self.cursor_blink = False
        self.move_cursor(self.document.end)

    @property
    def _entries(self) -> tuple[str, ...]:
        return tuple(entry for line in self.text.split("\n") if (entry := plain(line).strip()))

    @property
    def entered(self) -> Value:
        return self._entries

    @entered.setter
    def entered(self, value: Value) -> None:
        self.load_text("\n".join(value) if isinstance(value, tuple) else "")
        self.move_cursor(self.document.end)

    def suggest(self, text: str) -> None:
        """One more entry, picked from the field's list."""
        self.entered = (*self._entries, text)

    def action_cursor_up(self, select: bool = False) -> None:
        if self.cursor_at_first_line and not select:
            self.screen.focus_previous()
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if self.cursor_at_last_line and not select:
            self.screen.focus_next()
        else:
            super().action_cursor_down(select)


class ChoiceControl(Control):
    """The control of a ChoiceField: left, right and Space step through the options, Enter or a click shows them all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "step(1)", "Next", id="choice.next", show=False),
        Binding("left", "step(-1)", "Previous", id="choice.previous", show=False),
    ]

    class Opened(Message):
        """The whole list is wanted."""

        def __init__(self, choice: ChoiceControl) -> None:
            super().__init__()
            self.choice = choice

    DEFAULT_CSS = """
    ChoiceControl { width: 1fr; background: $panel; }
    """

    def __init__(self, field: ChoiceField, *, glyphs: Glyphs = BRAILLE) -> None:
        super().__init__(glyphs=glyphs)
        self.options = field.options
        self._at = next((at for at, (value, _) in enumerate(field.options) if value == field.value), 0)

    @property
    def entered(self) -> Value:
        return self.options[self._at][0] if self.options else ""

    @entered.setter
    def entered(self, value: Value) -> None:
        at = next((at for at, (option, _) in enumerate(self.options) if option == value), self._at)
        if at != self._at:
            self._at = at
            self.repaint()
            self.post_message(FieldChanged())

    def face(self) -> tuple[str, Tone]:
        label = plain(self.options[self._at][1]) if self.options else ""
        return (f" <{label}> " if self.has_focus else f"  {label}  "), ""

    def action_step(self, step: int) -> None:
        if self.options:
            self.entered = self.options[(self._at + step) % len(self.options)][0]

    def action_activate(self) -> None:
        self.post_message(self.Opened(self))


class ToggleControl(Toggle):
    """The control of a ToggleField."""

    DEFAULT_CSS = """
    ToggleControl { width: 1fr; background: $panel; }
    """

    def __init__(self, field: ToggleField, *, glyphs: Glyphs = BRAILLE) -> None:
        super().__init__("", field.value, glyphs=glyphs)

    @property
    def entered(self) -> Value:
        return self.value

    @entered.setter
    def entered(self, value: Value) -> None:
        if self.value is not bool(value):
            self.action_activate()

    def action_activate(self) -> None:
        super().action_activate()
        self.post_message(FieldChanged())

    def on_click(self, event: events.Click) -> None:
        self.focus()
        super().on_click(event)


FieldControl = TextControl | LinesControl | ChoiceControl | ToggleControl


def control_of(field: Field, glyphs: Glyphs) -> FieldControl:
    """The control that stands for a field."""
    match field:
        case TextField():
            return TextControl(field)
        case LinesField():
            return LinesControl(field)
        case ChoiceField():
            return ChoiceControl(field, glyphs=glyphs)
        case ToggleField():
            return ToggleControl(field, glyphs=glyphs)
