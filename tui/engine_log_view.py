"""The log an engine writes of one VM: its end, followed as it grows, and searched."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

from backends.abilities.engine_log import EngineLog, LogMark, LogPart
from backends.base import ActionError, EngineError
from backends.model import Item
from tui.handlers.area import reason_of
from tui.log_frame import LogFrame
from tui.log_pattern import Pattern
from tui.selection import name_of
from widgets.line import Part
from widgets.log_view import NOTE

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_AGAIN = 3.0
"""Seconds after a failure."""


class EngineLogView(LogFrame):
    place: ClassVar[str] = "engine-log"

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(app, "engine-log")
        self.item: Item | None = None
        self._place = ""
        self._failure = ""
        self._following: asyncio.Task[None] | None = None

    def show(self, item: Item) -> None:
        """Follow this VM's log from now on."""
        self._stop()
        self.item, self._place, self._failure = item, "", ""
        self.set_search(Pattern())
        self.log_view.ring.dropped = 0
        self.log_view.clear()
        self.log_view.follow(True)
        self.log_view.set_message("waiting for lines ...")
        self._following = asyncio.create_task(self._follow(item), name=f"log of {name_of(item)}")
        self.draw_title()

    def left(self) -> None:
        self._stop()
        self.log_view.clear()
        self._close_entry()

    def on_unmount(self) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            self._following = None

    async def _follow(self, item: Item) -> None:
        mark: LogMark | None = None
        while True:
            wait = _AGAIN
            try:
                found = await self._boxtop.main.details.able(item.ref.engine, EngineLog).read(item.ref, mark)
            except (ActionError, EngineError) as error:
                self._fail(reason_of(error))
            else:
                self._take(found)
                mark, wait = found.mark, found.again
            await asyncio.sleep(wait)

    def _fail(self, reason: str) -> None:
        if reason == self._failure:
            return
        self._failure = reason
        self.log_view.set_message(f"{reason}.", "warn")
        if len(self.log_view.ring):
            self._note(reason)
        self.draw_title()

    def _take(self, found: LogPart) -> None:
        if found.anew:
            self._note("begun anew")
        elif found.cut:
            self._note("older lines were left out")
        if found.lines:
            stamp = time.time_ns()
            self.log_view.add(found.lines, [stamp] * len(found.lines), [0] * len(found.lines))
        elif not len(self.log_view.ring):
            self.log_view.set_message("It is empty.")
        if found.lines or self._failure or found.place != self._place:
            self._place, self._failure = found.place, ""
            self.draw_title()

    def _note(self, text: str) -> None:
        self.log_view.add([text.encode()], [time.time_ns()], [NOTE])

    def draw(self) -> None:
        self.draw_title()

    def draw_title(self) -> None:
        if self.item is None or not self.is_attached:
            return
        ring = self.log_view.ring
        left = [
            Part(" Engine's log", "accent"),
            Part(f"  {name_of(self.item)}", "strong"),
            Part(f"  {self._place}", "dim", priority=2),
        ]
        right = [Part(f"{len(ring):,} lines", "dim", priority=3)]
        if ring.dropped:
            right.append(Part(f"  {ring.dropped:,} dropped", "warn", priority=4))
        if self.search.active:
            right.append(Part(f"  /{self.search.typed}", "info", priority=1))
        right.append(Part("  cannot be read ", "warn") if self._failure else self.following_part)
        self._title.set_parts(left, right)
