"""A VM's serial port on the real terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from backends.abilities.serial import Serial, SerialPort, SerialTaken
from backends.console import Console
from backends.model import Item
from tui.commands import BY_ID
from tui.handlers.area import Area
from tui.selection import name_of
from tui.terminal.foreground import in_foreground
from tui.terminal.keys import Leave
from tui.terminal.outcome import How, Outcome
from tui.terminal.pump import show_console
from widgets.confirm import Choice, Confirm

LEAVE = Leave(b"\x1d", "Ctrl-]")
"""As virsh has it: a serial port needs every other key, and one press of this one is enough."""
_CANCEL = Choice("cancel", "Cancel")


class SerialArea(Area):
    async def open(self, items: Sequence[Item]) -> None:
        item = items[0]
        serial = self.able(item.ref.engine, Serial)
        port = await self.wait_for(serial.port(item.ref), f"Looking for a serial port of {name_of(item)} ...")
        if port is None:
            return
        if not port.wiring:
            await self._without(item, serial, port)
            return
        opening = f"Joining the serial port of {name_of(item)} ..."
        try:
            console = await self.wait_for(serial.open(item.ref), opening)
        except SerialTaken as taken:
            if not await self._may_take(item, str(taken)):
                return
            console = await self.wait_for(serial.open(item.ref, force=True), opening)
        if console is not None:
            await self.app.noted("serial console", item, self._session(item, port, console))

    async def _session(self, item: Item, port: SerialPort, console: Console) -> None:
        name = name_of(item)
        banner = f"boxtop: serial port of {name} on {item.ref.engine}, {port.wiring}; {LEAVE.text} returns."
        try:
            outcome = in_foreground(
                self.app, lambda: show_console(console, f"{banner} Enter may show a prompt.", LEAVE)
            )
        finally:
            await asyncio.to_thread(console.close)
        self._tell(item, outcome)

    def _tell(self, item: Item, outcome: Outcome) -> None:
        name = name_of(item)
        if outcome.how is How.LEFT:
            self.main.say(f"Left the serial port of {name}, which runs on; who was logged in there still is.")
        elif outcome.how is How.LOST:
            self.main.warnings.of(item.ref, f"serial port of {name}: the connection broke: {outcome.error}")
        else:
            self.main.say(f"The serial port of {name} was closed: it was powered off, or somebody took it.", "warn")

    async def _may_take(self, item: Item, reason: str) -> bool:
        dialog = Confirm(
            f"Serial port of {name_of(item)}",
            [(f"{reason[:1].upper()}{reason[1:]}.", ""), ("Taking it over closes their connection.", "warn")],
            choices=(_CANCEL, Choice("take", "Take over", "error")),
            safe="cancel",
            glyphs=self.glyphs,
        )
        answer = await self.ask(dialog)
        return answer is not None and answer.choice == "take"

    async def _without(self, item: Item, serial: Serial, port: SerialPort) -> None:
        """There is none to join: say why, or offer one."""
        name = name_of(item)
        if not port.offer:
            self.main.say(f"{name}: {port.reason}.", "warn")
            return
        key = self.app.keymap.first(BY_ID["serial.open"]) or "the menu"
        dialog = Confirm(
            f"Serial port for {name}",
            [
                (f"{port.reason[:1].upper()}{port.reason[1:]}.", ""),
                (f"boxtop can give it {port.offer}.", "strong"),
                ("", ""),
                (f"It is there from the next start on; {key} joins it then. A Linux guest", "dim"),
                ("writes to it with console=ttyS0 among its kernel's parameters.", "dim"),
            ],
            choices=(_CANCEL, Choice("add", "Add the port")),
            safe="cancel",
            glyphs=self.glyphs,
        )
        answer = await self.ask(dialog)
        if answer is None or answer.choice != "add":
            return
        if await self.each([item], lambda chosen: serial.add(chosen.ref), "add serial port"):
            self.main.say(f"{name} has a serial port from its next start on.")
