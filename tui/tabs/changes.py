"""What a container changed in its image's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from backends.abilities.inside import Changes, FileChanges, How
from backends.model import Item
from tui.formats import local_time
from tui.tabs import TabSpec
from tui.tabs.filtered import FilteredTab
from widgets.line import Line, Part
from widgets.marked_lines import MarkedLines
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.details import Details

_MARKS: dict[str, tuple[str, Tone]] = {How.ADDED: ("A", "ok"), How.CHANGED: ("C", "warn"), How.DELETED: ("D", "error")}
_NOTHING = FileChanges((), 0)


class ChangesTab(FilteredTab):
    DEFAULT_CSS = """
    ChangesTab > Line { background: $surface; }
    """

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        glyphs = frame.look().glyphs
        self.head = Line(glyphs=glyphs)
        self.lines = MarkedLines(glyphs=glyphs)
        self.lines.set_marks(_MARKS)
        self._found = _NOTHING
        self._message = ""
        self._asked_at = 0.0
        super().__init__(spec, frame, self.head, self.lines)

    def question(self, item: Item) -> object:
        return item.ref, getattr(item, "state", None)

    async def ask(self, item: Item) -> FileChanges:
        self._asked_at = self.frame.look().now
        return await self.frame.able(item.ref.engine, Changes).changes(item.ref)

    def show_waiting(self) -> None:
        self._show(_NOTHING, "asking the engine ...")

    def show_failure(self, reason: str) -> None:
        self._show(_NOTHING, reason)

    def show_answer(self, item: Item, answer: FileChanges) -> None:
        del item
        self._show(answer, "")

    def refilter(self) -> None:
        passes = self.passes
        entries = self._found.entries
        shown = entries if passes is None else [entry for entry in entries if passes(entry[1])]
        message = self._message
        if not message:
            message = "No path matches the filter: Esc clears it." if entries else "No file differs from its image."
        self.lines.set_entries(shown, message=message)
        self._draw_head(len(shown))

    def main_widget(self) -> Widget:
        return self.lines

    def copied(self) -> tuple[str, str] | None:
        text = self.lines.current_text()
        return (text, "path") if text else None

    def _show(self, found: FileChanges, message: str) -> None:
        self._found, self._message = found, message
        counted = dict.fromkeys(How, 0)
        for how, _ in found.entries:
            counted[how] += 1
        self._counted = ", ".join(f"{number:,} {how}" for how, number in counted.items() if number)
        self.refilter()

    def _draw_head(self, shown: int) -> None:
        if self._message or not self._found.total:
            self.head.set_parts([])
            return
        kept = len(self._found.entries)
        parts = [Part(f" {self._counted}", "dim")]
        if self._found.total > kept:
            parts.append(Part(f"  the first {kept:,} of {self._found.total:,}", "warn"))
        if self.filter_text.strip():
            parts.append(Part(f"  /{self.filter_text}: {shown:,}", "info"))
        moment = local_time(self._asked_at)[-8:]
        self.head.set_parts(parts, [Part(f"as of {moment}, R asks again ", "dim", priority=1)])
