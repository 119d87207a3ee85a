"""One list on screen: a title line with its counts, the table, and a line for engines that are lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from backends.model import Item, Ref
from tui.lists import ListSpec, short_summary, summary
from tui.rows.fields import Field, Look, row_of
from tui.selection import Filter, name_of, ordered
from tui.status import empty_message, loss_text, no_engine
from tui.store import Delta
from widgets.line import Line, Part
from widgets.table import Row, Table


class Pane(Vertical):
    """Shows the objects of a ListSpec. The table's keys are Refs.

    Rows off screen are made when they come on screen: with thousands of rows only what is seen costs anything.
    """

    DEFAULT_CSS = """
    Pane > Line { height: 1; }
    Pane > .title { background: $surface; }
    """

    def __init__(self, spec: ListSpec, look: Callable[[], Look]) -> None:
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
        self._order: list[Ref] = []
        self._rows: dict[Ref, Row] = {}
        self.stale = True
        """What it shows is older than the store; true while it is hidden."""
        self._resort_wanted = False
        self._marks: frozenset[Ref] = frozenset()
        self._slid_to: Ref | None = None
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
    def fields(self) -> Sequence[Field]:
        return self._fields

    @property
    def marks(self) -> frozenset[Ref]:
        """What is marked, also where a filter hides it at the moment."""
        return self._marks

    def targets(self) -> list[Item]:
        """What an action means: the marked objects that are shown, in their order; without marks the selected one."""
        store = self._look().store
        if not self._marks:
            return [self.current] if self.current else []
        return [item for ref in self._order if ref in self._marks and (item := store.get(ref))]

    def surprise(self) -> str | None:
        """Why an action key may not mean what the user thinks, once: other rows are concerned than a moment ago."""
        if self._marks and not self.targets():
            return f"What is marked ({len(self._marks)}) is hidden by the filter: Esc unmarks it."
        slid, self._slid_to = self._slid_to, None
        if slid is not None and slid == self.table.cursor_key and self.current:
            return f"The row you were on is gone; {name_of(self.current)} is selected now. Press again to act on it."
        return None

    def toggle_mark(self) -> None:
        """Mark or unmark the selected row and go on to the next."""
        key = self.table.cursor_key
        if isinstance(key, Ref):
            self.set_marks(self._marks ^ {key})
            self.table.action_move(1)

    def toggle_all_marks(self) -> None:
        everything = frozenset(self._order)
        self.set_marks(self._marks - everything if self._marks >= everything else self._marks | everything)

    def set_marks(self, refs: Iterable[Ref]) -> None:
        self._marks = frozenset(refs)
        self.table.set_marks(self._marks)
        self._draw_title()

    def set_filter(self, chosen: Filter) -> None:
        if chosen != self.filter:
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
        key = self.table.cursor_key
        self._slid_to = key if isinstance(key, Ref) else None

    def resort(self) -> None:
        """Place rows by what they sort by now, if anything changed that may move them."""
        if self._resort_wanted:
            self._resort_wanted = False
            self._place(self._shown_items(), keep_same=True)

    def rebuild(self) -> None:
        """Choose, order and draw everything anew; what is on screen already is not sent again."""
        look = self._look()
        self.stale = self._resort_wanted = False
        fields = self.spec.fields_for(look.store)
        if fields != self._fields:
            self._fields = fields
            self.table.set_columns([field.column for field in fields])
            self._rows.clear()
        self._place(self._shown_items(), keep_same=False)
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

    def _shown_items(self) -> list[Item]:
        look = self._look()
        field = self._field(self.sort_id)
        chosen = (item for item in self.spec.objects(look.store) if self.filter.matches(item))
        return ordered(chosen, lambda item: field.sort(item, look), descending=self.descending)

    def _place(self, items: list[Item], *, keep_same: bool) -> None:
        order = [item.ref for item in items]
        if keep_same and order == self._order:
            return
        look = self._look()
        self._order = order
        rows = self._rows
        reachable = {engine.key: engine.connected for engine in look.store.engines.values()}
        fresh: dict[Ref, Row] = {}
        for item in items:
            row = rows.get(item.ref)
            if row is None or row.faded == reachable.get(item.ref.engine, False):
                row = row_of(item, self._fields, look)
            fresh[item.ref] = row
        self._rows = fresh
        if not order:
            filtered = self.filter.active and bool(self.spec.objects(look.store))
            self.table.set_message(empty_message(self.spec.kinds, look, filtered=filtered, noun=self.noun))
        before = self.table.cursor_key
        self.table.set_rows(list(fresh.values()))
        self.table.set_marks(self._marks)
        if before is not None and before not in fresh:
            self._note_slide()

    def _renew(self, keys: Collection[object]) -> None:
        look = self._look()
        changed = []
        for key in keys:
            item = look.store.get(key) if isinstance(key, Ref) else None
            if item is not None:
                row = row_of(item, self._fields, look)
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
