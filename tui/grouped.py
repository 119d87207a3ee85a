"""The groups of one list as it is on screen: whether it is grouped, what is folded, and the headers' rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.model import Item, Ref
from tui.grouping import Group, GroupKey, Lines, Places, around, every_key, grouped, in_order, lines, plain_lines
from tui.rows.fields import Field, Look
from tui.rows.groups import SUMMED, header_row, indent_of, name_cell
from widgets.table import Row


class Grouped:
    """Folds are kept by the groups' keys, so that they stay when a group goes and comes again.

    While a filter's text hides rows all groups are open, but for those folded since: what was found is to be seen.
    """

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self.shown: dict[GroupKey, Group] = {}
        """The groups that have a header in the list now."""
        self._groups: list[Group] = []
        self._places = Places()
        self._folded: set[GroupKey] = set()
        self._sifted: set[GroupKey] | None = None
        self._rows: dict[GroupKey, Row] = {}
        self._current: set[GroupKey] = set()
        """Those whose row says what is so now."""
        self._so_far: dict[GroupKey, tuple[tuple[int, bool, int], Row]] = {}
        self._keys: list[GroupKey | Ref] = []
        self._depths: list[int] = []

    @property
    def folded(self) -> set[GroupKey]:
        return self._folded if self._sifted is None else self._sifted

    def sift(self, text: str) -> None:
        """A filter's text is another now."""
        self._sifted = set() if text.strip() else None

    def arrange(
        self, ranked: Sequence[tuple[Any, Item]], column: str, *, descending: bool
    ) -> tuple[list[Ref], Lines, bool]:
        """All objects in the order of their groups, the lines to show, and whether these are others than before.

        `ranked` are the objects in the list's order with what they are sorted by, the figure of `column`.
        """
        groups = grouped(
            ranked, self._places, weighed=column in SUMMED, descending=descending, by_name=column == "name"
        )
        if all(group.key.loose for group in groups):
            self._groups = []
            found = plain_lines([entry[1] for entry in ranked])
            order = [item.ref for _, item in ranked]
        else:
            self._groups = groups
            found = lines(groups, self.folded)
            order = in_order(groups)
        other = found.keys != self._keys or found.depths != self._depths
        self._keys, self._depths, self.shown = found.keys, found.depths, found.groups
        self._current.clear()
        return order, found, other

    def forget(self) -> None:
        """Members changed: the headers are to be made anew when they are looked at."""
        self._current.clear()

    def clear(self) -> None:
        """The columns are others, or the list is grouped no more."""
        self._rows.clear()
        self._so_far.clear()
        self._current.clear()
        self._keys, self._depths = [], []
        if not self.on:
            self.shown, self._groups = {}, []

    def row(self, key: GroupKey, fields: Sequence[Field], look: Look) -> Row | None:
        """The header of a group as it is now; None where it has none."""
        group = self.shown.get(key)
        if group is None:
            return None
        if key not in self._current:
            self._current.add(key)
            row = self._rows[key] = header_row(group, fields, look, folded=key in self.folded)
            self._so_far[key] = ((group.size, key in self.folded, group.depth), row)
        return self._rows[key]

    def row_so_far(self, group: Group, look: Look) -> Row:
        """A header as it was when it was last looked at, for one that may be off screen."""
        about = (group.size, group.key in self.folded, group.depth)
        seen = self._so_far.get(group.key)
        if seen is not None and seen[0] == about:
            return seen[1]
        row = self._rows.get(group.key)
        name = name_cell(group, look, folded=about[1])
        made = Row(group.key, (name, *(row.cells[1:] if row else ())), indent=indent_of(group.depth))
        self._so_far[group.key] = (about, made)
        return made

    def indent(self, item: Item) -> int:
        """Blank cells before an object's row."""
        if not self._groups:
            return 0
        key = around(item, self.shown)
        return indent_of(self.shown[key].depth + 1) if key else 0

    def around(self, item: Item) -> GroupKey | None:
        """The innermost group that has a header and this object in it."""
        return around(item, self.shown) if self._groups else None

    def parent(self, key: GroupKey) -> GroupKey | None:
        outer = key._replace(path=key.path[:-1])
        return outer if len(key.path) > 1 and outer in self.shown else None

    def set_folded(self, key: GroupKey, folded: bool) -> bool:
        """Whether that makes a difference."""
        if key not in self.shown or (key in self.folded) == folded:
            return False
        (self.folded.add if folded else self.folded.discard)(key)
        return True

    def fold_all(self) -> bool:
        """Fold every group, or unfold every one when all are folded; whether they are folded now."""
        keys = set(every_key(self._groups))
        fold = any(group.key not in self.folded for group in self._groups)
        if fold:
            self.folded.update(keys)
        else:
            self.folded.difference_update(keys)
        return fold
