"""Screens and keyboards of simulated VMs: consoles that answer what is typed, and two desktops that only look so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.abilities.screens import Chord, Keyboard, Picture, Screens
from backends.base import ActionError
from backends.demo.desktops import desktop
from backends.demo.prompt import SimulatedShell
from backends.demo.vga import TextScreen
from backends.keyboard import CTRL_ALT_DEL, chord_of, scan_codes
from backends.model import VM, Ref, State

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_KEY = 0.01
"""Seconds for a key, at the demo's own pace."""
_LINE_EACH = 0.12
"""Seconds for a line of the boot."""
_CHARACTERS = {chord: chr(code) for code in range(0x20, 0x7F) if (chord := chord_of(chr(code)))}
_SPECIAL: dict[Chord, str] = {
    ("enter",): "\r",
    ("tab",): "\t",
    ("backspace",): "\x7f",
    ("up",): "\x1b[A",
    ("down",): "\x1b[B",
}
_LIVE = {State.RUNNING, State.PAUSED, State.STARTING, State.STOPPING, State.RESTARTING, State.SAVING}


class DemoScreens(Screens):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._guests: dict[Ref, Guest] = {}

    def guest(self, ref: Ref) -> Guest:
        """The guest of a VM that runs. Raises ActionError."""
        vm = self._backend.world.items.get(ref)
        if not isinstance(vm, VM):
            raise ActionError("the VM is gone")
        if vm.state not in _LIVE:
            raise ActionError(f"{vm.name} is not running")
        guest = self._guests.get(ref)
        if guest is None or guest.started != vm.started:
            guest = self._guests[ref] = Guest(vm, self._backend)
        return guest

    async def picture(self, ref: Ref) -> Picture:
        guest = self.guest(ref)
        return await asyncio.to_thread(guest.picture)


class DemoKeyboard(Keyboard):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def press(self, ref: Ref, chords: Sequence[Chord]) -> None:
        screens = self._backend.ability(Screens)
        if not isinstance(screens, DemoScreens):
            raise ActionError("there is no keyboard")
        vm = self._backend.world.items.get(ref)
        if isinstance(vm, VM) and vm.state is not State.RUNNING:
            raise ActionError(f"{vm.name} is {vm.state}: its guest takes no keys")
        guest = screens.guest(ref)
        for chord in chords:
            scan_codes(chord)
            guest.press(chord)
            await asyncio.sleep(_KEY * self._backend.world.options.pace)


class Guest:
    """What runs in a VM: it boots, asks who logs in, and has a shell."""

    def __init__(self, vm: VM, backend: DemoBackend) -> None:
        self.started = vm.started
        self._vm = vm
        self._clock = backend.clock
        self._began = vm.started or backend.clock()
        self._desktop = desktop(vm.os_type)
        self._boot()

    def _boot(self) -> None:
        self._screen = TextScreen()
        self._shell: SimulatedShell | None = None
        self._waiting = _boot_lines(self._vm)
        self._shown = 0
        self._asks = "login"
        self._typed = ""

    def picture(self) -> Picture:
        if self._desktop is not None:
            return self._desktop(self._clock())
        self._advance()
        return self._screen.picture()

    def _advance(self) -> None:
        """Show what the boot has come to."""
        due = int((self._clock() - self._began) / _LINE_EACH)
        while self._shown < min(due, len(self._waiting)):
            self._screen.write(f"{self._waiting[self._shown]}\r\n")
            self._shown += 1
            if self._shown == len(self._waiting):
                self._screen.write(f"{self._vm.name} login: ")

    def press(self, chord: Chord) -> None:
        if self._desktop is not None:
            return
        if chord == CTRL_ALT_DEL:
            self._began = self._clock()
            self._boot()
            return
        self._advance()
        if self._shown < len(self._waiting):
            return
        text = _CHARACTERS.get(chord) or _SPECIAL.get(chord, "")
        if chord[0] == "ctrl" and len(chord) == 2 and len(chord[1]) == 1:
            text = chr(ord(chord[1]) & 0x1F)
        if self._shell is not None:
            self._screen.write(self._shell.feed(text.encode()).decode())
            if self._shell.code is not None:
                self._shell, self._asks = None, "login"
                self._screen.write(f"\x1b[2J{_banner(self._vm)}\r\n\r\n{self._vm.name} login: ")
        elif text:
            self._log_in(text)

    def _log_in(self, text: str) -> None:
        if text == "\x7f":
            if self._typed and self._asks == "login":
                self._screen.write("\b \b")
            self._typed = self._typed[:-1]
        elif text != "\r":
            self._typed += text
            if self._asks == "login" and text.isprintable():
                self._screen.write(text)
        elif self._asks == "login":
            self._screen.write("\r\n")
            if self._typed:
                self._asks = "password"
                self._screen.write("Password: ")
            else:
                self._screen.write(f"{self._vm.name} login: ")
            self._typed = ""
        else:
            self._shell = SimulatedShell(self._vm.name, ["USER=root"], ("/sbin/init",), self._clock)
            self._screen.write(f"\r\nLast login: Thu Jan  1 09:12:44 on tty1\r\n{self._shell.prompt}")


def _banner(vm: VM) -> str:
    system = vm.os_type.partition(" (")[0] or "Linux"
    return f"{system} {vm.name} tty1"


def _boot_lines(vm: VM) -> list[str]:
    memory = vm.memory >> 10
    if "FreeBSD" in vm.os_type:
        return [
            "---<<BOOT>>---",
            "FreeBSD 14.1-RELEASE GENERIC amd64",
            f"real memory  = {vm.memory} ({vm.memory >> 20} MB)",
            f"FreeBSD/SMP: Multiprocessor System Detected: {vm.cpus} CPUs",
            "ada0: <VBOX HARDDISK 1.0> ATA-6 device",
            "em0: <Intel(R) Legacy PRO/1000 MT 82540EM>",
            "Mounting local filesystems: .",
            "Starting sshd.",
            "",
            _banner(vm).replace("tty1", "ttyv0"),
            "",
        ]
    kernel = (
        "Linux version 6.1.0-demo (simulated) #1 SMP PREEMPT_DYNAMIC",
        "Command line: BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro",
        f"Memory: {memory - memory // 12}K/{memory}K available",
        f"smpboot: Allowing {vm.cpus} CPUs, 0 hotplug CPUs",
        "ACPI: PM-Timer IO Port: 0x4008",
        "PCI: Using configuration type 1 for base access",
        "ata3.00: ATA-6: VBOX HARDDISK, 1.0, max UDMA/133",
        "e1000 0000:00:03.0 enp0s3: Intel(R) PRO/1000 Network Connection",
        "EXT4-fs (sda1): mounted filesystem with ordered data mode.",
    )
    units = (
        "Mounted /boot.",
        "Started Journal Service.",
        "Reached target Local File Systems.",
        "Started Network Time Synchronization.",
        "Started OpenBSD Secure Shell server.",
        "Reached target Multi-User System.",
    )
    lines = [f"[{at * at * 0.041 + at * 0.37:12.6f}] {text}" for at, text in enumerate(kernel)]
    lines += [f"[\x1b[1;32m  OK  \x1b[0m] {text}" for text in units]
    return [*lines, "", _banner(vm), ""]
