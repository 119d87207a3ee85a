"""The help screen, from the declaration of commands."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.commands import Scope, sections
from tui.formats import described
from tui.keymap import Keymap
from widgets.facts import Fact, Facts, Heading
from widgets.glyphs import Glyphs
from widgets.line import Line, Part

_MOVING = (
    ("↑ ↓ j k", "move"),
    ("g G Home End", "first and last row"),
    ("PgUp PgDn", "by a page"),
)
_NOTES = (
    "CPU is given in per cent of one core, as docker stats does: 200% are two busy cores. "
    "The line on top is per cent of the whole machine.",
    "Memory of a container leaves out file cache that can be given back, as docker stats does.",
    "A word in the filter must occur in the row; -word must not.",
    "Nothing is deleted, killed, powered off or reset without asking; the safe answer has the focus.",
    "K and d act on all marked rows; the question names each of them.",
)


class Help(ModalScreen[None]):
    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > Vertical { width: 90%; max-width: 110; height: 90%; background: $surface; border: round $primary; }
    Help Line { height: 1; }
    Help Facts { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,f1", "close", "Close")]

    def __init__(self, keymap: Keymap, glyphs: Glyphs, here: str = "") -> None:
        """`here`: the view the user came from, whose own keys come first."""
        super().__init__()
        self._here = here
        self._keymap = keymap
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Line(id="help-title", glyphs=self._glyphs)
            yield Facts(id="help-facts", glyphs=self._glyphs)

    def on_mount(self) -> None:
        self.query_one(Line).set_parts([Part(" boxtop: keys", "strong")], [Part("Esc closes ", "dim")])
        lines: list[Fact | Heading] = []
        for heading, commands in sections(self._keymap.commands, self._here):
            lines.append(Heading(heading))
            if heading == Scope.LIST.value:
                lines += [Fact(keys, text) for keys, text in _MOVING]
            lines += [Fact(self._keymap.text(found) or "–", described(found.label, found.help)) for found in commands]
        lines.append(Heading("Good to know"))
        lines += [Fact("", note) for note in _NOTES]
        facts = self.query_one(Facts)
        facts.set_facts(lines)
        facts.focus()

    def action_close(self) -> None:
        if self.is_current:
            self.dismiss()
