"""JSON-like data as a folding, searchable tree; only the lines on screen are made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import join
from widgets.nodes import Forest, Masked, Node, Path, leaf_text
from widgets.scrolling import CursorLines
from widgets.text import fit_runs
from widgets.tones import Ground, Tone

__all__ = ["DataTree", "Masked"]

_MASK_LENGTH = 6
_TEXT_LIMIT = 4096
"""Characters of a value that are searched and styled for one line; no screen is wider."""


class DataTree(CursorLines, can_focus=True):
    """A tree with a cursor. Folds and cursor are kept by path when the data is set anew."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="tree.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="tree.up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="tree.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="tree.page_up", show=False),
        Binding("home,g", "first", "First", id="tree.first", show=False),
        Binding("end,G", "last", "Last", id="tree.last", show=False),
        Binding("enter,space", "toggle_fold", "Fold", id="tree.toggle", show=False),
        Binding("right", "unfold", "Unfold", id="tree.unfold", show=False),
        Binding("left", "fold", "Fold, or go to the container", id="tree.fold", show=False),
        Binding("E", "expand_all", "Expand all", id="tree.expand_all", show=False),
        Binding("C", "collapse_all", "Collapse all", id="tree.collapse_all", show=False),
        Binding("v", "reveal", "Show or hide a masked value", id="tree.reveal", show=False),
    ]

    class Moved(Message):
        """The cursor is on another entry."""

        def __init__(self, tree: DataTree, path: Path) -> None:
            super().__init__()
            self.tree = tree
            self.path = path

        @property
        def control(self) -> DataTree:
            return self.tree

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self._forest = Forest()
        self._visible: list[int] = []
        self._cursor = 0
        self._revealed: set[Path] = set()
        self._needle = ""
        self._matches: list[int] = []
        self._match = -1
        self._empty = True
        self._announced: Path | None = None

    @property
    def cursor_path(self) -> Path | None:
        """Keys and indexes that lead to the entry under the cursor."""
        node = self._node()
        return node.path if node else None

    @property
    def match_position(self) -> tuple[int, int]:
        """The current match, from 1, and how many there are; (0, 0) without any."""
        return self._match + 1, len(self._matches)

    def set_data(self, data: Any, *, keep_folds: bool = True) -> None:
        """Mappings, lists, leaves; `Masked` for secrets.

        `keep_folds` keeps what is open, revealed and searched for, and the cursor's path: for the same object again.
        """
        path, line = self.cursor_path, self._cursor
        keep = keep_folds and not self._empty
        secrets = self._secrets()
        self._forest = Forest.of(data, self._forest.open if keep else None)
        self._empty = False
        if not keep:
            self._revealed, self._needle, self._cursor, self._top = set(), "", 0, 0
        # What is at a revealed path may be another secret by now; that one nobody asked to see.
        self._revealed = {path for path, value in self._secrets().items() if secrets.get(path) == value}
        self._visible = self._forest.visible()
        if keep and path is not None:
            at = self._line_of(path)
            self._cursor = min(line, len(self._visible) - 1) if at is None else at
        self._cursor = max(0, self._cursor)
        self._find_matches()
        self._match = min(self._match, len(self._matches) - 1) if keep else -1
        self.settle()
        self.repaint()
        self._announce()

    def search(self, text: str) -> int:
        """Highlight the entries whose key or value holds the text, case ignored; go to the first from the cursor on.

        Returns how many there are. An empty text ends the search.
        """
        self._needle = text.casefold()
        self._find_matches()
        self._match = -1
        if self._matches:
            here = self._visible[self._cursor]
            self._match = next((at for at, number in enumerate(self._matches) if number >= here), 0)
            self._show_match()
        else:
            self.repaint()
        return len(self._matches)

    def next_match(self) -> None:
        self._step_match(1)

    def previous_match(self) -> None:
        self._step_match(-1)

    def current_text(self) -> str:
        """The value under the cursor, for copying: whole, a container as JSON; dots for what is masked."""
        node = self._node()
        if node is None:
            return ""
        return self._export(node.value, node.path)

    def total_lines(self) -> int:
        return len(self._visible)

    def cursor_line(self) -> int | None:
        return self._cursor if self._visible else None

    def body_line(self, index: int, width: int) -> Strip:
        number = self._visible[index]
        node = self._forest.nodes[number]
        ground: Ground = ""
        if index == self._cursor:
            ground = self.cursor_ground
        indent = min(node.depth * 2, max(0, width - 20))
        fold = self.glyphs.leaf
        if node.size:
            fold = self.glyphs.unfolded if node.path in self._forest.open else self.glyphs.folded
        runs: list[tuple[str, Tone, bool]] = [(f"{' ' * indent}{fold} ", "dim", False)]
        if node.label:
            runs.extend([(node.label, "info", True), (": ", "dim", False)])
        if node.size:
            runs.append((_summary(node), "dim", False))
        else:
            runs.append((self._shown_text(node.value, node.path, width), _leaf_tone(node.value), True))
        current = 0 <= self._match < len(self._matches) and self._matches[self._match] == number
        pieces = [
            (piece, self.ink(tone, ("match-current" if current else "match") if hit else ground))
            for text, tone, searched in runs
            for piece, hit in (self._highlighted(text) if searched and self._needle else [(text, False)])
        ]
        return Strip(join(fit_runs(pieces, width, self.ink("", ground), ellipsis=self.glyphs.ellipsis)), width)

    def _highlighted(self, text: str) -> Iterator[tuple[str, bool]]:
        folded = text.casefold()
        if len(folded) != len(text):
            # Folding changed lengths (ß): offsets would not fit, so the whole text is the hit.
            yield text, self._needle in folded
            return
        start = 0
        while (at := folded.find(self._needle, start)) >= 0:
            if at > start:
                yield text[start:at], False
            yield text[at : at + len(self._needle)], True
            start = at + len(self._needle)
        if start < len(text):
            yield text[start:], False

    def _shown_text(self, value: Any, path: Path, width: int) -> str:
        if isinstance(value, Masked):
            value = self._face(value, path)
        text = leaf_text(value, max(width * 4, 64))
        if not self._needle or not isinstance(value, str) or len(value) <= width:
            return text
        # A match beyond the right edge would be marked where nobody sees it.
        at = value[:_TEXT_LIMIT].casefold().find(self._needle)
        if at < width // 2:
            return text
        start = max(0, at - width // 4)
        return self.glyphs.ellipsis + value[start : start + width * 4]

    def _export(self, value: Any, path: Path) -> str:
        if isinstance(value, Masked):
            return self._face(value, path)
        if isinstance(value, (dict, list, tuple)):
            try:
                return json.dumps(self._unmask(value, path), indent=2, ensure_ascii=False, default=str)
            except RecursionError:
                return f"{len(value)} entries, nested too deep to copy"
        return leaf_text(value)

    def _face(self, secret: Masked, path: Path) -> str:
        """What may be seen of it now."""
        if path in self._revealed:
            return secret.value
        return secret.shown or self.glyphs.mask * _MASK_LENGTH

    def _unmask(self, value: Any, path: Path) -> Any:
        if isinstance(value, Masked):
            return self._export(value, path)
        if isinstance(value, dict):
            return {str(key): self._unmask(entry, (*path, str(key))) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._unmask(entry, (*path, at)) for at, entry in enumerate(value)]
        return value

    def _find_matches(self) -> None:
        self._matches = []
        if self._needle:
            self._matches = [number for number, node in enumerate(self._forest.nodes) if self._holds(node)]

    def _holds(self, node: Node) -> bool:
        if self._needle in node.label.casefold():
            return True
        if node.size:
            return False
        value = node.value
        if isinstance(value, Masked):
            value = self._face(value, node.path)
        return self._needle in leaf_text(value).casefold()

    def _secrets(self) -> dict[Path, str]:
        """The revealed values by path."""
        if not self._revealed:
            return {}
        return {
            node.path: node.value.value
            for node in self._forest.nodes
            if node.path in self._revealed and isinstance(node.value, Masked)
        }

    def _step_match(self, step: int) -> None:
        if self._matches:
            self._match = (self._match + step) % len(self._matches)
            self._show_match()

    def _show_match(self) -> None:
        number = self._matches[self._match]
        if self._forest.reveal(number):
            self._visible = self._forest.visible()
        self._move_to(self._visible.index(number))

    def _node(self) -> Node | None:
        return self._forest.nodes[self._visible[self._cursor]] if self._visible else None

    def _line_of(self, path: Path) -> int | None:
        nodes = self._forest.nodes
        return next((line for line, number in enumerate(self._visible) if nodes[number].path == path), None)

    def _refold(self) -> None:
        """After folds changed: the cursor stays on its entry, or goes to the innermost container still shown."""
        path = self.cursor_path
        self._visible = self._forest.visible()
        nodes = self._forest.nodes
        shown = {nodes[number].path: line for line, number in enumerate(self._visible)}
        while path and path not in shown:
            path = path[:-1]
        self._move_to(shown.get(path or (), 0))

    def _move_to(self, line: int) -> None:
        if not self._visible:
            return
        self._cursor = max(0, min(line, len(self._visible) - 1))
        self.follow_cursor()
        self.repaint()
        self._announce()

    def _announce(self) -> None:
        path = self.cursor_path
        if path is not None and path != self._announced:
            self._announced = path
            self.post_message(self.Moved(self, path))

    def action_toggle_fold(self) -> None:
        node = self._node()
        if node and node.size:
            self._forest.open ^= {node.path}
            self._refold()

    def action_unfold(self) -> None:
        node = self._node()
        if node and node.size:
            if node.path in self._forest.open:
                self._move_to(self._cursor + 1)
            else:
                self.action_toggle_fold()

    def action_fold(self) -> None:
        node = self._node()
        if node is None:
            return
        if node.size and node.path in self._forest.open:
            self.action_toggle_fold()
        elif node.parent >= 0:
            self._move_to(self._visible.index(node.parent))

    def action_expand_all(self) -> None:
        self._forest.open = {node.path for node in self._forest.containers()}
        self._refold()

    def action_collapse_all(self) -> None:
        self._forest.open = set()
        self._refold()

    def action_reveal(self) -> None:
        node = self._node()
        if node and isinstance(node.value, Masked):
            self._revealed ^= {node.path}
            self._find_matches()
            self._match = min(self._match, len(self._matches) - 1)
            self.repaint()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.x >= self.line_width:
            return
        line = self.top + offset.y
        if line < len(self._visible):
            again = line == self._cursor
            self._move_to(line)
            node = self._node()
            on_fold = node is not None and offset.x <= node.depth * 2 + 1
            if on_fold or (again and event.chain == 2):
                self.action_toggle_fold()


def _summary(node: Node) -> str:
    noun = "entry" if node.size == 1 else "entries"
    return f"{{{node.size} {noun}}}" if isinstance(node.value, dict) else f"[{node.size} {noun}]"


def _leaf_tone(value: Any) -> Tone:
    if isinstance(value, Masked) or value is None or isinstance(value, (dict, list, tuple)):
        return "dim"
    if isinstance(value, (bool, int, float)):
        return "accent"
    return ""
