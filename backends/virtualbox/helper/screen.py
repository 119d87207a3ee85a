"""a VM's screen and keyboard. API: VirtualBox 7.2."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


def methods(connection: Any) -> dict[str, Callable[..., Any]]:
    """Requests by name."""
    screen = Screen(connection)
    return {"picture": screen.picture, "scan_codes": screen.scan_codes}


class Screen:
    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.sessions: dict[str, Any] = {}
        self.number = 0
        self.last: tuple[str, int, int, bytes] = ("", 0, 0, b"")

    @contextmanager
    def console(self, machine_id: str) -> Iterator[Any]:
        machine = self.connection.find(machine_id)
        try:
            yield self._session(machine_id, machine).console
        except Exception as error:
            self._release(machine_id)
            raise self.connection.told(error) from None

    def _session(self, machine_id: str, machine: Any) -> Any:
        """Kept as long as its VM runs: with one for each question, VBoxSVC 7.2.22 crashed or hung as VMs ended."""
        locked = self.connection.value("SessionState_Locked")
        # A shared lock on a machine that nobody holds would make this process its owner.
        if int(machine.sessionState) != locked:
            raise RuntimeError(machine.name + " is not running")
        session = self.sessions.get(machine_id)
        if session is None or int(session.state) != locked:
            session = self.connection.manager.get_session()._i
            machine.lockMachine(session, self.connection.value("LockType_Shared"))
            self.sessions[machine_id] = session
        if session.console is None:
            raise RuntimeError(machine.name + " is not running")
        return session

    def _release(self, machine_id: str) -> None:
        session = self.sessions.pop(machine_id, None)
        # It may have gone with its VM
        with suppress(Exception):
            if session is not None and int(session.state) == self.connection.value("SessionState_Locked"):
                session.unlockMachine()

    def picture(self, machine_id: str, known: int) -> dict[str, Any]:
        """The first screen: three bytes a pixel, deflated, in base64; only its number when that is `known` already."""
        with self.console(machine_id) as console:
            display = console.display
            width, height = display.getScreenResolution(0)[:2]
            if not (width and height):
                raise RuntimeError("its screen is switched off")
            pixels = display.takeScreenShotToArray(0, width, height, self.connection.value("BitmapFormat_BGR0"))
        rgb = bytearray(width * height * 3)
        for channel in range(3):
            rgb[channel::3] = pixels[2 - channel :: 4]
        shown = (machine_id, width, height, bytes(rgb))
        if shown != self.last:
            self.last = shown
            self.number += 1
        answer: dict[str, Any] = {"number": self.number, "width": width, "height": height}
        if known != self.number:
            answer["data"] = base64.b64encode(zlib.compress(shown[3], 1)).decode()
        return answer

    def scan_codes(self, machine_id: str, codes: list[int], release: list[int]) -> None:
        """Have the keyboard send these bytes; when it does not take them all, `release` lets go of what is pressed."""
        with self.console(machine_id) as console:
            try:
                console.keyboard.putScancodes(codes)
            except Exception:
                console.keyboard.putScancodes(release)
                raise
