"""Keys on their way into a VM: taken from the terminal, pressed there in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from backends.abilities.screens import Chord, Keyboard
from backends.base import ActionError
from backends.keyboard import chords_of
from backends.model import Ref
from tui.screen_keys import chord_for

_ECHO = 0.12
"""Seconds that a guest has to show what was typed."""
_MOST = 4000
"""Keys that may wait: more is no typing."""


class Typing:
    """`changed` is called when it begins, ends, or refuses a key."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._waiting: list[Chord] = []
        self._came = asyncio.Event()
        self.active = False
        self.refused = ""
        """Why the last key was not passed on."""

    def begin(self) -> None:
        self.active, self._waiting, self.refused = True, [], ""
        self._changed()

    def end(self) -> None:
        """What was typed is still pressed."""
        if self.active:
            self.active, self.refused = False, ""
            self._came.set()
            self._changed()

    async def run(self, keyboard: Keyboard, ref: Ref, echoed: Callable[[], None]) -> None:
        """Press what comes until typing ends; `echoed` when the guest may have shown it.

        Raises ActionError or EngineError; typing has ended then.
        """
        try:
            while self.active or self._waiting:
                if self._waiting:
                    chords, self._waiting = self._waiting, []
                    await keyboard.press(ref, chords)
                    await asyncio.sleep(_ECHO)
                    echoed()
                else:
                    self._came.clear()
                    await self._came.wait()
        finally:
            self._waiting = []
            self.end()

    def key(self, key: str, character: str | None) -> None:
        """A key, as Textual names it."""
        chord = chord_for(key, character)
        self._take([chord] if chord else [], "" if chord else f"no {character or key} on a US keyboard")

    def paste(self, text: str) -> None:
        """All of it, or nothing where a US keyboard lacks a sign of it, which is named."""
        try:
            self._take(chords_of(text), "")
        except ActionError as error:
            self._take([], str(error))

    def _take(self, chords: Sequence[Chord], refused: str) -> None:
        if len(self._waiting) + len(chords) > _MOST:
            chords, refused = [], "too much at once: nothing was typed"
        self._waiting += chords
        self._came.set()
        if refused != self.refused:
            self.refused = refused
            self._changed()
