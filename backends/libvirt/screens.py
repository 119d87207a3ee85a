"""A libvirt domain's screen and keyboard. libvirt 9.0 API: virDomainScreenshot, virDomainSendKey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backends import png
from backends.abilities.screens import Chord, Keyboard, Picture, Screens
from backends.base import ActionError
from backends.keyboard import PACE, scan_codes
from backends.libvirt.connection import Connection
from backends.model import Ref

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend

_PIECE = 256 << 10
_MOST = 256 << 20
_QNUM = 9
"""VIR_KEYCODE_SET_QNUM: set 1 scan codes, those behind 0xE0 with their highest bit set."""
_AT_ONCE = 8


class LibvirtScreens(Screens):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend
        self._waiting: set[str] = set()

    async def picture(self, ref: Ref) -> Picture:
        # A thread that waits for a hung monitor cannot be called back: only one of them for each domain
        if ref.id in self._waiting:
            raise ActionError("libvirt has not answered yet for this VM's screen")
        self._waiting.add(ref.id)

        def shoot(connection: Connection) -> bytes:
            try:
                # it waits for QEMU's monitor, which may hang
                return _screenshot(connection.beside("screens"), ref.id)
            except connection.libvirt.libvirtError as error:
                if "no screens" in str(error):
                    raise ActionError("no video device is defined for it") from None
                raise
            finally:
                self._waiting.discard(ref.id)

        data = await self._backend.ask(shoot)
        try:
            return await asyncio.to_thread(picture_of, data)
        except ValueError as error:
            raise ActionError(f"libvirt sent {error}") from None


def _screenshot(connection: Connection, identity: str) -> bytes:
    """A picture file of the kind the hypervisor makes."""
    stream: Any = connection.virt.newStream(0)
    try:
        connection.domain(identity).screenshot(stream, 0, 0)
        pieces, size = [], 0
        while piece := stream.recv(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > _MOST:
                raise ActionError("its screen is too large")
        stream.finish()
    except BaseException:
        with suppress(connection.libvirt.libvirtError):
            stream.abort()
        raise
    return b"".join(pieces)


def picture_of(data: bytes) -> Picture:
    """The picture in a PNG (QEMU 7.1 and later) or PPM file. Raises ValueError."""
    return _ppm(data) if data[:2] == b"P6" else png.decode(data)


def _ppm(data: bytes) -> Picture:
    fields: list[int] = []
    at = 2
    while len(fields) < 3:
        while data[at : at + 1].isspace():
            at += 1
        if data[at : at + 1] == b"#":
            at = data.index(b"\n", at)
            continue
        start = at
        while data[at : at + 1].isdigit():
            at += 1
        if start == at:
            raise ValueError("a PPM file that cannot be read")
        fields.append(int(data[start:at]))
    width, height, most = fields
    rgb = data[at + 1 :]
    if most != 255 or not width * height or len(rgb) != width * height * 3:
        raise ValueError("a PPM file of a kind that is not read here")
    return Picture(width, height, rgb)


class LibvirtKeyboard(Keyboard):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend

    async def press(self, ref: Ref, chords: Sequence[Chord]) -> None:
        numbers = [[code & 0xFF | (0x80 if code > 0xFF else 0) for code in scan_codes(chord)] for chord in chords]
        for start in range(0, len(numbers), _AT_ONCE):
            portion = numbers[start : start + _AT_ONCE]
            await self._backend.ask(lambda connection, portion=portion: _send(connection, ref.id, portion))  # type: ignore[misc]


def _send(connection: Connection, identity: str, chords: Sequence[Sequence[int]]) -> None:
    domain = connection.domain(identity)
    for codes in chords:
        domain.sendKey(_QNUM, 0, list(codes), len(codes), 0)
        time.sleep(PACE)
