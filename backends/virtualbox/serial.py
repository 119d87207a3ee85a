"""A VM's serial port where VirtualBox offers it: a host pipe (a Unix socket) or TCP, as server (VBoxManage 7.2)."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from backends.abilities.serial import Serial, SerialPort, SerialTaken
from backends.base import ActionError
from backends.console import Console
from backends.model import Ref
from backends.socket_console import SocketConsole
from backends.text import clean
from backends.virtualbox.manage import refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_PORTS = ("1", "2", "3", "4")
_LONGEST_PATH = 100
"""A Unix socket's path may have 107 bytes."""
_PATIENCE = 5.0
_AGAIN = 3.0
_AT_ONCE = 0.15
"""Seconds in which VirtualBox closes the connection of a second one who comes."""
_LIVE = {"running", "paused"}
_TAKEN = "somebody is connected to its serial port, and VirtualBox lets nobody else in"


class VirtualBoxSerial(Serial):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def port(self, ref: Ref) -> SerialPort:
        info = await self._info(ref)
        live = info.get("VMState") in _LIVE
        if served := _served(info):
            if not live:
                return SerialPort(reason="it is off: start it first")
            return SerialPort(f"TCP port {served[1]}" if served[0] == "tcpserver" else f"host pipe {clean(served[1])}")
        wired = next((wiring for number in _PORTS if (wiring := info.get(f"uartmode{number}"))), "")
        if wired:
            reason = (
                f"its serial port is {clean(wired.partition(',')[0])}: only a host pipe or TCP server can be joined"
            )
        else:
            reason = "it has no serial port"
        if info.get("VMState") not in {"poweroff", "aborted"}:
            return SerialPort(reason=f"{reason}; one can be added when it is powered off")
        try:
            number, path = _free(info)
        except ActionError as error:
            return SerialPort(reason=f"{reason}; {error}")
        return SerialPort(reason=reason, offer=f"COM{number} as a host pipe, {clean(path)}")

    async def open(self, ref: Ref, *, force: bool = False) -> Console:
        served = _served(await self._info(ref))
        if served is None:
            raise ActionError("it has no serial port that can be joined")
        try:
            async with asyncio.timeout(_PATIENCE):
                connected = await _joined(*served)
        except (OSError, TimeoutError) as error:
            number = getattr(error, "errno", None)
            words = os.strerror(number) if number else "it does not answer"
            raise ActionError(f"its serial port {clean(served[1])} cannot be joined: {clean(words)}") from None
        if await _closed(connected):
            connected.close()
            raise ActionError(_TAKEN) if force else SerialTaken(_TAKEN)
        return SocketConsole(connected)

    async def add(self, ref: Ref) -> None:
        number, path = _free(await self._info(ref))
        base, interrupt = (("0x3F8", "4"), ("0x2F8", "3"), ("0x3E8", "4"), ("0x2E8", "3"))[int(number) - 1]
        mode = f"--uart-mode{number}" if await self._is_seven() else f"--uartmode{number}"
        await self._manage("modifyvm", ref.id, f"--uart{number}", base, interrupt, mode, "server", path)

    async def _is_seven(self) -> bool:
        version = await self._manage("--version")
        found = re.match(r"(\d+)", version.strip().splitlines()[-1] if version.strip() else "")
        return found is None or int(found[1]) >= 7

    async def _info(self, ref: Ref) -> Mapping[str, str]:
        with refusals():
            return await self._backend.manager().info(ref.id)

    async def _manage(self, *arguments: str) -> str:
        with refusals():
            return await self._backend.manager().run(*arguments)


def _served(info: Mapping[str, str]) -> tuple[str, str] | None:
    """Mode and place of the first port that waits for somebody to join."""
    for number in _PORTS:
        if info.get(f"uart{number}", "off") == "off":
            continue
        mode, _, place = info.get(f"uartmode{number}", "").partition(",")
        if mode in {"server", "tcpserver"} and place:
            return mode, place
    return None


def _free(info: Mapping[str, str]) -> tuple[str, str]:
    """The number of a port the VM does not have yet, and a path for it that lies beside the VM's settings."""
    number = next((number for number in _PORTS if info.get(f"uart{number}", "off") == "off"), "")
    if not number:
        raise ActionError("all four of its serial ports are wired otherwise")
    settings = info.get("CfgFile", "")
    path = str(PurePosixPath(settings).parent / f"com{number}.sock")
    if not settings.startswith("/") or len(os.fsencode(path)) > _LONGEST_PATH:
        raise ActionError(
            "its folder's path is too long for a pipe: add one by VBoxManage modifyvm --uart-mode1 tcpserver"
        )
    return number, path


async def _joined(mode: str, place: str) -> socket.socket:
    """Connect; for a while again and again, as VirtualBox listens anew only a moment after somebody left (7.2)."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _AGAIN
    while True:
        try:
            return await _connect(mode, place)
        except (ConnectionRefusedError, FileNotFoundError):
            if loop.time() > deadline:
                raise
        await asyncio.sleep(0.1)


async def _connect(mode: str, place: str) -> socket.socket:
    loop = asyncio.get_running_loop()
    if mode == "server":
        connected = socket.socket(socket.AF_UNIX)
        target: str | tuple[str, int] = place
    else:
        connected = socket.socket(socket.AF_INET)
        target = ("127.0.0.1", int(place))
    connected.setblocking(False)
    try:
        await loop.sock_connect(connected, target)
    except BaseException:
        connected.close()
        raise
    return connected


async def _closed(connected: socket.socket) -> bool:
    """Whether the other side closed it at once."""
    await asyncio.sleep(_AT_ONCE)
    with suppress(BlockingIOError):
        try:
            return connected.recv(1, socket.MSG_PEEK) == b""
        except ConnectionError:
            return True
    return False
