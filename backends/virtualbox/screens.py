"""A VirtualBox VM's screen and keyboard: through the helper, or through VBoxManage alone."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends import png
from backends.abilities.screens import Chord, Keyboard, Picture, Screens
from backends.base import ActionError
from backends.keyboard import PACE, make_and_break, scan_codes
from backends.model import Ref
from backends.virtualbox.manage import refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_PATIENCE = 10.0
_AT_ONCE = 4
"""Chords in one call; the virtual keyboard of 7.2.22 takes 64 bytes of scan codes, and refuses 128."""


class VirtualBoxScreens(Screens):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend
        self._last: tuple[str, int, Picture] | None = None

    async def picture(self, ref: Ref) -> Picture:
        if not self._backend.binding:
            return await self._managed(ref)
        last = self._last
        known = last[1] if last is not None and last[0] == ref.id else 0
        answer = await self._backend.ask_aside("picture", _PATIENCE, machine_id=ref.id, known=known)
        if "data" not in answer and last is not None:
            return last[2]
        width, height = int(answer["width"]), int(answer["height"])
        rgb = await asyncio.to_thread(_inflated, answer["data"], width * height * 3)
        picture = Picture(width, height, rgb)
        self._last = (ref.id, int(answer["number"]), picture)
        return picture

    async def _managed(self, ref: Ref) -> Picture:
        with refusals():
            # Written to what is its standard output, it needs no file that both can reach
            data = await self._backend.manager().output("controlvm", ref.id, "screenshotpng", "/dev/stdout")
        try:
            return await asyncio.to_thread(png.decode, data)
        except ValueError as error:
            raise ActionError(f"VBoxManage wrote {error}") from None


class VirtualBoxKeyboard(Keyboard):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def press(self, ref: Ref, chords: Sequence[Chord]) -> None:
        for start in range(0, len(chords), _AT_ONCE):
            portion = chords[start : start + _AT_ONCE]
            await self._send(ref, *_codes(portion))
            await asyncio.sleep(len(portion) * PACE)

    async def _send(self, ref: Ref, codes: list[int], release: list[int]) -> None:
        if self._backend.binding:
            await self._backend.ask_aside("scan_codes", _PATIENCE, machine_id=ref.id, codes=codes, release=release)
            return
        with refusals():
            digits = [f"{code:02x}" for code in codes]
            await self._backend.manager().run("controlvm", ref.id, "keyboardputscancode", *digits)


def _codes(chords: Sequence[Chord]) -> tuple[list[int], list[int]]:
    """Bytes that press them one after the other, and those that let go of all their keys."""
    names = [name for chord in chords for name in chord]
    return [code for chord in chords for code in make_and_break(chord)], _released(names)


def _released(names: Sequence[str]) -> list[int]:
    found: list[int] = []
    for code in scan_codes(tuple(dict.fromkeys(names))):
        found += [0xE0, code & 0xFF | 0x80] if code > 0xFF else [code | 0x80]
    return found


def _inflated(data: str, size: int) -> bytes:
    rgb = zlib.decompressobj().decompress(base64.b64decode(data), size)
    if len(rgb) != size:
        raise ActionError("VirtualBox sent a part of a picture")
    return rgb
