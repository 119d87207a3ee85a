"""The details of the selected object: a frame around the tabs of `tui.tabs`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from backends.base import ActionError
from backends.model import Item, Ref
from tui.grouping import Group
from tui.rows.fields import Look
from tui.selection import name_of
from tui.store import Delta
from tui.tabs import TabSpec, make_tab, tabs_of
from tui.tabs.overview import OverviewTab
from tui.tabs.tab import Tab
from widgets.line import Line, Part
from widgets.tabs import TabStrip

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_Ability = TypeVar("_Ability")


class Details(Vertical):
    """Only the tab in view does any work; what is never looked at is never made."""

    DEFAULT_CSS = """
    Details { width: 1fr; }
    Details > Line { height: 1; }
    Details > .title { background: $surface; }
    """

    def __init__(self, look: Callable[[], Look], inspect: Callable[[Ref], Awaitable[Any]], interval: float) -> None:
        super().__init__(id="details")
        self.look = look
        self.interval = interval
        """Seconds between two samples of live figures."""
        self._inspect = inspect
        self._answer: tuple[Item, Any] | None = None
        self.item: Item | None = None
        self.group: Group | None = None
        """The group whose header is selected, when no object is."""
        glyphs = look().glyphs
        self._title = Line(classes="title", glyphs=glyphs)
        self.strip = TabStrip(glyphs=glyphs)
        self._made: dict[str, Tab] = {}
        self._wanted = self.tab = "overview"
        """The tab in view, and the one to come back to when an object has it again."""

    @property
    def boxtop(self) -> BoxtopApp:
        return self.app  # type: ignore[return-value]

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.strip

    def on_mount(self) -> None:
        self._turn_to("overview")

    @property
    def current(self) -> Tab | None:
        """The tab in view."""
        return self._made.get(self.tab)

    @property
    def tab_with_keyboard(self) -> Tab | None:
        return self.current if self.has_focus_within else None

    def pick(self, tab: str) -> None:
        """Show a tab, and come back to it; an object that does not have it shows its Overview meanwhile."""
        self._wanted = tab
        self._turn_to(tab)

    def step(self, by: int) -> None:
        names = [spec.id for spec in self._tabs()]
        self.pick(names[(names.index(self.tab) + by) % len(names)] if self.tab in names else names[0])

    def show(self, item: Item | None, group: Group | None = None) -> None:
        """Turn to another object, or the same one in a newer state; to a group where no object is selected."""
        other = (item and item.ref, group and group.key) != (
            self.item and self.item.ref,
            self.group and self.group.key,
        )
        self.item, self.group = item, group
        if other:
            self._turn_to(self._wanted)
        else:
            self.draw()

    def apply(self, delta: Delta) -> None:
        if self.group is not None and (delta.host or delta.engines or not delta.refs.isdisjoint(self.group.refs)):
            self.draw()
        if self.item is None:
            return
        if self.item.ref in delta.refs or delta.host or delta.engines:
            self.item = self.look().store.get(self.item.ref) or self.item
            if delta.engines:
                self._turn_to(self._wanted)
            else:
                self.draw()

    def draw(self) -> None:
        """Draw the tab in view; the widgets send only what differs."""
        tab = self.current
        if tab is None:
            return
        if not self.is_on_screen:
            tab.left()
            return
        item = self.item
        self._title.set_parts(self._title_parts())
        if item is not None:
            tab.draw(item)
        elif isinstance(tab, OverviewTab):
            if self.group is not None:
                tab.draw_group(self.group)
            else:
                tab.draw_nothing()

    def _title_parts(self) -> list[Part]:
        if self.item is not None:
            return [Part(f" {name_of(self.item)}", "strong"), Part(f"  {self.item.ref.kind}", "dim")]
        if self.group is not None:
            return [Part(f" {self.group.label}", "strong"), Part(f"  {self.group.what} of {self.group.size}", "dim")]
        return []

    @property
    def is_on_screen(self) -> bool:
        return self.is_mounted and self.display and all(node.display for node in self.ancestors_with_self)

    def focus_content(self) -> None:
        """Give the keyboard to the tab in view."""
        if self.current is not None:
            widget = self.current.main_widget()
            if widget.is_attached:
                widget.focus()
            else:
                self.call_after_refresh(widget.focus)

    def able(self, engine: str, kind: type[_Ability]) -> _Ability:
        """What does the things of this ability on an engine. Raises ActionError when it cannot, or is gone."""
        backend = self.boxtop.session.backend(engine)
        found = backend.ability(kind) if backend else None
        if found is None:
            raise ActionError(f"{engine} cannot do that" if backend else f"{engine} is not connected any more")
        return found

    async def inspected(self, item: Item, *, fresh: bool = False) -> Any:
        """The engine's full answer on an object, which tabs share as long as the object is the same."""
        if self._answer is None or self._answer[0] != item or fresh:
            self._answer = (item, await self._inspect(item.ref))
        return self._answer[1]

    def ask_again(self) -> None:
        """The user wants it fresh."""
        self._answer = None
        for tab in self._made.values():
            tab.ask_again()
        self.draw()

    @on(TabStrip.Picked)
    def _picked(self, event: TabStrip.Picked) -> None:
        event.stop()
        self.pick(event.id)

    def _turn_to(self, wanted: str) -> None:
        specs = self._tabs()
        spec = next((spec for spec in specs if spec.id == wanted), specs[0])
        focused = self.has_focus_within
        before = self.current
        if before is not None and spec.id != self.tab:
            before.left()
            before.display = False
        self.tab = spec.id
        tab = self._made.get(spec.id)
        if tab is None and self.is_attached:
            tab = self._made[spec.id] = make_tab(spec, self)
            self.mount(tab)
        if tab is not None:
            tab.display = True
        self.strip.set_tabs([(spec.id, spec.title, spec.short) for spec in specs], self.tab)
        self.draw()
        if focused and tab is not before:
            self.focus_content()

    def _tabs(self) -> tuple[TabSpec, ...]:
        item = self.item
        engine = self.look().store.engines.get(item.ref.engine) if item else None
        return tabs_of(item, engine.info.abilities if engine and engine.info else ())
