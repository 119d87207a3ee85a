"""What a tab of the details is: drawn and at work only while it is in view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from backends.model import Item
from tui.commands import Here, Rights
from tui.tabs import TabSpec
from widgets.keybar import Hint

if TYPE_CHECKING:
    from tui.details import Details


class Tab(Vertical):
    """`frame` gives what it needs: `look()`, `interval`, `able(engine, ability)`, `inspected(item)`, `boxtop`."""

    finds: ClassVar[str] = ""
    """What `/` asks for in it, as the input's placeholder; empty: `/` is the list's filter there too."""

    DEFAULT_CSS = """
    Tab { height: 1fr; }
    Tab > Line { height: 1; }
    """

    def __init__(self, spec: TabSpec, frame: Details, *content: Widget) -> None:
        super().__init__(*content, id=f"tab-{spec.id}")
        self.spec = spec
        self.frame = frame

    @property
    def place(self) -> str:
        """What `Command.where` calls it."""
        return f"tab.{self.spec.id}"

    def draw(self, item: Item) -> None:
        """Draw this object as it is now: when the tab comes into view, and whenever the object or a figure changed."""
        raise NotImplementedError

    def main_widget(self) -> Widget:
        """What takes the keyboard."""
        raise NotImplementedError

    def left(self) -> None:
        """It is out of view: end what it asks or follows. May be called again and again."""

    def ask_again(self) -> None:
        """The user wants it fresh (R)."""

    def hints(self) -> Sequence[Hint]:
        """Its own keys for the footer, while it has the keyboard."""
        keymap = self.frame.boxtop.keymap
        own = keymap.hints_in(self.place, Here(), Rights(), ())
        return [*own, *keymap.hints_of(*(["list.filter"] if self.finds else []))]

    def find(self, text: str, *, done: bool) -> str:
        """What was typed after `/`: at each letter, then `done` with Enter. What to tell the user, or nothing."""
        del text, done
        return ""

    @property
    def finding(self) -> str:
        """What the input begins with."""
        return ""

    def stop_finding(self) -> None:
        """Esc while typing."""

    def step_match(self, by: int) -> str:
        """The next match, or the one before; what to tell the user, or nothing."""
        del by
        return "n and N go through the matches of a search in Inspect: press i, then /."

    def back(self) -> bool:
        """Esc: one step back within the tab; False when there is none."""
        return False

    def copied(self) -> tuple[str, str] | None:
        """What `c` copies from here: (text, what it is, e.g. `value`); None: the object's name, as in the list.

        Of a secret the second is `secret`, and the text is not repeated on screen. Without a text the second says why.
        """
        return None

    def run_hint(self, hint_id: str) -> None:
        """A click on a hint that is no command."""
