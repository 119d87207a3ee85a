"""The main screen: status on top, lists at the left, details at the right, messages and keys at the bottom."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from backends.model import Kind, Ref
from tui.bulk import Standing
from tui.commands import BY_ID, Here
from tui.commands.screen import STOP_TYPING
from tui.details import Details
from tui.keymap import Keymap
from tui.lists import PANES, VIEWS
from tui.pane import Pane, digest
from tui.rows.fields import Look
from tui.selection import Filter
from tui.status import host_line, no_engine, top_line
from tui.store import Delta
from tui.tabs.tab import Tab
from tui.view import View
from tui.views import make_view
from tui.warnings import Warnings
from widgets.keybar import Hint, KeyBar
from widgets.line import Line, Part
from widgets.notices import Notices
from widgets.prompt import Prompt
from widgets.table import Table
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_WIDE = 140
_TALL = 30
_NARROW = 100
_CALM = 2.0
"""Seconds without a key after which rows may move."""
_INFO_STAYS = 6.0
_AFTER_DIALOG = 0.3

_FILTER = "filter: words that must occur, -word must not"
_DETAILS_KEYS = ("details.back", "details.next_tab", "view.next", "app.palette", "app.help", "app.quit")
_VIEW_KEYS = ("details.back", "view.containers", "view.boxes", "view.journal", "app.palette", "app.help", "app.quit")


class MainScreen(Screen[None], inherit_bindings=False):
    """Lays out and redraws; what keys mean is the app's business."""

    BINDINGS: ClassVar[list[BindingType]] = []

    DEFAULT_CSS = """
    MainScreen > Line { height: 1; }
    MainScreen #body { height: 1fr; }
    MainScreen #lists { width: 3fr; }
    MainScreen #details { width: 2fr; }
    MainScreen #divider { width: 1; height: 1fr; border-left: solid $surface-lighten-2; }
    MainScreen #filter { height: 1; border: none; padding: 0 1; }
    """

    def __init__(
        self, look: Callable[[], Look], keymap: Keymap, interval: float, *, demo: bool, group: bool = False
    ) -> None:
        """`group`: lists begin grouped."""
        super().__init__()
        self._group = group
        self._look = look
        self._keymap = keymap
        self.demo = demo
        glyphs = look().glyphs
        self.top = Line(id="top", glyphs=glyphs)
        self.host = Line(id="host", glyphs=glyphs)
        self.panes = [Pane(spec, look, group=group) for spec in PANES]
        self.list_views: dict[str, Pane] = {}
        """Lists that take the place of the panes, by the name of their view; made when first shown."""
        self.views: dict[str, View] = {}
        """Other views, as far as they were shown."""
        self.notices = Notices(dismiss_key=keymap.first(BY_ID["app.dismiss"]), glyphs=glyphs)
        self.warnings = Warnings(self.notices, lambda: look().store)
        self.keybar = KeyBar(glyphs=glyphs)
        self.lists = Vertical(id="lists")
        self.divider = Widget(id="divider")
        self.filter_input = Prompt(id="filter", placeholder=_FILTER)
        self.details = Details(look, self._inspect, interval)
        self.view = "panes"
        """`panes`, or the name of a list view or of another view."""
        self._last_list: tuple[str, Pane] = ("panes", self.panes[0])
        self.active = self.panes[0]
        self._waiting: list[Delta] = []
        self._last_key = 0.0
        self._suspended = False
        self._resumed = 0.0
        self._finder: Tab | None = None
        self._hush: Timer | None = None
        self._work: Sequence[Part] = ()
        self._open = False
        self._zoomed = False
        self.filter_input.display = False

    @property
    def boxtop(self) -> BoxtopApp:
        return self.app  # type: ignore[return-value]

    def compose(self) -> ComposeResult:
        yield self.top
        yield self.host
        with Horizontal(id="body"):
            with self.lists:
                yield from self.panes
            yield self.divider
            yield self.details
        yield self.notices
        yield self.keybar

    @property
    def listing(self) -> bool:
        """Whether lists are shown, so that there is a selected row."""
        return self.view == "panes" or self.view in self.list_views

    @property
    def lists_shown(self) -> list[Pane]:
        return [*self.panes, *self.list_views.values()]

    @property
    def takes_keys(self) -> bool:
        """Whether the view shown has every key, as while a user types into a VM."""
        return self.view in self.views and self.views[self.view].takes_keys

    @property
    def place(self) -> str:
        """Whose own commands apply: the view's, or the tab's of the details that has the keyboard."""
        tab = self.details.tab_with_keyboard if self.listing else None
        return tab.place if tab else self.view

    @property
    def places(self) -> frozenset[str]:
        """Where the user is, as `Command.places` names it: the view, or what kinds of object an action would mean."""
        if not self.listing:
            return frozenset({self.view, "elsewhere"})
        kinds: set[Kind] = {item.ref.kind for item in self.active.targets()}
        return frozenset({*(kinds or self.active.spec.kinds), self.view, self.place, "elsewhere"})

    @property
    def here(self) -> Here:
        """What the own commands of the view shown depend on."""
        if self.view in self.views:
            return self.views[self.view].here
        if not self.listing:
            return Here()
        store, current = self._look().store, self.active.current
        engines = dict.fromkeys(engine.key for kind in self.active.spec.kinds for engine in store.engines_for(kind))
        return Here(current, current.ref.engine if current else "", tuple(engines))

    def on_mount(self) -> None:
        self.lay_out()
        self.active.table.focus()
        self._draw_status()

    @property
    def panes_shown(self) -> list[Pane]:
        return [pane for pane in self.lists_shown if pane.display]

    # -- what changed ------------------------------------------------------------------------------------------

    def store_changed(self, delta: Delta) -> None:
        """Gather changes of one turn of the loop and draw them together."""
        self._waiting.append(delta)
        if len(self._waiting) == 1:
            self.call_later(self._flush)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not self.is_mounted:
            return
        delta = Delta(
            refs=frozenset().union(*(delta.refs for delta in waiting)),
            kinds=frozenset().union(*(delta.kinds for delta in waiting)),
            engines=any(delta.engines for delta in waiting),
            usage=all(delta.usage or not delta.refs for delta in waiting),
            host=any(delta.host for delta in waiting),
        )
        calm = time.monotonic() - self._last_key > _CALM
        if delta.kinds or delta.engines:
            self.lay_out()
        self.warnings.forget_past(delta.refs)
        for pane in self.lists_shown:
            pane.apply(delta, calm=calm)
        if delta.host or delta.engines:
            self._draw_status()
        if self.view in self.views:
            self.views[self.view].apply(delta)
        current = self.active.current
        shown = self.details.item
        if (current and current.ref) != (shown and shown.ref) or self.active.current_group is not self.details.group:
            self._show_selected()
        else:
            self.details.apply(delta)
        if not delta.usage or delta.engines:
            self.draw_keys()

    def _draw_status(self) -> None:
        look = self._look()
        left, right = top_line(look, demo=self.demo, work=self._work)
        self.top.set_parts(left, right)
        self.host.set_parts(host_line(look))

    def show_work(self, parts: Sequence[Part]) -> None:
        """What the top line says of tasks in the background."""
        self._work = tuple(parts)
        self._draw_status()

    @on(Line.Clicked)
    async def _line_clicked(self, event: Line.Clicked) -> None:
        if event.line is self.top and event.id == "tasks":
            await self.boxtop.action_command("view.tasks")

    def draw_keys(self) -> None:
        store = self._look().store
        tab = self.details.tab_with_keyboard
        if self.takes_keys:
            hints = self._keymap.hints_of(STOP_TYPING)
        elif tab is not None:
            hints = [*tab.hints(), *self._keymap.hints_of(*_DETAILS_KEYS)]
        elif self.listing:
            own = [*self._fold_hints(), *self._keymap.hints_in(self.view, self.here, store.rights, store.read_only)]
            hints = [*own, *self._keymap.hints(self.active.targets(), store.rights, store.read_only)]
        else:
            own = self._keymap.hints_in(self.view, self.here, store.rights, store.read_only)
            hints = [*own, *self._keymap.hints_of(*_VIEW_KEYS)]
        self.keybar.set_keys(hints)

    def _fold_hints(self) -> list[Hint]:
        """The key that folds the group whose header is selected, or unfolds it."""
        if self.active.current_group is None:
            return []
        return self._keymap.hints_of("list.unfold" if self.active.current_folded else "list.fold")

    # -- layout ------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.lay_out()

    @property
    def wide(self) -> bool:
        return self.size.width >= _WIDE

    @property
    def single(self) -> bool:
        """One pane at a time."""
        return self.size.width < _NARROW or self.size.height < _TALL

    def lay_out(self) -> None:
        """Show what belongs on the screen in this view and at this size, and fill what was hidden until now."""
        look = self._look()
        nothing, listing = no_engine(look), self.listing
        self.details.display = listing and (self._open or (self.wide and not self._zoomed))
        self.lists.display = not self._open or self.wide or not listing
        self.divider.display = self.details.display and self.lists.display
        for name, widget in (*self.list_views.items(), *self.views.items()):
            widget.display = self.view == name
        for pane in self.panes:
            pane.display = self.view == "panes" and (not self.single or pane is self.active)
            engines = [engine for kind in pane.spec.kinds for engine in look.store.engines_for(kind)]
            without = bool(look.store.engines) and all(engine.lost and engine.info is None for engine in engines)
            pane.set_folded(without and not nothing and not self.single)
            others = [digest(other.spec, look) for other in self.panes if other is not pane] if self.single else ()
            pane.set_others(others)
        self._leave_folded()
        for pane in self.lists_shown:
            if pane.display and pane.stale:
                pane.rebuild()
        self._show_selected()
        self.draw_view()

    def _show_selected(self) -> None:
        self.details.show(self.active.current, self.active.current_group)

    def draw_view(self) -> None:
        """Draw the view that takes the place of the lists, if there is one."""
        view = self.views.get(self.view)
        if view is not None and view.is_mounted:
            view.draw()

    def _leave_folded(self) -> None:
        """The keyboard goes to a pane that has something to choose from."""
        if self.view == "panes" and self.active.folded:
            self.active = next((pane for pane in self.panes if not pane.folded), self.active)
            self.active.table.focus()

    async def show_view(self, view: str, pane: Pane | None = None) -> None:
        """Turn to a view, and within the panes to one of them."""
        if self.view in self.views and view != self.view:
            self.views[self.view].left()
        if self.listing:
            self._last_list = (self.view, self.active)
        late: Pane | View | None = None
        if view in VIEWS:
            if view not in self.list_views:
                self.list_views[view] = Pane(VIEWS[view], self._look, group=self._group)
            late = pane = self.list_views[view]
        elif view != "panes":
            late = self.views.get(view) or make_view(view, self.boxtop)
            self.views[view] = late
        self.view, self._open = view, False
        if pane is not None:
            self.active = pane
        if late is not None and not late.is_attached:
            await self.lists.mount(late)
        self.lay_out()
        if isinstance(late, View):
            late.focus_content()
        else:
            self.active.table.focus()
        self.draw_keys()

    async def leave_view(self) -> None:
        """Back to the list that was shown before."""
        await self.show_view(*self._last_list)

    async def step_pane(self, by: int) -> None:
        """The next pane that has something to choose from; from the details back to the list."""
        if self.view != "panes":
            await self.show_view("panes", self.active if self.active in self.panes else self.panes[0])
            return
        choice = [pane for pane in self.panes if not pane.folded] or self.panes
        place = choice.index(self.active) if self.active in choice else 0
        self.close_details()
        await self.show_view("panes", choice[(place + by) % len(choice)])

    def toggle_zoom(self) -> None:
        self._zoomed = not self._zoomed
        self.lay_out()

    def open_details(self, tab: str | None = None) -> None:
        """Bring the details to the front and give them the keyboard."""
        if not self.listing:
            return
        self._zoomed, self._open = False, True
        self.lay_out()
        if tab:
            self.details.pick(tab)
        self.details.focus_content()

    def close_details(self) -> bool:
        """Back to the list; False when the list had the screen and the keyboard already."""
        if not self._open:
            return False
        self._open = False
        self.lay_out()
        self.active.table.focus()
        return True

    async def _inspect(self, ref: Ref) -> object:
        return await self.boxtop.inspect(ref)

    # -- events of widgets --------------------------------------------------------------------------------------

    def touched(self) -> None:
        """The user is at work: rows keep their places for a while."""
        self._last_key = time.monotonic()

    @on(events.DescendantFocus)
    def _focus_moved(self) -> None:
        for pane in self.lists_shown:
            if pane.table.has_focus:
                self.active = pane
                self._show_selected()
            pane.focused_changed()
        self.draw_keys()

    @on(Table.Selected)
    def _row_selected(self, event: Table.Selected) -> None:
        if event.table is self.active.table:
            self.touched()
            self.active.freshen()
            self._show_selected()
            self.draw_keys()

    @on(View.Changed)
    def _view_changed(self) -> None:
        self.draw_keys()

    @on(Table.Scrolled)
    def _rows_scrolled(self, event: Table.Scrolled) -> None:
        if pane := self._pane_of(event.table):
            pane.freshen()

    def on_screen_suspend(self) -> None:
        self._suspended = True

    def on_screen_resume(self) -> None:
        if self._suspended:
            self._suspended, self._resumed = False, time.monotonic()

    @on(Table.Opened)
    def _row_opened(self, event: Table.Opened) -> None:
        if time.monotonic() - self._resumed < _AFTER_DIALOG:
            return  # one Enter too many for the question that was just answered
        if event.table is self.active.table:
            if self.active.toggle_fold():
                self.draw_keys()
            else:
                self.open_details()

    @on(Table.SortRequested)
    def _sort_clicked(self, event: Table.SortRequested) -> None:
        if pane := self._pane_of(event.table):
            pane.sort_by(event.column_id)

    def _pane_of(self, table: Table) -> Pane | None:
        return next((pane for pane in self.lists_shown if pane.table is table), None)

    @on(KeyBar.Pressed)
    async def _hint_clicked(self, event: KeyBar.Pressed) -> None:
        if event.id in self._keymap.by_id:
            await self.boxtop.action_command(event.id)
        elif self.details.current is not None:
            self.details.current.run_hint(event.id)

    # -- filter and search --------------------------------------------------------------------------------------

    async def ask_filter(self) -> None:
        """Type a filter for the list, or what the tab that has the keyboard looks for."""
        tab = self.details.tab_with_keyboard
        self._finder = tab if tab and tab.finds else None
        self.filter_input.placeholder = self._finder.finds if self._finder else _FILTER
        self.filter_input.value = self._finder.finding if self._finder else self.active.filter.text
        if not self.filter_input.is_attached:
            await self.mount(self.filter_input, before=self.keybar)
        self.filter_input.display = True
        # at once: the next letters may be on their way already, and must not be taken for commands
        self.set_focus(self.filter_input)

    def _end_filter(self) -> None:
        self.filter_input.display = False
        (self._finder.main_widget() if self._finder else self.active.table).focus()

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        if not self.filter_input.display:
            return
        self.touched()
        if self._finder:
            self._finder.find(event.value, done=False)
        else:
            self.active.set_filter(Filter(event.value, self.active.filter.only_running))

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        self._end_filter()
        said = self._finder.find(event.value, done=True) if self._finder else ""
        if said:
            self.say(said)

    async def back(self) -> None:
        """One step back: out of the filter's line, the details, the marks, the filter."""
        if self.filter_input.has_focus:
            if self._finder:
                self._finder.stop_finding()
            else:
                self.active.set_filter(Filter("", self.active.filter.only_running))
            self._end_filter()
        elif self._back_in_tab() or self.close_details():
            pass
        elif self.view in self.views:
            if not self.views[self.view].back():
                await self.leave_view()
        elif self.active.marks:
            self.active.set_marks(())
            self.draw_keys()
        elif self.active.filter.active:
            self.active.set_filter(Filter())

    def _back_in_tab(self) -> bool:
        tab = self.details.tab_with_keyboard
        return tab is not None and tab.back()

    # -- messages -----------------------------------------------------------------------------------------------

    def say(self, text: str, tone: Tone = "info") -> None:
        """A passing message; a failure is one of `warnings` and stays."""
        self.notices.add("info", text, tone)
        if self._hush is not None:
            self._hush.stop()
        self._hush = self.set_timer(_INFO_STAYS, lambda: self.notices.dismiss("info"))

    def show_standing(self, standing: Standing) -> None:
        """How far work on several objects is: in place while it goes on; with failures it stays."""
        if standing.ended and standing.failed:
            key = self._keymap.first(BY_ID["failed.retry"])
            again = f": {key} tries the failed again" if key else ""
            self.warnings.of_several(standing, standing.text + again)
            return
        self.notices.add(standing.id, standing.text, standing.tone)
        if standing.ended:
            self.set_timer(_INFO_STAYS, lambda: self.notices.dismiss(standing.id))

    @on(Notices.Dismissed)
    def _notice_clicked(self, event: Notices.Dismissed) -> None:
        self.warnings.dismissed(event.id)
