"""What a file browser is made of beside its list: the filter, the toggle, its actions and its error."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from widgets.controls import Toggle
from widgets.line_input import LineInput


class BrowseError(Exception):
    """A folder cannot be listed; the text says why in one line."""


@dataclass(frozen=True, slots=True)
class BrowseAction:
    """Something else to do here, by a button and a key. `key` is Textual's name, `shown` what a user calls it."""

    id: str
    label: str
    key: str
    shown: str


class Find(LineInput):
    """The filter: with nothing typed, Backspace and left go up, and a path typed goes to the path field."""

    class Up(Message):
        pass

    class In(Message):
        pass

    class Path(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def action_delete_left(self) -> None:
        if self.value:
            super().action_delete_left()
        else:
            self.post_message(self.Up())

    def action_cursor_left(self, select: bool = False) -> None:
        if self.value:
            super().action_cursor_left(select)
        else:
            self.post_message(self.Up())

    def action_cursor_right(self, select: bool = False) -> None:
        if self.value:
            super().action_cursor_right(select)
        else:
            self.post_message(self.In())

    def insert_text_at_cursor(self, text: str) -> None:
        if not self.value and text.startswith(("/", "~")):
            self.post_message(self.Path(text))
        else:
            super().insert_text_at_cursor(text)


class Hidden(Toggle):
    """Whether names that begin with a dot are shown."""

    class Changed(Message):
        pass

    def action_activate(self) -> None:
        super().action_activate()
        self.post_message(self.Changed())
