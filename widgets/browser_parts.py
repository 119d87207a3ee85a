"""What a file browser is made of beside its list: the filter, the toggle, its actions and its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.controls import Toggle
from widgets.line_input import again
from widgets.prompt import Prompt


class BrowseError(Exception):
    """A folder cannot be listed; the text says why in one line."""


@dataclass(frozen=True, slots=True)
class BrowseAction:
    """Something else to do here, by a button and a key. `key` is Textual's name, `shown` what a user calls it."""

    id: str
    label: str
    key: str
    shown: str


class Find(Prompt):
    """The filter, or a path where it begins like one; with nothing typed, Backspace and left go up, right goes in."""

    # A LineInput answers its own keys at once, so that what is typed right behind goes to the path
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+l", "screen.focus_path", "Path", show=False)]

    class Up(Message):
        pass

    class In(Message):
        pass

    # Textual calls those of the classes below after this
    async def _on_key(self, event: events.Key) -> None:
        if self.screen.focused is not self:
            event.stop()
            event.prevent_default()
            self.app.post_message(again(event))

    def action_delete_left(self) -> None:
        if self.value:
            super().action_delete_left()
        else:
            self._tell(self.Up())

    def action_cursor_left(self, select: bool = False) -> None:
        if self.value:
            super().action_cursor_left(select)
        else:
            self._tell(self.Up())

    def action_cursor_right(self, select: bool = False) -> None:
        if self.value:
            super().action_cursor_right(select)
        else:
            self._tell(self.In())

    def _tell(self, message: Message) -> None:
        self.wait_for_owner()
        self.post_message(message)


def is_path(typed: str) -> bool:
    """Whether what is typed to find something is a path to go to instead."""
    return typed.startswith(("/", "~"))


class Hidden(Toggle):
    """Whether names that begin with a dot are shown."""

    class Changed(Message):
        pass

    def action_activate(self) -> None:
        super().action_activate()
        self.post_message(self.Changed())
