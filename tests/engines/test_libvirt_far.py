"""libvirt on another machine, reached by a real ssh server of the tests' own, whose files are not those of here."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from backends.abilities.creating import MB, Creating, NewVM
from backends.abilities.editing import DetachDisk, Editing, When
from backends.abilities.media import Media
from backends.abilities.screens import Screens
from backends.abilities.serial import Serial
from backends.base import EngineError
from backends.libvirt import backend as backend_module
from backends.libvirt import connection as connection_module
from backends.libvirt.backend import LibvirtBackend
from backends.model import Action, ActionOptions, Kind, Ref, State
from tests.engines.docker_backend import eventually
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.machines import Heard, able
from tests.engines.ssh_server import PrivateSsh, far
from tests.engines.test_libvirt_machines import _no_pools, images

__all__ = ["far"]
pytestmark = pytest.mark.libvirt


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[LibvirtBackend]:
    backend = LibvirtBackend("libvirt", url)
    await backend.connect()
    try:
        yield backend
    finally:
        await backend.close()


async def failure(url: str) -> EngineError:
    backend = LibvirtBackend("libvirt", url)
    try:
        with pytest.raises(EngineError) as caught:
            await backend.connect()
    finally:
        await backend.close()
    assert "\n" not in caught.value.reason
    return caught.value


async def test_who_is_not_known_is_refused_without_a_question(far: PrivateSsh) -> None:
    far.know("")
    error = await failure(far.url)
    assert "the key of 127.0.0.1 is not known here" in error.reason
    assert error.remedy == f"connect once and check it: ssh -p {far.port} root@127.0.0.1"
    far.know("other")
    error = await failure(far.url)
    assert "another one than before" in error.reason
    assert f"ssh-keygen -R '[127.0.0.1]:{far.port}'" in error.remedy
    far.know("host")
    (far.folder / "key").write_bytes((far.folder / "other").read_bytes())
    error = await failure(far.url)
    assert error.reason == "ssh to 127.0.0.1 is refused: permission denied"
    assert "ssh-add" in error.remedy
    far.stop()
    assert "Connection refused" in (await failure(far.url)).reason


async def test_a_vm_of_another_machine_is_made_run_seen_and_deleted(
    far: PrivateSsh, libvirt: PrivateLibvirt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    _no_pools(libvirt)
    iso = tmp_path / "tools.iso"
    iso.write_bytes(os.urandom(300_000))
    spec = NewVM("far one", "", 1, 32 * MB, size=4 * MB, format="qcow2", network="user", accelerator="qemu")
    async with connected(far.url) as backend:
        ref = await able(backend, Creating).create(spec, Heard())
        there = await able(backend, Media).bring(str(iso), Heard())
        assert (images(libvirt) / "tools.iso").read_bytes() == iso.read_bytes()
        assert there == "/var/lib/libvirt/images/tools.iso"
        assert not await asyncio.to_thread(Path(there).exists)
        found = await able(backend, Media).media()
        assert {medium.path: medium.users for medium in found}["/var/lib/libvirt/images/far one.qcow2"] == ("far one",)
        events = backend.events()
        await backend.perform(Action.START, ref, ActionOptions())
        async with asyncio.timeout(60):
            while ref not in await anext(events):
                pass
        assert libvirt.state(ref.id) == "running"
        picture = await able(backend, Screens).picture(ref)
        assert picture.width >= 320
        console = await able(backend, Serial).open(ref)
        console.close()
        await backend.perform(Action.KILL, ref, ActionOptions())
        (off,) = (await backend.list_some([ref])).updated
        assert off.state is State.OFF
        await backend.perform(Action.DELETE, ref, ActionOptions())
        assert libvirt.state(ref.id) == ""
    _no_pools(libvirt)


async def test_paths_of_another_machine_are_never_taken_for_those_of_here(
    far: PrivateSsh, libvirt: PrivateLibvirt, tmp_path: Path
) -> None:
    here = tmp_path / "same path.img"
    here.write_bytes(bytes(4096))
    more = f'<disk type="file"><driver name="qemu" type="raw"/><source file="{here}"/><target dev="vdb"/></disk>'
    ref = Ref("libvirt", Kind.VM, libvirt.define("far", extra=more))
    async with connected(far.url) as backend:
        editing = able(backend, Editing)
        now = await editing.settings(ref)
        drive = next(drive for drive in now.drives if drive.path == str(here))
        assert drive.size is None
        assert all(loss.kept for loss in await backend.losses(Action.DELETE, ref) if loss.id or str(here) in loss.text)
        (outcome,) = await editing.apply(ref, now, [DetachDisk(drive, delete=True)], Heard())
        assert outcome.when is When.REFUSED
        assert "no storage pool of that machine" in outcome.reason
        assert here.exists()
        assert str(here) not in libvirt.virsh("domblklist", ref.id)


async def test_a_lost_connection_is_noticed_and_found_again(
    far: PrivateSsh, libvirt: PrivateLibvirt, monkeypatch: pytest.MonkeyPatch
) -> None:
    libvirt.define("far")
    monkeypatch.setattr(connection_module, "KEEPALIVE_INTERVAL", 1)
    monkeypatch.setattr(connection_module, "KEEPALIVE_COUNT", 2)
    async with connected(far.url) as backend:
        for number in (signal.SIGKILL, signal.SIGSTOP):
            news = asyncio.ensure_future(anext(backend.events()))
            await asyncio.sleep(0)
            far.signal(number)
            with pytest.raises(EngineError, match="lost libvirt"):
                await asyncio.wait_for(news, 60)
            if number is signal.SIGSTOP:
                # ssh to it would wait for ever
                monkeypatch.setattr(backend_module, "_CALL_TIMEOUT", 2.0)
                with pytest.raises(EngineError, match="does not answer"):
                    await backend.connect()
                assert not [pid for pid in children() if b"virt-ssh-helper" in command(pid)]
                monkeypatch.undo()
                monkeypatch.setenv("PATH", f"{far.folder / 'bin'}:{os.environ['PATH']}")
                far.signal(signal.SIGCONT)
            else:
                far.stop()
                far.start()
            await backend.connect()
            assert [vm.name for vm in (await backend.list_all()).vms] == ["far"]


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def command(pid: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


async def test_the_list_goes_on_while_an_action_hangs(libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("hangs", start=True)
    libvirt.define("other")
    ref = Ref("libvirt", Kind.VM, uuid)
    qemu = int((libvirt.directory / "run/qemu/hangs.pid").read_text())
    async with connected(libvirt.url) as backend:
        os.kill(qemu, signal.SIGSTOP)
        try:
            pausing = asyncio.ensure_future(backend.perform(Action.PAUSE, ref, ActionOptions()))
            await asyncio.sleep(0.3)
            slowest = 0.0
            for _ in range(15):
                began = time.monotonic()
                assert len((await backend.list_all()).vms) == 2
                slowest = max(slowest, time.monotonic() - began)
                await asyncio.sleep(0.02)
            assert not pausing.done()
            # the daemon gives up an answer of the other's only after 30 s
            assert slowest < 15
        finally:
            os.kill(qemu, signal.SIGCONT)
        await pausing

        async def paused() -> bool:
            return libvirt.state(uuid) == "paused"

        await eventually(paused, "it to be paused")
