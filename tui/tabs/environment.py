"""A container's environment variables; values that look secret are shown one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on
from textual.widget import Widget

from backends.model import Item
from backends.particulars import environment
from backends.secrets import walk
from tui.commands import BY_ID
from tui.tabs import TabSpec
from tui.tabs.filtered import FilteredTab
from widgets.confirm import Choice, Confirm
from widgets.line import Line, Part
from widgets.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    from tui.details import Details

_COLUMNS = (Column("name", "NAME", 14, flex=1), Column("value", "VALUE", 16, flex=2))
_ROW_LIMIT = 4096
"""Characters of a value that a row holds; no screen is wider."""


class EnvironmentTab(FilteredTab):
    DEFAULT_CSS = """
    EnvironmentTab > Line { background: $surface; }
    """

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        glyphs = frame.look().glyphs
        self.head = Line(glyphs=glyphs)
        self.table = Table(_COLUMNS, glyphs=glyphs)
        self._lines: tuple[str, ...] = ()
        self._of: object = None
        self._revealed: set[str] = set()
        """Lines `NAME=VALUE` that were asked for: another value of the same name was not."""
        self._message = ""
        super().__init__(spec, frame, self.head, self.table)

    async def ask(self, item: Item) -> tuple[str, ...]:
        return environment(await self.frame.inspected(item))

    def show_waiting(self) -> None:
        self._show(None, (), "asking the engine ...")

    def show_failure(self, reason: str) -> None:
        self._show(self._of, (), reason)

    def show_answer(self, item: Item, answer: Any) -> None:
        self._show(item.ref, tuple(answer), "")

    def refilter(self) -> None:
        passes = self.passes
        rows = []
        for number, line in enumerate(self._lines):
            name, _, value = self.shown(line).partition("=")
            if passes is None or passes(f"{name}={value}"):
                masked = self.masked(line) is not None and line not in self._revealed
                rows.append(Row(number, (Cell(name, "info"), Cell(value[:_ROW_LIMIT], "dim" if masked else ""))))
        rest = "No variable matches the filter: Esc clears it." if self._lines else "It has no environment variables."
        self.table.set_message([(self._message or rest, "dim")])
        self.table.set_rows(rows)
        self._draw_head(len(rows))

    def main_widget(self) -> Widget:
        return self.table

    @staticmethod
    def masked(line: str) -> str | None:
        """What may be shown of a line that holds a secret; None for any other."""
        found = walk([line], lambda secret: (secret.masked,))[0]
        return found[0] if isinstance(found, tuple) else None

    def shown(self, line: str) -> str:
        """What may be seen of a line now."""
        return line if line in self._revealed else self.masked(line) or line

    @property
    def current_line(self) -> str | None:
        key = self.table.cursor_key
        return self._lines[key] if isinstance(key, int) and key < len(self._lines) else None

    def reveal(self) -> str:
        """Show or mask the value under the cursor; what to tell the user, or nothing."""
        line = self.current_line
        if line is None:
            return ""
        if self.masked(line) is None:
            return "This value is not masked."
        self._revealed ^= {line}
        self.refilter()
        return ""

    def copied(self) -> tuple[str, str] | None:
        """The value, once it is shown whole."""
        line = self.current_line
        if line is None:
            return None
        name, _, value = line.partition("=")
        if self.masked(line) is None:
            return (value, "value") if value else ("", f"{name} is empty.")
        if line not in self._revealed:
            key = self.frame.boxtop.keymap.first(BY_ID["environment.reveal"])
            return "", f"The value of {name} is masked: {key or 'reveal'} shows it first."
        return value, "secret"

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        """The whole of a value that its row cuts off."""
        event.stop()
        line = self.current_line
        if line is not None:
            name, _, value = self.shown(line).partition("=")
            close = (Choice("close", "Close"),)
            glyphs = self.frame.look().glyphs
            self.app.push_screen(Confirm(name, [(value or "(empty)", "")], choices=close, safe="close", glyphs=glyphs))

    def _show(self, of: object, lines: tuple[str, ...], message: str) -> None:
        if of != self._of:
            self._revealed.clear()
        self._of, self._lines, self._message = of, lines, message
        self._revealed &= set(lines)
        self.refilter()

    def _draw_head(self, shown: int) -> None:
        if not self._lines:
            self.head.set_parts([])
            return
        total = len(self._lines)
        hidden = sum(1 for line in self._lines if self.masked(line) is not None and line not in self._revealed)
        count = f"{shown} of {total}" if shown != total else str(total)
        parts = [Part(f" {count} variable{'' if total == 1 else 's'}", "dim")]
        if self.filter_text.strip():
            parts.append(Part(f"  /{self.filter_text}", "info"))
        right = [Part(f"{hidden} masked ", "warn", priority=1)] if hidden else []
        self.head.set_parts(parts, right)
