"""Serial ports and engines' logs of real VMs: joined, typed into, taken over, powered off meanwhile."""

from __future__ import annotations

import asyncio
import select
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.abilities.engine_log import EngineLog
from backends.abilities.serial import Serial, SerialTaken
from backends.base import ActionError, Backend, EngineSettings
from backends.console import Console
from backends.libvirt.backend import LibvirtBackend
from backends.model import Kind, Ref
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.virtualbox_engine import PrivateVirtualBox

# Boot sector: sets COM1 to 115200 baud, then sends back whatever comes
ECHOES = bytes.fromhex(
    "bafb03b080ee b2f8b001ee 42b000ee b2fbb003ee bafd03 ec a801 74fb b2f8 ec 88c3 b2fd ec a820 74fb b2f8 88d8 ee ebe5"
)
DISK = ECHOES.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20)


def heard(console: Console, count: int, seconds: float = 60.0) -> bytes:
    """So many bytes from the guest; fewer when it closed before."""
    found, deadline = b"", time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        if not console.pending:
            select.select([console], [], [], 0.2)
        data = console.recv()
        if data == b"":
            return found + b"<closed>"
        found += data or b""
    return found


def echoed(console: Console, text: bytes) -> bytes:
    """What comes back of this, typed as a person does: each key once the one before was seen."""
    found = b""
    for _ in range(200):
        # until the guest is up what is typed is lost
        console.send(text[:1])
        if found := heard(console, 1, 0.3):
            break
    for key in text[1:]:
        console.send(bytes([key]))
        found += heard(console, 1)
    while not found.endswith(text) and (more := heard(console, 1)):
        found += more
    return found


@asynccontextmanager
async def connected(backend: Backend) -> AsyncIterator[tuple[Serial, EngineLog]]:
    await backend.connect()
    try:
        serial, log = backend.ability(Serial), backend.ability(EngineLog)
        assert serial is not None and log is not None
        yield serial, log
    finally:
        await backend.close()


@pytest.mark.libvirt
async def test_a_domains_console(libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("talks")
    libvirt.disk(uuid).write_bytes(DISK)
    ref = Ref("libvirt", Kind.VM, uuid)
    async with connected(LibvirtBackend("libvirt", libvirt.url)) as (serial, log):
        with pytest.raises(ActionError, match="never started"):
            await log.read(ref)
        assert (await serial.port(ref)).offer
        await serial.add(ref)
        assert "<serial type='pty'>" in libvirt.virsh("dumpxml", uuid)
        assert "start it first" in (await serial.port(ref)).reason
        libvirt.virsh("start", uuid)
        assert (await serial.port(ref)).wiring == "pty"
        console = await serial.open(ref)
        assert (await asyncio.to_thread(echoed, console, b"hello")).endswith(b"hello")
        with pytest.raises(SerialTaken):
            await serial.open(ref)
        other = await serial.open(ref, force=True)
        assert (await asyncio.to_thread(heard, console, 99)).endswith(b"<closed>")
        console.close()
        assert (await asyncio.to_thread(echoed, other, b"again")).endswith(b"again")
        part = await log.read(ref)
        assert any(b"qemu-system" in line for line in part.lines)
        assert part.place == "/var/log/libvirt/qemu/talks.log"
        libvirt.virsh("destroy", uuid)
        assert (await asyncio.to_thread(heard, other, 99)).endswith(b"<closed>")
        other.close()
        deadline = time.monotonic() + 60
        while not (more := await log.read(ref, part.mark)).lines and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        assert b"shutting down" in more.lines[-1] and not more.anew
        assert "start it first" in (await serial.port(ref)).reason


@pytest.mark.libvirt
async def test_a_console_ends_with_its_daemon(libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("talks", extra='<serial type="pty"/>')
    libvirt.disk(uuid).write_bytes(DISK)
    libvirt.virsh("start", uuid)
    async with connected(LibvirtBackend("libvirt", libvirt.url)) as (serial, _):
        console = await serial.open(Ref("libvirt", Kind.VM, uuid))
        assert (await asyncio.to_thread(echoed, console, b"hello")).endswith(b"hello")
        libvirt.kill()
        with pytest.raises(OSError, match="libvirt does not answer any more"):
            await asyncio.to_thread(heard, console, 99)
        console.close()


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that the private VirtualBox sees by the same path."""
    folder = Path(tempfile.mkdtemp(prefix="bs-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.virtualbox
async def test_a_machines_serial_port(
    virtualbox: PrivateVirtualBox, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    uuid = virtualbox.create("talks", disk=False)
    (virtualbox.directory / "home/talks.img").write_bytes(DISK)
    virtualbox.manage("convertfromraw", "/root/talks.img", f"/root/{uuid}.vdi", "--format", "VDI")
    virtualbox.manage("storagectl", uuid, "--name=SATA", "--add=sata", "--portcount=1")
    virtualbox.attach(uuid, f"/root/{uuid}.vdi")
    virtualbox.manage("movevm", uuid, "--folder", str(shared))
    ref = Ref("virtualbox", Kind.VM, uuid)
    async with connected(VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())) as (serial, log):
        with pytest.raises(ActionError, match="never started"):
            await log.read(ref)
        port = await serial.port(ref)
        assert port.offer == f"COM1 as a host pipe, {shared}/talks/com1.sock"
        await serial.add(ref)
        assert "start it first" in (await serial.port(ref)).reason
        virtualbox.manage("startvm", uuid, "--type=headless")
        assert (await serial.port(ref)).wiring == f"host pipe {shared}/talks/com1.sock"
        console = await serial.open(ref)
        assert (await asyncio.to_thread(echoed, console, b"hello")).endswith(b"hello")
        with pytest.raises(ActionError, match="somebody is connected"):
            await serial.open(ref)
        assert (await asyncio.to_thread(echoed, console, b"again")).endswith(b"again")
        part = await log.read(ref)
        assert part.place == f"{shared}/talks/Logs/VBox.log"
        assert any(b"POWERING_ON" in line for line in part.lines)
        virtualbox.manage("controlvm", uuid, "poweroff")
        assert (await asyncio.to_thread(heard, console, 99)).endswith(b"<closed>")
        console.close()
        more = await log.read(ref, part.mark)
        assert any(b"POWERING_OFF" in line for line in more.lines) and not more.anew
        # the next start begins another log
        virtualbox.manage("startvm", uuid, "--type=headless")
        last = await log.read(ref, more.mark)
        assert last.anew and last.lines
        for number in range(3):
            # whoever left may come back at once
            console = await serial.open(ref)
            assert (await asyncio.to_thread(echoed, console, b"x")).endswith(b"x"), number
            console.close()
        virtualbox.manage("controlvm", uuid, "poweroff")
        virtualbox.wait_state(uuid, "poweroff")
        with socket.create_server(("127.0.0.1", 0)) as free:
            free_port = str(free.getsockname()[1])
        virtualbox.manage("modifyvm", uuid, "--uart-mode1", "tcpserver", free_port)
        virtualbox.manage("startvm", uuid, "--type=headless")
        assert (await serial.port(ref)).wiring == f"TCP port {free_port}"
        for number in range(3):
            console = await serial.open(ref)
            assert (await asyncio.to_thread(echoed, console, b"x")).endswith(b"x"), number
            console.close()
