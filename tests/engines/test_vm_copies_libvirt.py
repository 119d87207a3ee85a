"""Snapshots and clones on a real libvirtd with QEMU, checked with virsh and qemu-img; also when it dies or is full."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from backends.abilities.cloning import CloneSpec, Cloning
from backends.abilities.snapshots import Op, Snapshots, refusal
from backends.abilities.vm_settings import Autostart, SavedState
from backends.base import ActionError, EngineError
from backends.libvirt import aftermath
from backends.libvirt.backend import LibvirtBackend
from backends.libvirt.cloning import LibvirtCloning
from backends.model import Action, ActionOptions
from backends.progress import Progress
from tests.engines.docker_backend import eventually
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.machines import able
from tests.engines.machines import domain as ref

pytestmark = pytest.mark.libvirt

ODD = "--x \"q\" 's' 日本,a"
NOTHING = ActionOptions()


class Told:
    """A Report that keeps what it is told; `on` is called once, amid the telling how far a copy is."""

    def __init__(self, on: Callable[[], object] | None = None) -> None:
        self.lines: list[str] = []
        self._on = on

    def progress(self, progress: Progress) -> None:
        if progress.done is not None and progress.total and self._on is not None:
            on, self._on = self._on, None
            on()

    def line(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
async def backend(libvirt: PrivateLibvirt) -> AsyncIterator[LibvirtBackend]:
    connection = LibvirtBackend("libvirt", libvirt.url)
    await connection.connect()
    yield connection
    await connection.close()


def qcow2(libvirt: PrivateLibvirt, identity: str, folder: Path | None = None, megabytes: int = 0) -> Path:
    """Have the domain's disk be a qcow2 image, filled so that its copy takes a while."""
    raw = libvirt.disk(identity)
    with raw.open("r+b") as file:
        file.seek(1 << 20)
        block = os.urandom(1 << 20)
        for _ in range(megabytes):
            file.write(block)
    made = (folder or raw.parent) / f"{raw.stem}.qcow2"
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(made)], check=True, timeout=60)
    raw.unlink()
    edited(libvirt, identity, (f"file='{raw}'", f"file='{made}'"), ("type='raw'", "type='qcow2'"))
    return made


def edited(libvirt: PrivateLibvirt, identity: str, *changes: tuple[str, str]) -> None:
    xml = libvirt.virsh("dumpxml", identity)
    for before, after in changes:
        assert before in xml
        xml = xml.replace(before, after)
    file = libvirt.directory / "changed.xml"
    file.write_text(xml)
    libvirt.virsh("define", str(file))


def in_image(path: Path) -> list[str]:
    """Names of the snapshots in an image."""
    told = subprocess.run(
        ["qemu-img", "info", "-U", "--output=json", path], capture_output=True, check=True, timeout=10
    )
    return [entry["name"] for entry in json.loads(told.stdout).get("snapshots", [])]


def backing(path: Path) -> str:
    """What an image rests on."""
    told = subprocess.run(
        ["qemu-img", "info", "-U", "--output=json", path], capture_output=True, check=True, timeout=10
    )
    return str(json.loads(told.stdout)["backing-filename"])


def same(one: Path | str, other: Path | str) -> bool:
    """Whether two images hold the same."""
    done = subprocess.run(
        ["qemu-img", "compare", "-U", str(one), str(other)], capture_output=True, check=False, timeout=60
    )
    return done.returncode == 0


def listed(libvirt: PrivateLibvirt, identity: str) -> list[str]:
    return libvirt.virsh("snapshot-list", identity, "--name").splitlines()


def files(libvirt: PrivateLibvirt) -> set[str]:
    return {path.name for path in (libvirt.directory / "disks").iterdir()}


async def test_snapshots_are_taken_restored_described_and_deleted(
    backend: LibvirtBackend, libvirt: PrivateLibvirt
) -> None:
    uuid = libvirt.define("worker", "spins")
    disk = qcow2(libvirt, uuid)
    vm, snapshots = ref(uuid), able(backend, Snapshots)
    await snapshots.take(vm, ODD, 'one\n"two" <b>', Told(), memory=False)
    assert listed(libvirt, uuid) == in_image(disk) == [ODD]
    for name in (ODD, "a/b", ".x", "日" * 70, ""):
        with pytest.raises(ActionError):
            await snapshots.take(vm, name, "", Told(), memory=False)
    assert in_image(disk) == [ODD], "a refused one leaves nothing in the image"

    await backend.perform(Action.START, vm, NOTHING)
    assert "with the memory" in await snapshots.take(vm, "live", "", Told(), memory=True)
    tree = await snapshots.tree(vm)
    first, live = tree.snapshots
    assert (first.description, first.memory, live.memory, live.parent) == ('one\n"two" <b>', False, True, ODD)
    assert (tree.current, tree.memory) == ("live", (True,))

    await snapshots.describe(vm, ODD, ODD, "new & <b>")
    assert "<description>new &amp; &lt;b&gt;</description>" in libvirt.virsh(
        "snapshot-dumpxml", uuid, f"--snapshotname={ODD}"
    )
    assert libvirt.virsh("snapshot-current", uuid, "--name") == "live"
    with pytest.raises(ActionError, match="cannot rename"):
        await snapshots.describe(vm, ODD, "other", "")

    assert "off" in await snapshots.restore(vm, ODD, Told())
    assert libvirt.state(uuid) == "shut off"
    assert "runs" in await snapshots.restore(vm, "live", Told())
    assert libvirt.state(uuid) == "running"

    await backend.perform(Action.SAVE, vm, NOTHING)
    assert "saved" in str(refusal(Op.TAKE, await snapshots.tree(vm)))
    await snapshots.restore(vm, ODD, Told())
    assert "Managed save:   no" in libvirt.virsh("dominfo", uuid), "a memory of other disks would destroy them"
    await snapshots.delete(vm, "live", Told())
    await snapshots.delete(vm, ODD, Told())
    assert listed(libvirt, uuid) == in_image(disk) == []


async def test_what_libvirt_cannot_do_is_said_before(backend: LibvirtBackend, libvirt: PrivateLibvirt) -> None:
    raw = libvirt.define("raw")
    snapshots = able(backend, Snapshots)
    with pytest.raises(ActionError, match=r"format qcow2: hda \(raw\) is not"):
        await snapshots.take(ref(raw), "x", "", Told(), memory=False)
    libvirt.virsh("snapshot-create-as", raw, "external", "--disk-only")
    (one,) = (await snapshots.tree(ref(raw))).snapshots
    assert "9.9 and later" in dict(one.refusals)[Op.RESTORE]
    with pytest.raises(ActionError, match="external"):
        await snapshots.restore(ref(raw), "external", Told())
    offer = await able(backend, Cloning).offer(ref(raw))
    assert [bool(source.full) for source in offer.sources] == [False, True]


async def test_clones_full_linked_and_from_snapshots(backend: LibvirtBackend, libvirt: PrivateLibvirt) -> None:
    network = '<interface type="user"><mac address="52:54:00:00:00:11"/></interface>'
    uuid = libvirt.define("source", extra=network)
    vm, cloning = ref(uuid), able(backend, Cloning)
    before = libvirt.virsh("dumpxml", uuid)
    for name, keep in ((ODD.replace("/", ""), False), ("x" * 200, True)):
        made = await cloning.clone(vm, CloneSpec(name, keep_macs=keep), Told())
        assert libvirt.virsh("domname", made.id) == name
        assert ("52:54:00:00:00:11" in libvirt.virsh("dumpxml", made.id)) == keep
        assert same(libvirt.disk(uuid), str(libvirt.directory / "disks" / f"{name}.img"))
    for name in ("source", "", "日" * 200, "a/b"):
        assert "name" in await cloning.objections(vm, CloneSpec(name))
        with pytest.raises(ActionError):
            await cloning.clone(vm, CloneSpec(name), Told())

    linked = await cloning.clone(vm, CloneSpec("linked", linked=True), Told())
    assert backing(libvirt.directory / "disks/linked.qcow2") == str(libvirt.disk(uuid))
    await backend.perform(Action.START, linked, NOTHING)
    assert libvirt.state(linked.id) == "running"
    await backend.perform(Action.KILL, linked, NOTHING)
    with pytest.raises(ActionError, match="linked rests on them"):
        await backend.perform(Action.START, vm, NOTHING)
    assert libvirt.state(uuid) == "shut off"
    (loss,) = await backend.losses(Action.DELETE, vm)
    assert loss.kept == "also used by linked"
    assert libvirt.virsh("dumpxml", uuid) == before


async def test_what_runs_is_cloned_from_a_snapshot_or_paused(backend: LibvirtBackend, libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("busy", "spins")
    disk = qcow2(libvirt, uuid)
    vm, cloning, snapshots = ref(uuid), able(backend, Cloning), able(backend, Snapshots)
    await snapshots.take(vm, ODD, "", Told(), memory=False)
    await backend.perform(Action.START, vm, NOTHING)
    with pytest.raises(ActionError, match="it runs"):
        await cloning.clone(vm, CloneSpec("torn"), Told())
    made = await cloning.clone(vm, CloneSpec("then", snapshot=ODD), Told())
    assert same(disk, libvirt.disk(made.id))
    await backend.perform(Action.PAUSE, vm, NOTHING)
    await cloning.clone(vm, CloneSpec("now"), Told())
    assert libvirt.state(uuid) == "paused"
    await backend.perform(Action.START, made, NOTHING)
    assert libvirt.state(made.id) == "running"


async def test_cancelled_killed_or_out_of_room_a_clone_leaves_nothing(
    backend: LibvirtBackend, libvirt: PrivateLibvirt
) -> None:
    uuid = libvirt.define("large")
    qcow2(libvirt, uuid, megabytes=250)
    vm, cloning = ref(uuid), able(backend, Cloning)
    there, names = files(libvirt), libvirt.virsh("list", "--all", "--name")

    def cancel() -> None:
        task.cancel()

    told = Told(cancel)
    task = asyncio.create_task(cloning.clone(vm, CloneSpec("copy"), told))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.lines == ["nothing of it is left"]
    assert (files(libvirt), libvirt.virsh("list", "--all", "--name")) == (there, names)

    with pytest.raises(ActionError, match="nothing of it is left"):
        await cloning.clone(vm, CloneSpec("copy"), Told(libvirt.kill))
    assert files(libvirt) == there
    with pytest.raises(EngineError):
        await backend.list_all()
    libvirt.start()
    await backend.connect()
    assert libvirt.virsh("list", "--all", "--name") == names

    small = libvirt.directory / "small"
    mounted(small, "8m")
    try:
        full = libvirt.define("full")
        qcow2(libvirt, full, small, megabytes=5)
        assert "linked" in await cloning.objections(ref(full), CloneSpec("copy"))
        with pytest.raises(ActionError, match=r"the disk is full.*; nothing of it is left"):
            await cloning.clone(ref(full), CloneSpec("copy"), Told())
        assert len(list(small.iterdir())) == 1
    finally:
        unmounted(small)


def mounted(folder: Path, size: str) -> None:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True, timeout=10)


def unmounted(folder: Path) -> None:
    subprocess.run(["umount", str(folder)], check=True, timeout=10)


async def test_a_snapshot_during_which_libvirtd_dies(backend: LibvirtBackend, libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("fragile", "spins", start=False)
    disk = qcow2(libvirt, uuid)
    libvirt.virsh("start", uuid)
    vm, snapshots = ref(uuid), able(backend, Snapshots)
    await snapshots.take(vm, "kept", "", Told(), memory=True)
    # held where it is to pause, so that the daemon waits for it
    qemu = int((libvirt.directory / "run/qemu/fragile.pid").read_text())
    os.kill(qemu, signal.SIGSTOP)
    task = asyncio.create_task(snapshots.take(vm, "broken", "", Told(), memory=True))
    await eventually(partial(begun, libvirt, "fragile"), "the snapshot to be begun")
    libvirt.kill()
    os.kill(qemu, signal.SIGCONT)
    libvirt.start()
    await backend.connect()
    with pytest.raises(ActionError, match="no snapshot was taken, nothing of it is left, and the VM goes on"):
        await task
    assert libvirt.virsh("domstate", uuid) == "running"
    assert [one.name for one in (await snapshots.tree(vm)).snapshots] == ["kept"]
    assert in_image(disk) == ["kept"]
    await snapshots.take(vm, "broken", "", Told(), memory=True)
    assert listed(libvirt, uuid) == ["broken", "kept"]


class Freezes(Told):
    """Holds the daemon where the clone is to be defined."""

    def __init__(self, libvirt: PrivateLibvirt) -> None:
        super().__init__()
        self.libvirt = libvirt
        self.frozen = asyncio.Event()

    def progress(self, progress: Progress) -> None:
        if progress.text == "defining it":
            self.libvirt.freeze()
            self.frozen.set()


async def test_a_clone_cancelled_while_it_is_defined_leaves_nothing(
    backend: LibvirtBackend, libvirt: PrivateLibvirt
) -> None:
    uuid = libvirt.define("source")
    there, told = files(libvirt), Freezes(libvirt)
    task = asyncio.create_task(able(backend, Cloning).clone(ref(uuid), CloneSpec("copy"), told))
    await asyncio.wait_for(told.frozen.wait(), 60)
    await asyncio.sleep(0)
    task.cancel()
    libvirt.thaw()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.lines == ["nothing of it is left"]
    assert (files(libvirt), libvirt.virsh("list", "--all", "--name")) == (there, "source")


async def test_a_deletion_in_which_libvirtd_ended_is_gone_on_with(
    backend: LibvirtBackend, libvirt: PrivateLibvirt
) -> None:
    uuid = libvirt.define("doomed")
    vm, disk, lost = ref(uuid), libvirt.disk(uuid), EngineError("lost libvirt")
    chosen = ActionOptions(disks=tuple(loss.id for loss in await backend.losses(Action.DELETE, vm)))
    with pytest.raises(ActionError, match="nothing was deleted; delete it once more"):
        await aftermath.performed(backend, Action.DELETE, vm, chosen, lost)
    assert disk.exists()
    libvirt.virsh("undefine", uuid)
    other = libvirt.define("other")
    edited(libvirt, other, (f"file='{libvirt.disk(other)}'", f"file='{disk}'"))
    with pytest.raises(ActionError, match="used by other"):
        await aftermath.performed(backend, Action.DELETE, vm, chosen, lost)
    assert disk.exists()
    libvirt.virsh("undefine", other)
    await aftermath.performed(backend, Action.DELETE, vm, chosen, lost)
    assert not disk.exists()


async def begun(libvirt: PrivateLibvirt, name: str) -> bool:
    """Whether the daemon has noted that it takes a snapshot."""
    return "async='snapshot'" in (libvirt.directory / f"run/qemu/{name}.xml").read_text()


async def test_the_daemon_copies_what_this_user_may_not_read(backend: LibvirtBackend, libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("pooled")
    disk = qcow2(libvirt, uuid)
    vm, cloning = ref(uuid), LibvirtCloning(backend, by_pools=True)
    with pytest.raises(ActionError, match=r"in no storage pool.*nothing of it is left"):
        await cloning.clone(vm, CloneSpec("copy"), Told())
    libvirt.virsh("pool-create-as", "boxtop-test", "dir", "--target", str(disk.parent))
    try:
        made = await cloning.clone(vm, CloneSpec("copy"), Told())
        assert same(disk, libvirt.disk(made.id))
        linked = await cloning.clone(vm, CloneSpec("linked", linked=True), Told())
        assert same(disk, libvirt.disk(linked.id))
        with pytest.raises(ActionError, match="already"):
            await cloning.clone(vm, CloneSpec("copy", linked=True), Told())
    finally:
        libvirt.virsh("pool-destroy", "boxtop-test")


async def test_autostart_and_saved_states(backend: LibvirtBackend, libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("early", "spins", start=True)
    vm = ref(uuid)
    for on, word in ((True, "enable"), (False, "disable")):
        await able(backend, Autostart).set_autostart(vm, on=on)
        assert f"Autostart:      {word}" in libvirt.virsh("dominfo", uuid)
        assert await able(backend, Autostart).autostart(vm) is on
    await backend.perform(Action.SAVE, vm, NOTHING)
    with pytest.raises(ActionError, match="memory is saved"):
        await able(backend, Cloning).clone(vm, CloneSpec("half"), Told())
    await able(backend, SavedState).discard(vm)
    assert "Managed save:   no" in libvirt.virsh("dominfo", uuid)
    with pytest.raises(ActionError, match="no saved state"):
        await able(backend, SavedState).discard(vm)
