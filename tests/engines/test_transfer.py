"""VMs exported and brought back on the real engines: what is made, and what a cancel or a full disk leaves."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backends.abilities.transfer import Transfer
from backends.base import ActionError, EngineSettings
from backends.libvirt.backend import LibvirtBackend
from backends.model import Kind, Ref
from backends.progress import Progress
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.virtualbox_engine import PrivateVirtualBox, top

MB = 1 << 20


def ran(*command: str) -> str:
    """What a program prints, whatever its exit status."""
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout


class Heard:
    """A report that calls `on` once, when the work tells that it is at `at`, bytes or per cent."""

    def __init__(self, on: Callable[[], object] | None = None, at: int = 0) -> None:
        self._on, self._at = on, at

    def progress(self, progress: Progress) -> None:
        if self._on is not None and progress.done is not None and progress.done >= self._at:
            on, self._on = self._on, None
            on()

    def line(self, text: str) -> None:
        """Nobody reads it."""


async def cancelled_at_work(
    work: Callable[[Heard], Coroutine[Any, Any, str]], begun: Callable[[], bool], at: int = 0
) -> None:
    """Cancel the work amid its telling how far it is, so that it is never done before; what it makes is `begun`."""
    seen: list[bool] = []

    def cancel() -> None:
        seen.append(begun())
        task.cancel()

    task = asyncio.ensure_future(work(Heard(cancel, at)))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [True]


# -- libvirt ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def joined(url: str) -> AsyncIterator[Transfer]:
    backend = LibvirtBackend("libvirt", url)
    await backend.connect()
    try:
        found = backend.ability(Transfer)
        assert found is not None
        yield found
    finally:
        await backend.close()


def domain(identity: str) -> Ref:
    return Ref("libvirt", Kind.VM, identity)


@pytest.fixture
def images(libvirt: PrivateLibvirt) -> Iterator[Path]:
    """The folder of the pool `default`."""
    folder = libvirt.directory / "disks/pool"
    folder.mkdir()
    libvirt.virsh("pool-define-as", "default", "dir", "--target", str(folder))
    libvirt.virsh("pool-start", "default")
    yield folder
    libvirt.virsh("pool-destroy", "default", check=False)
    libvirt.virsh("pool-undefine", "default", check=False)


@pytest.mark.libvirt
async def test_a_domain_goes_out_and_comes_back(libvirt: PrivateLibvirt, images: Path, tmp_path: Path) -> None:
    card = '<interface type="user"><mac address="52:54:00:11:22:33"/></interface>'
    uuid = libvirt.define("mine '运行'", extra=card)
    disk = libvirt.disk(uuid)
    with disk.open("r+b") as file:
        file.truncate(16 * MB)
    before, xml = disk.read_bytes(), libvirt.virsh("dumpxml", uuid)
    out = tmp_path / "out"
    async with joined(libvirt.url) as transfer:
        room = await transfer.room(domain(uuid), str(out))
        assert room.needs is not None and room.needs < 4 * MB, "holes need no room"
        await transfer.export(domain(uuid), str(out), Heard())
        assert sorted(path.name for path in out.iterdir()) == ["domain.xml", "hda.raw"]
        assert (out / "hda.raw").stat().st_size == 16 * MB
        assert (out / "hda.raw").stat().st_blocks * 512 < 4 * MB
        with pytest.raises(ActionError, match="is there already"):
            await transfer.export(domain(uuid), str(out), Heard())
        assert (await transfer.look(str(out))).name == "mine '运行'"
        assert await transfer.name_taken("mine '运行'") == "there is a VM of this name"
        await transfer.bring(str(out), "-second", Heard())
    other = libvirt.virsh("domuuid", "--domain", "-second")
    assert other != uuid
    text = libvirt.virsh("dumpxml", other)
    assert "52:54:00:11:22:33" not in text and "<mac address=" in text
    made = libvirt.disk(other)
    assert made.parent == images
    assert made.read_bytes() == before == disk.read_bytes()
    assert libvirt.virsh("dumpxml", uuid) == xml
    libvirt.virsh("start", other)


@pytest.mark.libvirt
async def test_what_is_cancelled_or_finds_no_room_leaves_nothing(
    libvirt: PrivateLibvirt, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = libvirt.define("big")
    disk = libvirt.disk(uuid)
    with disk.open("ab") as file:
        file.write(os.urandom(MB) * 150)
    small = tmp_path / "small"
    small.mkdir()
    ran("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small))
    try:
        async with joined(libvirt.url) as transfer:
            await cancelled_at_work(
                lambda heard: transfer.export(domain(uuid), str(tmp_path / "out"), heard),
                (tmp_path / "out/hda.raw").exists,
            )
            assert not (tmp_path / "out").exists()
            with pytest.raises(ActionError, match=r"it needs 15\d MB"):
                await transfer.export(domain(uuid), str(small / "out"), Heard())
            with monkeypatch.context() as patch:
                # a file system that does not tell how much room is left
                patch.setattr("backends.libvirt.transfer.free_at", lambda path: None)
                with pytest.raises(ActionError, match="the disk is full"):
                    await transfer.export(domain(uuid), str(small / "out"), Heard())
            assert os.listdir(small) == []
            await transfer.export(domain(uuid), str(tmp_path / "whole"), Heard())
            await cancelled_at_work(
                lambda heard: transfer.bring(str(tmp_path / "whole"), "again", heard), lambda: any(images.iterdir())
            )
            assert not os.listdir(images)
            assert libvirt.virsh("domuuid", "--domain", "again", check=False) == ""
            libvirt.virsh("start", uuid)
            with pytest.raises(ActionError, match="shut it down first"):
                await transfer.export(domain(uuid), str(tmp_path / "out"), Heard())
        assert not list(small.glob("*"))
    finally:
        ran("umount", str(small))
    assert not (tmp_path / "out").exists()


@pytest.mark.libvirt
async def test_a_disk_that_rests_on_another_is_exported_whole(libvirt: PrivateLibvirt, tmp_path: Path) -> None:
    uuid = libvirt.define("overlay")
    base = libvirt.disk(uuid)
    top = libvirt.directory / "disks/top.qcow2"
    ran("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", "raw", str(top))
    xml = libvirt.virsh("dumpxml", uuid).replace(str(base), str(top)).replace("type='raw'", "type='qcow2'")
    file = libvirt.directory / "domain.xml"
    file.write_text(xml)
    libvirt.virsh("define", str(file))
    async with joined(libvirt.url) as transfer:
        await transfer.export(domain(uuid), str(tmp_path / "out"), Heard())
    out = str(tmp_path / "out/hda.qcow2")
    assert "identical" in ran("qemu-img", "compare", "-f", "qcow2", "-F", "raw", out, str(base))
    assert "backing file" not in ran("qemu-img", "info", out)


@pytest.mark.libvirt
async def test_a_strangers_export_reaches_no_file_of_this_machine(libvirt: PrivateLibvirt, tmp_path: Path) -> None:
    uuid = libvirt.define("strange")
    out = tmp_path / "out"
    async with joined(libvirt.url) as transfer:
        await transfer.export(domain(uuid), str(out), Heard())
        text = (out / "domain.xml").read_text()
        for wrong in ("/etc/shadow", "../hda.raw", "gone.raw"):
            (out / "domain.xml").write_text(text.replace("hda.raw", wrong))
            with pytest.raises(ActionError, match="no file"):
                await transfer.look(str(out))
        (out / "domain.xml").write_text(text)
        (out / "hda.raw").unlink()
        (out / "hda.raw").symlink_to("/etc/shadow")
        with pytest.raises(ActionError, match="no file"):
            await transfer.bring(str(out), "strange2", Heard())
    assert libvirt.virsh("list", "--all", "--name") == "strange"


# -- VirtualBox ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that the private VirtualBox sees by the same path."""
    folder = Path(tempfile.mkdtemp(prefix="bt-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def transfer(virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Transfer]:
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    backend = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    await backend.connect()
    found = backend.ability(Transfer)
    assert found is not None
    yield found
    await backend.close()


def machine(identity: str) -> Ref:
    return Ref("virtualbox", Kind.VM, identity)


def files(engine: PrivateVirtualBox) -> set[str]:
    home = engine.directory / "home"
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and ".config" not in path.parts}


@pytest.mark.virtualbox
async def test_a_machine_goes_out_and_comes_back(
    virtualbox: PrivateVirtualBox, transfer: Transfer, shared: Path
) -> None:
    uuid = virtualbox.create("mine '运行'")
    virtualbox.manage("modifyvm", uuid, "--nic1=nat", "--mac-address1=080027AABBCC")
    before = virtualbox.disk(uuid).read_bytes()
    out = str(shared / "out.ova")
    room = await transfer.room(machine(uuid), out)
    assert room.needs and room.free
    await transfer.export(machine(uuid), out, Heard())
    with pytest.raises(ActionError, match="is there already"):
        await transfer.export(machine(uuid), out, Heard())
    assert (await transfer.look(out)).name.startswith("mine '运行'")
    assert await transfer.name_taken("mine '运行'")
    await transfer.bring(out, "-second", Heard())
    machines = virtualbox.machines()
    assert set(machines) == {"mine '运行'", "-second"}
    info = virtualbox.manage("showvminfo", machines["-second"], "--machinereadable")
    assert 'macaddress1="080027AABBCC"' not in info and "macaddress1=" in info
    assert virtualbox.disk(uuid).read_bytes() == before
    virtualbox.run(machines["mine '运行'"])
    with pytest.raises(ActionError, match="shut it down first"):
        await transfer.export(machine(uuid), str(shared / "live.ova"), Heard())
    assert os.listdir(shared) == ["out.ova"]


@pytest.mark.virtualbox
async def test_a_strangers_ova_writes_no_file_outside_of_its_vm(
    virtualbox: PrivateVirtualBox, transfer: Transfer, shared: Path
) -> None:
    uuid = virtualbox.create("plain")
    await transfer.export(machine(uuid), str(shared / "plain.ova"), Heard())
    before = files(virtualbox)
    for number, href in enumerate(("../../evil.vmdk", "/root/evil.vmdk")):
        wrong = shared / f"{number}.ova"
        renamed(shared / "plain.ova", wrong, "plain-disk001.vmdk", href)
        with pytest.raises(ActionError, match="files of this machine outside of it"):
            await transfer.bring(str(wrong), "evil", Heard())
    # its name goes on in the next line of what VBoxManage prints, which looks harmless then
    renamed(shared / "plain.ova", shared / "two.ova", "plain-disk001.vmdk", "x\n/../../evil.vmdk")
    with suppress(ActionError):
        await transfer.bring(str(shared / "two.ova"), "evil", Heard())
    made = files(virtualbox) - before
    assert all(name.startswith("VirtualBox VMs/evil/") for name in made), made
    virtualbox.manage("modifyvm", uuid, '--name=a "b"')
    with pytest.raises(ActionError, match='a " in its name: rename it'):
        await transfer.export(machine(uuid), str(shared / "quoted.ova"), Heard())
    assert not (shared / "quoted.ova").exists()


def renamed(source: Path, target: Path, name: str, wanted: str) -> None:
    """An OVA with a file of another name, and without its checksums."""
    with tarfile.open(source) as old, tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as new:
        for member in old:
            file = old.extractfile(member)
            assert file is not None
            data = file.read()
            if member.name.endswith(".mf"):
                continue
            if member.name.endswith(".ovf"):
                escaped = wanted.replace("\n", "&#10;")
                data = data.replace(f'href="{name}"'.encode(), f'href="{escaped}"'.encode())
                member.size = len(data)
            if member.name == name:
                member.name = wanted
            new.addfile(member, io.BytesIO(data))


@pytest.mark.virtualbox
async def test_what_virtualbox_is_cancelled_at_leaves_nothing(
    virtualbox: PrivateVirtualBox, transfer: Transfer, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = virtualbox.create("big", disk=False)
    virtualbox.manage("storagectl", uuid, "--name=SATA", "--add=sata", "--portcount=4")
    raw = virtualbox.directory / "home/big.img"
    raw.write_bytes(os.urandom(40 * MB))
    virtualbox.manage("convertfromraw", "/root/big.img", f"/root/{uuid}.vdi", "--format", "VDI")
    raw.unlink()
    virtualbox.attach(uuid, f"/root/{uuid}.vdi")
    out = shared / "out.ova"
    before = files(virtualbox)
    # looked at often: a fast machine has it done soon
    monkeypatch.setattr("backends.virtualbox.following._EACH", 0.01)
    await cancelled_at_work(
        lambda heard: transfer.export(machine(uuid), str(out), heard),
        lambda: any(shared.glob(".boxtop-*/out.ova")),
        at=1,
    )
    assert os.listdir(shared) == []
    await transfer.export(machine(uuid), str(out), Heard())
    folder = virtualbox.directory / "home/VirtualBox VMs/again"
    await cancelled_at_work(lambda heard: transfer.bring(str(out), "again", heard), folder.exists)
    assert set(virtualbox.machines()) == {"big"}
    assert files(virtualbox) == before
    assert "again" not in virtualbox.manage("list", "hdds")
    # the folder it is written in is a small file system, which VBoxSVC alone sees
    small = shared / "small"
    (small / "own").mkdir(parents=True)
    (service,) = virtualbox.services()
    inside = f"{top()}/root{small}/own"
    ran("nsenter", "-t", str(service), "-m", "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", inside)
    with monkeypatch.context() as patched, pytest.raises(ActionError, match="the disk is full"):
        patched.setattr("backends.virtualbox.transfer._beside", lambda path: str(small / "own"))
        await transfer.export(machine(uuid), str(small / "out.ova"), Heard())
    assert os.listdir(small) == []
    heard = Heard(partial(os.kill, service, signal.SIGKILL), at=1)
    task = asyncio.ensure_future(transfer.export(machine(uuid), str(shared / "lost.ova"), heard))
    with pytest.raises(ActionError, match="ended meanwhile"):
        await task
    virtualbox.kill()
    assert "lost.ova" not in os.listdir(shared)
