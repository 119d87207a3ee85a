"""What the engines tell of themselves, newest at the bottom: followed, held, filtered, looked at one by one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Input

from backends.events import OWN, EngineEvent, EventRing
from backends.model import Kind, Ref
from backends.secrets import mask_pairs, mask_text
from tui.formats import local_time
from tui.selection import short_id
from tui.view import View
from widgets.confirm import Answer, Choice, Confirm
from widgets.line import Line, Part
from widgets.prompt import Prompt
from widgets.table import Cell, Column, Row, Table
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_EVERY = 0.25
"""Seconds between two looks whether an engine told something; a look costs a comparison for each engine."""
_COLUMNS = (
    Column("time", "TIME", 11),
    Column("engine", "ENGINE", 10, priority=3),
    Column("type", "TYPE", 9, priority=2),
    Column("action", "ACTION", 16, flex=1),
    Column("name", "OBJECT", 14, flex=2),
    Column("what", "WHAT", 14, flex=4, priority=1),
)
_BAD = ("oom", "health_status: unhealthy", "state: aborted", "state: guru")
_ENDING = ("destroy", "delete", "remove", "unregistered", "untag", "prune", "kill", "stop")
_BEGINNING = ("start", "create", "pull", "health_status: healthy", "registered", "unpause", "load", "tag")
_TOLD_ALREADY = ("name", "image", "container", "execID", "type", "maintainer")

Key = tuple[str, int]


class EventsView(View):
    place = "events"

    DEFAULT_CSS = """
    EventsView > Line { background: $surface; }
    EventsView > Input { height: 1; border: none; padding: 0 1; }
    """

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(id="events-view")
        self._boxtop = app
        self._glyphs = app.look().glyphs
        self._title = Line(glyphs=self._glyphs)
        self.table = Table(_COLUMNS, id="events", glyphs=self._glyphs)
        self.entry = Prompt(id="events-filter", placeholder="filter: words that must occur, -word must not")
        self.entry.cursor_blink = False
        self.words = ""
        self.chatter = False
        self.held = False
        self._events: dict[Key, EngineEvent] = {}
        self._rows: dict[Key, Row] = {}
        self._read: dict[str, int] = {}
        self._dropped = 0
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.table

    def focus_content(self) -> None:
        self.table.focus()

    def draw(self) -> None:
        if self._timer is None:
            self._timer = self.set_interval(_EVERY, self._look)
        self._look()
        self._draw_title()

    def left(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def back(self) -> bool:
        if self.entry.is_attached and (self.entry.display or self.words):
            self._end_entry()
            self.set_filter("")
            return True
        return False

    # -- what its commands do -----------------------------------------------------------------------------------

    async def ask_filter(self) -> None:
        if not self.entry.is_attached:
            await self.mount(self.entry)
        self.entry.display = True
        self.entry.value = self.words
        # at once: the next letters may be on their way already, and must not be taken for commands
        self.screen.set_focus(self.entry)

    def toggle_follow(self) -> None:
        self.held = not self.held
        if self.held:
            self._draw_title()
        else:
            self._fill()

    def toggle_chatter(self) -> None:
        self.chatter = not self.chatter
        self.held = False
        self._fill()

    @property
    def current(self) -> EngineEvent | None:
        key = self.table.cursor_key
        return self._events.get(key) if isinstance(key, tuple) else None

    def set_filter(self, text: str) -> None:
        if text != self.words:
            self.words = text
            self._fill()

    def _rings(self) -> Mapping[str, EventRing]:
        return self._boxtop.session.happened.rings()

    # -- reading ------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Show what was told since the last look, unless the list is held."""
        rings = self._rings()
        added = {engine: ring.added for engine, ring in rings.items()}
        if added == self._read:
            return
        if self.held:
            self._draw_title()
            return
        self._fill()

    def _fill(self) -> None:
        rings = self._rings()
        self._read = {engine: ring.added for engine, ring in rings.items()}
        self._dropped = 0
        found: list[tuple[float, Key, EngineEvent]] = []
        for engine, ring in rings.items():
            events, dropped = ring.read(chatter=self.chatter)
            self._dropped += dropped
            found += [(event.time, (engine, number), event) for number, event in events]
        found.sort(key=lambda entry: entry[0])
        self._events = {key: event for _, key, event in found if matches(event, self.words)}
        now = self._boxtop.look().now
        self._rows = {key: self._rows.get(key) or row_of(key, event, now) for key, event in self._events.items()}
        self.table.set_message([("Nothing was told yet." if not found else "No event matches. Esc shows all.", "dim")])
        self.table.set_rows(list(self._rows.values()))
        if not self.held:
            self.table.action_last()
        self._draw_title()

    def _draw_title(self) -> None:
        left = [Part(" 9 Events", "accent"), Part(f" {self._glyphs.hline * 2} {len(self._rows)}", "dim")]
        if self._dropped:
            left.append(Part(f", {self._dropped} older ones dropped", "dim", priority=2))
        if self.words:
            left.append(Part(f"  /{self.words}", "info"))
        if self.chatter:
            left.append(Part("  with chatter", "info", priority=1))
        waiting = sum(ring.added - self._read.get(engine, 0) for engine, ring in self._rings().items())
        right = Part(f"held, {waiting} more since " if self.held else "following ", "warn" if self.held else "dim")
        self._title.set_parts(left, [right])

    # -- events of widgets --------------------------------------------------------------------------------------

    @on(Table.Selected)
    def _moved(self, event: Table.Selected) -> None:
        """Off the newest line the list is held, so that nothing moves under the cursor; on it, it follows."""
        event.stop()
        held = 0 <= self.table.cursor_index < self.table.row_count - 1
        if held != self.held:
            self.held = held
            self._look()
            self._draw_title()

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        self.open()

    def open(self) -> None:
        """Show the selected event whole."""
        chosen = self.current
        if chosen is not None:
            self.app.push_screen(self.details(chosen), lambda answer: self._answered(answer, chosen))

    def details(self, event: EngineEvent) -> Confirm:
        """One event whole, in a box to read."""
        lines: list[tuple[str, Tone]] = [
            (f"{local_time(event.time)}  {event.engine}", "dim"),
            (mask_text(f"{event.type} {event.action}: {event.name}"), "strong"),
        ]
        if event.id and event.id != event.name:
            lines.append((event.id, "dim"))
        if event.attributes:
            lines.append(("", ""))
            lines += [(f"{key}={value}", "") for key, value in mask_pairs(_masked(event))]
        choices = [Choice("close", "Close")]
        if self._ref(event) is not None:
            choices.append(Choice("go", f"Go to the {event.type}"))
        return Confirm("Event", lines, choices=choices, safe="close", glyphs=self._glyphs)

    async def _answered(self, answer: Answer | None, event: EngineEvent) -> None:
        ref = self._ref(event)
        if answer is None or answer.choice != "go" or ref is None:
            return
        main = self._boxtop.main
        views = {Kind.VOLUME: "volumes", Kind.NETWORK: "networks"}
        if ref.kind in views:
            await main.show_view(views[ref.kind])
        else:
            await main.show_view("panes", next(pane for pane in main.panes if ref.kind in pane.spec.kinds))
        if not main.active.table.select(ref):
            main.say(f"{event.name} is not shown: a filter hides it.", "warn")

    def _ref(self, event: EngineEvent) -> Ref | None:
        """The object the event is about, when it is there still."""
        if event.type not in set(Kind):
            return None
        kind = Kind(event.type)
        ref = Ref(event.engine, kind, event.name if kind is Kind.VOLUME else event.id)
        return ref if self._boxtop.store.get(ref) is not None else None

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.entry.display:
            self.set_filter(event.value)

    @on(Input.Submitted)
    def _typed_out(self, event: Input.Submitted) -> None:
        event.stop()
        self._end_entry()

    def _end_entry(self) -> None:
        self.entry.display = False
        self.table.focus()


def matches(event: EngineEvent, text: str) -> bool:
    """Whether every word occurs in what the event tells, and none with a `-` before it does."""
    words = text.lower().split()
    if not words:
        return True
    parts = [event.engine, event.type, event.action, event.name, event.id, *(f"{k}={v}" for k, v in event.attributes)]
    haystack = "\n".join(parts).lower()
    return all((word[1:] not in haystack) if len(word) > 1 and word[0] == "-" else word in haystack for word in words)


def row_of(key: Key, event: EngineEvent, now: float) -> Row:
    dim: Tone = "dim" if event.chatter or event.type == OWN else ""
    return Row(
        key,
        (
            Cell(_clock(event.time, now), "dim"),
            Cell(event.engine, "dim"),
            Cell(event.type, "dim"),
            Cell(mask_text(event.action), dim or _tone(event)),
            Cell(short_id(event.name) if event.name == event.id and len(event.name) > 40 else event.name, dim),
            Cell(what(event), "dim"),
        ),
    )


def what(event: EngineEvent) -> str:
    """What the attributes tell beyond the other columns; labels, whose keys have dots, are for the details."""
    told, image = [], ""
    for key, value in mask_pairs(_masked(event)):
        if key == "container":
            told.append(f"container {value[:12]}")
        elif value and "." not in key and key not in _TOLD_ALREADY:
            told.append(f"{key}={value}")
        elif key == "image":
            image = value
    return "  ".join([*told, *([image] if image else [])])


def _masked(event: EngineEvent) -> tuple[tuple[str, str], ...]:
    return tuple((key, mask_text(value) if key == "command" else value) for key, value in event.attributes)


def _tone(event: EngineEvent) -> Tone:
    action = event.action.lower()
    if action.startswith(_BAD):
        return "error"
    if action in {"die", "died"}:
        code = dict(event.attributes).get("exitCode") or dict(event.attributes).get("containerExitCode") or "0"
        return "error" if code not in {"0", "143"} else "warn"
    if action.startswith(_ENDING):
        return "warn"
    return "ok" if action.startswith(_BEGINNING) else ""


def _clock(moment: float, now: float) -> str:
    """The time of day; on another day the date and the minute."""
    there, here = time.localtime(moment), time.localtime(now)
    same = (there.tm_year, there.tm_yday) == (here.tm_year, here.tm_yday)
    return time.strftime("%H:%M:%S" if same else "%m-%d %H:%M", there)
