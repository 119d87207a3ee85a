"""Follows a VM's screen about once a second: its picture, and the text read from it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from backends.abilities.screens import Picture, Screens
from backends.base import ActionError, EngineError
from backends.model import VM, Ref
from backends.screen_text import Reader, ScreenText
from tui.commands.screen import dark
from tui.handlers.area import reason_of
from widgets.half_blocks import Scaler

if TYPE_CHECKING:
    from tui.app import BoxtopApp

log = logging.getLogger(__name__)

_EVERY = 1.0
"""Seconds between two pictures; more where one takes long, so that looking costs a quarter of the time at most."""


class ScreenWatch:
    """`changed` is called when there is something else to draw, `told` when only what is said of it is another."""

    def __init__(self, app: BoxtopApp, changed: Callable[[], None], told: Callable[[], None]) -> None:
        self._app = app
        self._changed = changed
        self._told = told
        self.ref: Ref | None = None
        self.picture: Picture | None = None
        self.text: ScreenText | None = None
        self.scaler: Scaler | None = None
        self.taken = 0.0
        """Unix time of the picture."""
        self.failure = ""
        """Why there is no newer one."""
        self.held = False
        self._reader = Reader()
        self._asked = False
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def vm(self) -> VM | None:
        """The VM as it is now; None when it is gone."""
        item = self._app.store.get(self.ref) if self.ref is not None else None
        return item if isinstance(item, VM) else None

    def show(self, ref: Ref) -> None:
        """Follow this VM's screen from now on."""
        if ref != self.ref:
            self.ref, self.picture, self.text, self.scaler = ref, None, None, None
            self._reader, self.failure = Reader(), ""
        self.held = False
        self.look_again()

    def start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="screen")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def look_again(self) -> None:
        """Take a picture at once, also when it is held."""
        self._asked = True
        self._wanted.set()

    def changed(self) -> None:
        """The VM is another: see what it shows now, unless its picture is held."""
        self._wanted.set()

    def toggle(self) -> None:
        """Hold the picture, or follow the screen again."""
        self.held = not self.held
        self._wanted.set()
        self._told()

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            began = time.monotonic()
            asked, self._asked = self._asked, False
            if asked or not self.held:
                try:
                    await self._look(asked=asked)
                except Exception as error:
                    log.exception("a VM's screen cannot be shown")
                    self.failure = f"{type(error).__name__}: see the log"
            took = time.monotonic() - began
            with suppress(TimeoutError):
                async with asyncio.timeout(max(_EVERY, 3 * took)):
                    await self._wanted.wait()

    async def _look(self, *, asked: bool) -> None:
        vm = self.vm
        if vm is None or dark(vm):
            self.failure, self.picture, self.text, self.scaler = "", None, None, None
            self._changed()
            return
        if vm.ref.engine in self._app.store.rights.lost:
            self.failure = f"{vm.ref.engine} does not answer"
            self._changed()
            return
        try:
            await self._take(vm, asked=asked)
        except (ActionError, EngineError) as error:
            if vm.ref == self.ref:
                self.failure = reason_of(error)
                self._changed()

    async def _take(self, vm: VM, *, asked: bool) -> None:
        backend = self._app.session.backend(vm.ref.engine)
        screens = backend.ability(Screens) if backend else None
        if screens is None:
            raise ActionError(f"{vm.ref.engine} cannot do that" if backend else f"{vm.ref.engine} is not connected")
        picture = await screens.picture(vm.ref)
        if vm.ref != self.ref or (self.held and not asked):
            return  # it was held, or left, meanwhile
        self.failure = ""
        self.taken = self._app.look().now
        if picture == self.picture:
            self._told()
            return
        reader = self._reader
        text = await asyncio.to_thread(reader.read, picture)
        scaler = await asyncio.to_thread(Scaler, picture.width, picture.height, picture.rgb)
        if reader is self._reader:
            self.picture, self.text, self.scaler = picture, text, scaler
            self._changed()
