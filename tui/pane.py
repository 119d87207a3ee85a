"""One list on screen: a title line with its counts, the table, and a line for engines that are lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from backends.model import Item, Ref
from tui.grouped import Grouped
from tui.grouping import GROUPED_KINDS, Group, GroupKey
from tui.lists import ListSpec, short_summary, summary
from tui.rows.fields import Field, Look, row_of
from tui.rows.groups import indent_of, members
from tui.selection import Filter, name_of, ranked
from tui.status import empty_message, loss_text, no_engine
from tui.store import Delta
from widgets.line import Line, Part
from widgets.table import Row, Table


class Pane(Vertical):
    """Shows the objects of a ListSpec. The table's keys are Refs, and GroupKeys where a group has its header.

    Rows off screen are made when they come on screen: with thousands of rows only what is seen costs anything.
    """

    DEFAULT_CSS = """
    Pane > Line { height: 1; }
    Pane > .title { background: $surface; }
    """

    def __init__(self, spec: ListSpec, look: Callable[[], Look], *, group: bool = False) -> None:
        """`group`: the objects are grouped from the first, where they have groups."""
        super().__init__(id=f"pane-{spec.id}")
        self.spec = spec
        self._look = look
        self.folded = False
        """It is one line, as no engine serves it."""
        self.styles.height = self._height()
        first = look()
        self._fields: tuple[Field, ...] = spec.fields_for(first.store)
        self.table = Table([field.column for field in self._fields], id=spec.id, glyphs=first.glyphs)
        self._title = Line(classes="title", glyphs=first.glyphs)
        self._loss = Line(classes="loss", glyphs=first.glyphs)
        self._loss.display = False
        self.filter = Filter()
        self.sort_id = spec.sort
        self.descending = self._field(spec.sort).descending
        self._groups = Grouped(on=group and self.groupable)
        self._order: list[Ref] = []
        """What is shown, also where a fold hides it."""
        self._rows: dict[Ref, Row] = {}
        self.stale = True
        """What it shows is older than the store; true while it is hidden."""
        self._resort_wanted = False
        self._marks: frozenset[Ref] = frozenset()
        self._slid_to: Hashable | None = None
        """Where the cursor came to without the user, as the row it was on went away."""
        self._others: Sequence[tuple[str, str]] = ()

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.table
        yield self._loss

    def on_mount(self) -> None:
        self.table.set_sort(self.sort_id, self.descending)

    @property
    def noun(self) -> str:
        return self.spec.title if self.spec.title == "VMs" else self.spec.title.lower()

    @property
    def current(self) -> Item | None:
        key = self.table.cursor_key
        return self._look().store.get(key) if isinstance(key, Ref) else None

    @property
    def groupable(self) -> bool:
        return not GROUPED_KINDS.isdisjoint(self.spec.kinds)

    @property
    def grouped(self) -> bool:
        return self._groups.on

    @property
    def current_group(self) -> Group | None:
        """The group whose header is selected."""
        key = self.table.cursor_key
        return self._groups.shown.get(key) if isinstance(key, GroupKey) else None

    @property
    def current_folded(self) -> bool:
        return self.table.cursor_key in self._groups.folded

    @property
    def fields(self) -> Sequence[Field]:
        return self._fields

    @property
    def marks(self) -> frozenset[Ref]:
        """What is marked, also where a filter hides it at the moment."""
        return self._marks

    def targets(self) -> list[Item]:
        """What an action means: the marked objects that are shown, in their order; without marks the selected one.

        Of a group whose header is selected it is all that is in it.
        """
        store = self._look().store
        if self._marks:
            return [item for ref in self._order if ref in self._marks and (item := store.get(ref))]
        group = self.current_group
        if group is not None:
            return members(group.refs, self._look())
        return [self.current] if self.current else []

    def meant(self, items: Sequence[Item]) -> Group | None:
        """The selected group, when these objects are all that is in it."""
        group = None if self._marks else self.current_group
        return group if group is not None and [item.ref for item in items] == group.refs else None

    def refs_on_screen(self, most: int = 100) -> set[Ref]:
        """What is on screen, and what is in the groups whose header is, up to so many objects."""
        keys = self.table.keys_on_screen()
        refs = {key for key in keys if isinstance(key, Ref)}
        for key in keys:
            group = self._groups.shown.get(key) if isinstance(key, GroupKey) else None
            if group is not None and len(refs) + group.size <= most:
                refs.update(group.refs)
        return refs

    def surprise(self) -> str | None:
        """Why an action key may not mean what the user thinks, once: other rows are concerned than a moment ago."""
        if self._marks and not self.targets():
            return f"What is marked ({len(self._marks)}) is hidden by the filter: Esc unmarks it."
        slid, self._slid_to = self._slid_to, None
        if slid is not None and slid == self.table.cursor_key and (self.current or self.current_group):
            name = name_of(self.current) if self.current else getattr(self.current_group, "label", "")
            return f"The row you were on is gone; {name} is selected now. Press again to act on it."
        return None

    def toggle_mark(self) -> None:
        """Mark or unmark the selected row and go on to the next; of a group's header, all that is in the group."""
        key, group = self.table.cursor_key, self.current_group
        if isinstance(key, Ref):
            self.set_marks(self._marks ^ {key})
        elif group is not None:
            refs = frozenset(group.refs)
            self.set_marks(self._marks - refs if self._marks >= refs else self._marks | refs)
        else:
            return
        self.table.action_move(1)

    def toggle_all_marks(self) -> None:
        everything = frozenset(self._order)
        self.set_marks(self._marks - everything if self._marks >= everything else self._marks | everything)

    def set_marks(self, refs: Iterable[Ref]) -> None:
        self._marks = frozenset(refs)
        self._draw_marks()
        self._draw_title()

    def _draw_marks(self) -> None:
        """Mark the rows, and the headers of the groups that are marked whole."""
        marks = self._marks
        whole = [key for key, group in self._groups.shown.items() if marks and all(ref in marks for ref in group.refs)]
        self.table.set_marks(marks.union(whole) if whole else marks)

    def set_grouped(self, on: bool) -> None:
        """Group the objects, or list them all as one. The cursor stays on its object."""
        if on == self._groups.on or not self.groupable:
            return
        group = self.current_group
        self._groups.on = on
        self._groups.clear()
        self.rebuild()
        if group is not None and group.refs:
            self.table.select(group.refs[0])
        self._slid_to = None

    def fold(self, key: GroupKey, *, folded: bool) -> None:
        """Fold or unfold a group; a cursor in what is folded goes to its header."""
        if self._groups.set_folded(key, folded):
            self._refold(key)

    def fold_all(self) -> None:
        """Fold every group, or unfold them when all are folded."""
        if self._groups.fold_all():
            outer = self._group_around()
            self._refold(outer._replace(path=outer.path[:1]) if outer else None)
        else:
            self._refold(None)

    def _refold(self, key: GroupKey | None) -> None:
        if key is not None:
            inner = self._group_around()
            within = inner is not None and inner[:2] == key[:2] and inner.path[: len(key.path)] == key.path
            if within and key in self._groups.folded:
                self.table.select(key)
        self._place(self._shown(), keep_same=False)
        self._slid_to = None

    def _group_around(self) -> GroupKey | None:
        """The group the cursor is in, or on whose header it is."""
        key, item = self.table.cursor_key, self.current
        if isinstance(key, GroupKey):
            return key
        return self._groups.around(item) if item else None

    def step_out(self) -> None:
        """Fold the selected group; from a row, or a folded group, go to the header of what is around it."""
        key = self.table.cursor_key
        if isinstance(key, GroupKey) and key not in self._groups.folded:
            self.fold(key, folded=True)
            return
        outer = self._groups.parent(key) if isinstance(key, GroupKey) else self._group_around()
        if outer is not None:
            self.table.select(outer)

    def step_in(self) -> None:
        """Unfold the selected group; in an open one go to its first row."""
        key = self.table.cursor_key
        if isinstance(key, GroupKey):
            if key in self._groups.folded:
                self.fold(key, folded=False)
            else:
                self.table.action_move(1)

    def toggle_fold(self) -> bool:
        """Fold or unfold the group whose header is selected; False when no header is."""
        key = self.table.cursor_key
        if not isinstance(key, GroupKey):
            return False
        self.fold(key, folded=key not in self._groups.folded)
        return True

    def set_filter(self, chosen: Filter) -> None:
        if chosen != self.filter:
            if chosen.text != self.filter.text:
                self._groups.sift(chosen.text)
            self.filter = chosen
            self.rebuild()
            self._slid_to = None  # the user sent the row away, and sees where the cursor is

    def sort_by(self, column: str, *, descending: bool | None = None) -> None:
        """Sort by a column; by the same one again: the other way round."""
        if descending is None:
            same = column == self.sort_id
            descending = not self.descending if same else self._field(column).descending
        self.sort_id, self.descending = column, descending
        self.table.set_sort(column, descending)
        self.rebuild()

    def apply(self, delta: Delta, *, calm: bool) -> None:
        """Show what changed. `calm`: the user neither types nor marks, so rows may be placed anew."""
        mine = [ref for ref in delta.refs if ref.kind in self.spec.kinds]
        for ref in mine:
            self._rows.pop(ref, None)
        if mine:
            self._groups.forget()
        self._forget_marks(mine)
        if not self.display:
            self.stale = True
            return
        came_or_went = not delta.kinds.isdisjoint(self.spec.kinds)
        if self.stale or came_or_went or delta.engines:
            self.rebuild()
            return
        if mine and not delta.usage:
            if self.filter.active:
                self.rebuild()
                return
            self._resort_wanted = True
            self._draw_title()
        elif delta.usage and self._field(self.sort_id).live:
            self._resort_wanted = True
        if mine or delta.host:
            self._renew(self.table.keys_on_screen())
        if delta.host:
            self._draw_loss()
            if calm:
                self.resort()

    def _forget_marks(self, refs: Iterable[Ref]) -> None:
        """Objects that are gone are not marked; when none is left, the cursor's row is no target yet."""
        store = self._look().store
        gone = [ref for ref in refs if ref in self._marks and store.get(ref) is None]
        if gone:
            self._marks -= frozenset(gone)
            if not self._marks:
                self._note_slide()

    def _note_slide(self) -> None:
        self._slid_to = self.table.cursor_key

    def resort(self) -> None:
        """Place rows by what they sort by now, if anything changed that may move them."""
        if self._resort_wanted:
            self._resort_wanted = False
            self._place(self._shown(), keep_same=True)

    def rebuild(self) -> None:
        """Choose, order and draw everything anew; what is on screen already is not sent again."""
        look = self._look()
        self.stale = self._resort_wanted = False
        fields = self.spec.fields_for(look.store)
        if fields != self._fields:
            self._fields = fields
            self.table.set_columns([field.column for field in fields])
            self._rows.clear()
            self._groups.clear()
        self._place(self._shown(), keep_same=False)
        self._draw_title()
        self._draw_loss()

    def focused_changed(self) -> None:
        self._draw_title()

    def set_others(self, others: Sequence[tuple[str, str]]) -> None:
        """(digit and title, counts) of the panes that share the screen with this one by turns."""
        if others != self._others:
            self._others = others
            self._draw_title()

    def set_folded(self, folded: bool) -> None:
        if folded != self.folded:
            self.folded = folded
            self.styles.height = self._height()
            self.table.display = self.table.can_focus = not folded
            self._draw_title()

    def _height(self) -> str | int:
        return 1 if self.folded else "2fr" if self.spec.large else "1fr"

    def _shown(self) -> list[tuple[Any, Item]]:
        """The objects that the filter lets through, in order, each with what it is sorted by."""
        look = self._look()
        field = self._field(self.sort_id)
        chosen = (item for item in self.spec.objects(look.store) if self.filter.matches(item))
        return ranked(chosen, lambda item: field.sort(item, look), descending=self.descending)

    def _place(self, found: list[tuple[Any, Item]], *, keep_same: bool) -> None:
        look = self._look()
        rows: list[Row]
        if self._groups.on:
            order, lines, other = self._groups.arrange(found, self.sort_id, descending=self.descending)
            if keep_same and not other and order == self._order:
                return
            make = self._maker(look)
            rows = [
                self._groups.row_so_far(line, look) if isinstance(line, Group) else make(line, indent_of(depth))
                for line, depth in zip(lines.shown, lines.depths, strict=True)
            ]
        else:
            order = [item.ref for _, item in found]
            if keep_same and order == self._order:
                return
            make = self._maker(look)
            rows = [make(item, 0) for _, item in found]
        self._order = order
        if not order:
            filtered = self.filter.active and bool(self.spec.objects(look.store))
            self.table.set_message(empty_message(self.spec.kinds, look, filtered=filtered, noun=self.noun))
        before = self.table.cursor_key
        self.table.set_rows(rows)
        if self._groups.shown:
            self._renew([key for key in self.table.keys_on_screen() if isinstance(key, GroupKey)])
        self._draw_marks()
        if before is not None and before != self.table.cursor_key:
            self._note_slide()

    def _maker(self, look: Look) -> Callable[[Item, int], Row]:
        """Makes an object's row, or finds the one made before. Rows of what is gone were dropped when it went."""
        rows, fields = self._rows, self._fields
        unreachable = {engine.key: not engine.connected for engine in look.store.engines.values()}

        def make(item: Item, indent: int) -> Row:
            ref = item.ref
            row = rows.get(ref)
            if row is None or row.faded != unreachable.get(ref.engine, True):
                row = rows[ref] = row_of(item, fields, look)
            if row.indent != indent:
                row = rows[ref] = replace(row, indent=indent)
            return row

        return make

    def _renew(self, keys: Collection[object]) -> None:
        look = self._look()
        groups = self._groups
        changed: list[Row] = []
        for key in keys:
            if isinstance(key, GroupKey):
                header = groups.row(key, self._fields, look)
                if header is not None:
                    changed.append(header)
                continue
            item = look.store.get(key) if isinstance(key, Ref) else None
            if item is not None:
                row = row_of(item, self._fields, look)
                if groups.shown and (indent := groups.indent(item)):
                    row = replace(row, indent=indent)
                if self._rows.get(item.ref) != row:
                    self._rows[item.ref] = row
                    changed.append(row)
        # rows that left the cache while off screen are drawn again when they are scrolled to
        if changed:
            self.table.update_rows(changed)

    def freshen(self) -> None:
        """Rows came on screen by scrolling: draw them as they are now."""
        self._renew(self.table.keys_on_screen())

    def _field(self, column: str) -> Field:
        return next((field for field in self._fields if field.column.id == column), self._fields[0])

    def _draw_title(self) -> None:
        look = self._look()
        focused = self.table.has_focus
        objects = self.spec.objects(look.store)
        mark = look.glyphs.unfolded if focused else " "
        left = [
            Part(f"{mark}{self.spec.digit} {self.spec.title}", "accent" if focused else "strong"),
            Part(f" {look.glyphs.hline * 2} {self._counts(objects, look)}", "dim"),
        ]
        if self.filter.text:
            left.append(Part(f"  /{self.filter.text}", "info"))
        if self.filter.only_running:
            left.append(Part("  running only", "info"))
        if self._groups.on:
            left.append(Part("  grouped", "info", priority=8))
        arrow = look.glyphs.sort_down if self.descending else look.glyphs.sort_up
        left.append(Part(f"  by {self._field(self.sort_id).label} {arrow}", "dim", priority=9))
        if self._marks:
            hidden = len(self._marks.difference(self._order))
            also = f" ({hidden} hidden)" if hidden else ""
            left.append(Part(f"  {len(self._marks)} marked{also}", "warn"))
        right = [
            Part(f" {title} {counts} ", "dim", priority=2 + number)
            for number, (title, counts) in enumerate(self._others)
        ]
        self._title.set_parts(left, right)

    def _counts(self, objects: list[Item], look: Look) -> str:
        if not objects:
            engines = [engine for kind in self.spec.kinds for engine in look.store.engines_for(kind)]
            for engine in engines:
                if engine.lost:
                    return f"{engine.key}: {engine.lost.reason}"
            if not engines and look.store.engines:
                return f"no engine here has {self.noun}"
        return summary(objects, len(self._order), self.filter)

    def _draw_loss(self) -> None:
        look = self._look()
        lost = [
            loss_text(engine, look.now)
            for engine in look.store.engines.values()
            if engine.lost and not engine.lost.absent and self._missed(engine.key)
        ]
        self._loss.display = bool(lost) and not self.folded and not no_engine(look)
        if lost:
            self._loss.set_parts([Part(" " + "; ".join(lost), "error")])

    def _missed(self, engine: str) -> bool:
        return any(ref.engine == engine for ref in self._order)


def digest(spec: ListSpec, look: Look) -> tuple[str, str]:
    """(digit and title, counts) for a pane that is not on screen."""
    return f"{spec.digit} {spec.title}", short_summary(spec.objects(look.store))
