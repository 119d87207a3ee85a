"""A view that takes the place of the lists: made when it is first shown, drawn only while it is shown."""

from __future__ import annotations

from typing import ClassVar

from textual.message import Message
from textual.widget import Widget

from tui.commands import Here
from tui.store import Delta


class View(Widget):
    """`place` is its name: in `MainScreen.show_view`, and in `Command.where` of the commands that are its own."""

    place: ClassVar[str]

    class Changed(Message):
        """What is selected in it is another now, or in another state: its commands' keys may mean something else."""

    DEFAULT_CSS = """
    View { layout: vertical; height: 1fr; }
    View > Line { height: 1; }
    """

    def focus_content(self) -> None:
        """Give the keyboard to its main part."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw it as it is now; called when it is shown and when the layout changed."""

    def apply(self, delta: Delta) -> None:
        """Something in the store changed while it is shown."""
        del delta

    def back(self) -> bool:
        """One step back within the view; False when there is none, and the view is left."""
        return False

    @property
    def here(self) -> Here:
        """What its own commands depend on now."""
        return Here()

    @property
    def takes_keys(self) -> bool:
        """Whether every key is for what it shows, and no command runs but the one that ends this."""
        return False

    def left(self) -> None:
        """Another view takes its place: end what it follows."""
