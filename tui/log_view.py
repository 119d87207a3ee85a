"""The logs of one or several containers, merged by time: followed, searched, filtered, saved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on

from backends.log_text import searched
from backends.model import Container
from tui.formats import size
from tui.log_file import write_lines
from tui.log_frame import LogFrame
from tui.log_pattern import Pattern
from tui.log_sources import LogSources
from tui.store import Delta
from widgets.line import Part
from widgets.log_view import LogView
from widgets.picker import PickItem

if TYPE_CHECKING:
    from tui.app import BoxtopApp

SINCE = (("60", "the last minute"), ("600", "the last 10 minutes"), ("3600", "the last hour"), ("today", "today"),
         ("", "all, older lines as one scrolls up"))  # fmt: skip
_TURN = 0.01
"""Seconds lines are looked at before keys have their turn again."""
_FIRST_SLICE = 100
_SHORT = {"60": "1m", "600": "10m", "3600": "1h", "today": "today"}
_NAMED = 4
_FILTER = "filter: words, or /regular expression/; ! in front leaves such lines out; nothing shows all"


class LogsView(LogFrame):
    place: ClassVar[str] = "logs"

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(app, "logs")
        self.sources = LogSources(app.store, app.main.details.able, self.log_view.add, self.draw_title, self._now)
        self.containers: tuple[Container, ...] = ()
        self.since = ""
        self.filter = Pattern()
        self._filters = False
        """What is typed is a filter."""
        self._sifting: asyncio.Task[None] | None = None

    def show(self, containers: Sequence[Container]) -> None:
        """Follow these containers' logs from now on."""
        self.containers = tuple(containers)
        self.set_filter(Pattern())
        self.set_search(Pattern())
        self.since = ""
        self.reopen()

    def reopen(self) -> None:
        """Ask for the logs anew, as far back as is wanted."""
        self.log_view.set_sources([container.name for container in self.containers])
        self.log_view.ring.dropped = 0
        self.log_view.clear()
        self.log_view.set_message("waiting for lines ...")
        self.sources.open(self.containers, self._since_moment())
        self.draw_title()

    def _now(self) -> float:
        return self._boxtop.look().now

    def _since_moment(self) -> int:
        now = self._now()
        if self.since == "today":
            day = time.localtime(now)
            return int(time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1))) * 1_000_000_000
        return int((now - int(self.since)) * 1e9) if self.since else 0

    def left(self) -> None:
        self.sources.close()
        self._stop_sifting()
        self.log_view.clear()
        self._close_entry()

    def on_unmount(self) -> None:
        self.sources.close()
        self._stop_sifting()

    def apply(self, delta: Delta) -> None:
        self.sources.apply(delta)

    def draw(self) -> None:
        self.draw_title()
        self.log_view.redraw()

    def back(self) -> bool:
        """Esc: out of the input, the selection, the search, the filter."""
        if super().back():
            return True
        if self.filter.active:
            self.set_filter(Pattern())
            return True
        return False

    # -- the title ----------------------------------------------------------------------------------------------

    def draw_title(self) -> None:
        ring = self.log_view.ring
        several = len(self.containers) > 1
        names = ", ".join(container.name for container in self.containers[:_NAMED])
        if len(self.containers) > _NAMED:
            names += f" and {len(self.containers) - _NAMED} more"
        left = [Part(" Logs", "accent"), Part(f"  {names}", "strong")]
        if several:
            left.insert(1, Part(f" of {len(self.containers)}", "dim", priority=5))
        lines = f"{ring.count:,} of {len(ring):,}" if self.filter.active else f"{len(ring):,}"
        right = [Part(f"{lines} lines", "dim", priority=3)]
        if dropped := ring.dropped + self.sources.dropped:
            right.append(Part(f"  {dropped:,} dropped", "warn", priority=2))
        if self.since:
            right.append(Part(f"  since {_SHORT[self.since]}", "info", priority=4))
        for sign, pattern in (("\\", self.filter), ("/", self.search)):
            if pattern.active:
                right.append(Part(f"  {sign}{pattern.typed}", "info", priority=1))
        if ring.sifting:
            right.append(Part(" ...", "dim"))
        if self.sources.reaching_back:
            right.append(Part("  fetching older lines", "info", priority=2))
        right.append(self.following_part)
        self._title.set_parts(left, right)

    # -- what is typed ------------------------------------------------------------------------------------------

    def ask_search(self) -> None:
        self._filters = False
        super().ask_search()

    def ask_filter(self) -> None:
        self._filters = True
        self._ask(_FILTER, self.filter.typed)

    def _read(self, typed: str) -> Pattern:
        return Pattern(typed, inverts=self._filters)

    async def _take_pattern(self, pattern: Pattern) -> None:
        if self._filters:
            self.set_filter(pattern)
        else:
            await super()._take_pattern(pattern)

    def set_filter(self, pattern: Pattern) -> None:
        """Only lines it lets through are shown; the newest at once, older ones as they are looked at."""
        self.filter = pattern
        self._stop_sifting()
        ring = self.log_view.ring
        wanted = pattern.passes
        ring.set_filter((lambda raw: wanted(searched(raw))) if pattern.active else None)
        slice_ = ring.sift_for(_TURN, _FIRST_SLICE)
        self.log_view.refilter()
        if ring.sifting:
            self._sifting = asyncio.create_task(self._sift(slice_), name="filter")
        self.draw_title()

    async def _sift(self, lines: int) -> None:
        ring = self.log_view.ring
        while ring.sifting:
            await asyncio.sleep(0.005)
            lines = ring.sift_for(_TURN, lines)
        self.log_view.refilter()
        if said := self.filter.gave_up:
            self._boxtop.main.say(said, "warn")
        self.draw_title()

    def _stop_sifting(self) -> None:
        if self._sifting is not None:
            self._sifting.cancel()
            self._sifting = None

    # -- the rest -----------------------------------------------------------------------------------------------

    @on(LogView.TopReached)
    def _older_wanted(self) -> None:
        ring = self.log_view.ring
        if not ring.stamps or self.sources.complete:
            return
        if not ring.has_room(1000):
            self._boxtop.main.say("Older lines are not fetched: as many as are kept are here already.")
            return
        self.sources.reach_back(ring.stamps[0])

    def since_items(self) -> list[PickItem]:
        return [PickItem(key or "all", text, "current" if key == self.since else "") for key, text in SINCE]

    def set_since(self, key: str) -> None:
        self.since = "" if key == "all" else key
        self.reopen()

    def toggle_timestamps(self) -> None:
        view = self.log_view
        view.set_look(replace(view.look, timestamps=not view.look.timestamps))

    async def save(self, path: Path) -> str:
        """Write the lines shown to a file of the user's own, in place of what it was. What to say of it."""
        view, ring = self.log_view, self.log_view.ring
        numbers = [ring.number(place) for place in range(ring.count)]
        lines = [(ring.texts[n - ring.base], ring.stamps[n - ring.base], ring.tags[n - ring.base]) for n in numbers]
        names = [container.name for container in self.containers]
        written = await asyncio.to_thread(write_lines, path, lines, names, stamps=view.look.timestamps)
        return f"Saved {len(lines):,} lines ({size(written)}) to {path}."
