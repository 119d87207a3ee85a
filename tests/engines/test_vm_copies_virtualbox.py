"""Snapshots and clones on a real VirtualBox, checked with VBoxManage; also when VBoxSVC dies or the disk is full."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from backends.abilities.cloning import CloneSpec, Cloning
from backends.abilities.editing import Editing, Set, When
from backends.abilities.snapshots import Op, Snapshots
from backends.abilities.vm_settings import Autostart, SavedState
from backends.base import ActionError, EngineSettings
from backends.model import Action, ActionOptions, Ref
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.machines import Heard, able
from tests.engines.machines import machine as ref
from tests.engines.virtualbox_engine import PrivateVirtualBox

pytestmark = pytest.mark.virtualbox

ODD = "--x \"q\" 's' 日本"


@pytest.fixture
async def backend(virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VirtualBoxBackend]:
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    connection = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    await connection.connect()
    yield connection
    await connection.close()


@pytest.fixture
async def fallback(virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VirtualBoxBackend]:
    monkeypatch.setenv("BOXTOP_VIRTUALBOX_PYTHON", "/bin/false")
    monkeypatch.setenv("BOXTOP_VBOXMANAGE", virtualbox.vboxmanage)
    connection = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    await connection.connect()
    yield connection
    await connection.close()


def snapshots_of(virtualbox: PrivateVirtualBox, machine: str) -> list[str]:
    """Names as VBoxManage tells them."""
    text = virtualbox.manage("snapshot", machine, "list", "--machinereadable", check=False)
    return re.findall(r'^SnapshotName[-\d]*="(.*)"$', text, re.M)


def folders(virtualbox: PrivateVirtualBox) -> set[str]:
    return {path.name for path in (virtualbox.directory / "home/VirtualBox VMs").iterdir()}


def beside(virtualbox: PrivateVirtualBox, *command: str) -> str:
    """What a command prints that sees the file systems VBoxSVC sees."""
    entered = ["nsenter", "-t", str(virtualbox.services()[0]), "-m", *command]
    return subprocess.run(entered, capture_output=True, text=True, check=True, timeout=10).stdout


def layers_of(virtualbox: PrivateVirtualBox, name: str) -> int:
    """The number of files in a machine's folder of snapshots."""
    return len(list((virtualbox.directory / f"home/VirtualBox VMs/{name}/Snapshots").iterdir()))


def megabytes(virtualbox: PrivateVirtualBox, machine: str) -> int:
    return virtualbox.disk(machine).stat().st_size >> 20


def large_disk(virtualbox: PrivateVirtualBox, machine: str, size: int) -> None:
    """One whose copy takes a while."""
    raw = virtualbox.directory / "home" / "large.img"
    block = os.urandom(1 << 20)
    with raw.open("wb") as file:
        for _ in range(size):
            file.write(block)
    medium = f"/root/{machine}.vdi"
    virtualbox.manage("convertfromraw", "/root/large.img", medium, "--format", "VDI")
    raw.unlink()
    virtualbox.manage("storagectl", machine, "--name=SATA", "--add=sata", "--portcount=4")
    virtualbox.attach(machine, medium)


async def test_a_tree_grows_branches_and_shrinks(
    backend: VirtualBoxBackend, fallback: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("worker")
    vm, snapshots = ref(machine), able(backend, Snapshots)
    told = Heard()
    await snapshots.take(vm, ODD, 'line one\nline "two"', told, memory=False)
    assert told.shares[-1] == 100
    await snapshots.take(vm, "second", "", Heard(), memory=False)
    tree = await snapshots.tree(vm)
    first, second = tree.snapshots
    assert (first.name, first.description, first.memory) == (ODD, 'line one\nline "two"', False)
    assert (second.parent, tree.current, tree.modified) == (first.id, second.id, False)
    assert first.size and first.time
    assert snapshots_of(virtualbox, machine) == [ODD, "second"]

    await snapshots.restore(vm, first.id, Heard())
    await able(fallback, Snapshots).take(vm, "branch", "", Heard(), memory=False)
    tree, plain = await snapshots.tree(vm), await able(fallback, Snapshots).tree(vm)
    names = [(one.id, one.parent, one.name, one.description) for one in tree.snapshots]
    assert names == [(one.id, one.parent, one.name, one.description) for one in plain.snapshots]
    assert tree.current == plain.current == next(one.id for one in tree.snapshots if one.name == "branch")
    assert tree.snapshots[0].refusals, "two snapshots go on from it"

    await snapshots.describe(vm, second.id, "-renamed", "why")
    assert set(snapshots_of(virtualbox, machine)) == {ODD, "-renamed", "branch"}
    await snapshots.delete(vm, second.id, Heard())
    await snapshots.delete(vm, first.id, Heard())
    assert snapshots_of(virtualbox, machine) == ["branch"]
    assert virtualbox.state(machine) == "poweroff"


async def test_the_memory_of_what_runs_is_kept_and_comes_back(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("live")
    vm, snapshots = ref(machine), able(backend, Snapshots)
    virtualbox.run(machine)
    assert (await snapshots.tree(vm)).memory == (True,)
    assert "with the memory" in await snapshots.take(vm, "live", "", Heard(), memory=True)
    assert virtualbox.state(machine) == "running"
    (one,) = (await snapshots.tree(vm)).snapshots
    assert one.memory
    assert "saved memory" in await snapshots.restore(vm, one.id, Heard())
    assert virtualbox.state(machine) == "saved"
    await able(backend, SavedState).discard(vm)
    assert virtualbox.state(machine) == "poweroff"
    with pytest.raises(ActionError):
        await able(backend, SavedState).discard(vm)


async def test_clones_full_and_linked_under_any_name(backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("source")
    virtualbox.manage("modifyvm", machine, "--nic1=nat")
    vm, cloning, snapshots = ref(machine), able(backend, Cloning), able(backend, Snapshots)
    before = virtualbox.info(machine)
    for name in (ODD, "x" * 200):
        made = await cloning.clone(vm, CloneSpec(name), Heard())
        assert virtualbox.machines()[name] == made.id
        assert virtualbox.info(made.id)["macaddress1"] != before["macaddress1"]
    for name in ("source", "", "日" * 200, "a/b"):
        assert "name" in await cloning.objections(vm, CloneSpec(name))
        with pytest.raises(ActionError):
            await cloning.clone(vm, CloneSpec(name), Heard())
    with pytest.raises(ActionError, match="links to a snapshot"):
        await cloning.clone(vm, CloneSpec("linked", linked=True), Heard())

    await snapshots.take(vm, "base", "", Heard(), memory=False)
    (base,) = (await snapshots.tree(vm)).snapshots
    made = await cloning.clone(vm, CloneSpec("linked", linked=True, snapshot=base.id, keep_macs=True), Heard())
    assert virtualbox.info(made.id)["macaddress1"] == before["macaddress1"]
    (base,) = (await snapshots.tree(vm)).snapshots
    assert base.refusals == ((Op.DELETE, "linked clone linked rests on it: delete that first"),)
    with pytest.raises(ActionError):
        await snapshots.delete(vm, base.id, Heard())
    assert snapshots_of(virtualbox, machine) == ["base"]
    virtualbox.manage("startvm", machine, "--type=headless")
    virtualbox.wait_state(machine, "running")
    with pytest.raises(ActionError, match="it runs"):
        await cloning.clone(vm, CloneSpec("torn"), Heard())
    await cloning.clone(vm, CloneSpec("from snapshot", snapshot=base.id), Heard())
    assert virtualbox.state(machine) == "running"


async def test_cancelled_killed_or_out_of_room_a_clone_leaves_nothing(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("large", disk=False)
    large_disk(virtualbox, machine, 240)
    vm, cloning = ref(machine), able(backend, Cloning)
    there, known = folders(virtualbox), virtualbox.machines()
    copied = virtualbox.directory / "home/VirtualBox VMs/copy"

    async def begun(told: Heard) -> asyncio.Task[Ref]:
        task = asyncio.create_task(cloning.clone(vm, CloneSpec("copy"), told))
        # the folder is boxtop's own work, the disk in it is VBoxSVC's
        while not any(copied.glob("*.vdi")) and not task.done():
            await asyncio.sleep(0.001)
        assert not task.done(), task
        return task

    told = Heard()
    task = await begun(told)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.lines == ["nothing of it is left"]
    assert (folders(virtualbox), virtualbox.machines()) == (there, known)

    services = virtualbox.services()
    task = await begun(Heard())
    for pid in services:
        os.kill(pid, signal.SIGKILL)  # at once: it may be done with its work soon
    virtualbox.kill()
    with pytest.raises(ActionError, match=r"VBoxSVC ended meanwhile; nothing of it is left"):
        await task
    assert folders(virtualbox) == there

    await backend.connect()
    inside = f"{virtualbox._root}/root/VirtualBox VMs"
    # VBoxSVC alone sees it
    beside(virtualbox, "mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", inside)
    with pytest.raises(ActionError, match=r"the disk is full; nothing of it is left"):
        await cloning.clone(vm, CloneSpec("copy"), Heard())
    assert beside(virtualbox, "ls", inside) == ""
    beside(virtualbox, "umount", inside)
    assert virtualbox.machines() == known
    assert virtualbox.state(machine) == "poweroff"
    assert megabytes(virtualbox, machine) >= 240


async def test_a_snapshot_during_which_vboxsvc_dies(backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("fragile")
    vm, snapshots = ref(machine), able(backend, Snapshots)
    await snapshots.take(vm, "kept", "", Heard(), memory=False)
    task = asyncio.create_task(snapshots.take(vm, "broken", "", Heard(), memory=False))
    (service,) = virtualbox.services()
    while layers_of(virtualbox, "fragile") < 2 and not task.done():
        await asyncio.sleep(0)
    os.kill(service, signal.SIGKILL)
    virtualbox.kill()
    words = ""
    try:
        words = await task
    except ActionError as error:
        words = str(error)
    await backend.connect()
    names = [one.name for one in (await snapshots.tree(vm)).snapshots]
    assert snapshots_of(virtualbox, machine) == names
    assert ("broken" in names) == ("no snapshot was taken" not in words), words
    assert names[0] == "kept"
    assert layers_of(virtualbox, "fragile") == len(names), "no orphan"


async def test_a_save_in_which_vboxsvc_dies_tells_where_the_memory_may_be(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("saver", guest="spins", memory=300)
    virtualbox.run(machine)
    await backend.list_all()
    folder = virtualbox.directory / "home/VirtualBox VMs/saver/Snapshots"
    task = asyncio.create_task(backend.perform(Action.SAVE, ref(machine), ActionOptions()))
    while not list(folder.glob("*.sav")) and not task.done():
        await asyncio.sleep(0)
    virtualbox.kill()
    words = ""
    try:
        await task
    except ActionError as error:
        words = str(error)
    assert virtualbox.state(machine) == ("poweroff" if words else "saved"), words
    assert not words or f"/{next(folder.glob('*.sav')).name}: VBoxManage adoptstate" in words


async def test_autostart_says_what_this_host_lacks(backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("early")
    autostart = able(backend, Autostart)
    with pytest.raises(ActionError, match="VBOXAUTOSTART_DB"):
        await autostart.set_autostart(ref(machine), on=True)
    (virtualbox.directory / "tmp/autostart").mkdir(mode=0o777)
    virtualbox.manage("setproperty", "autostartdbpath", "/tmp/autostart")
    try:
        assert "vboxautostart-service" in await autostart.set_autostart(ref(machine), on=True)
        assert virtualbox.info(machine)["autostart-enabled"] == "on"
        assert await autostart.autostart(ref(machine))
        editing = able(backend, Editing)
        shown = await editing.settings(ref(machine))
        assert shown.autostart and "vboxautostart-service" in shown.timed("autostart").reason
        listed = {vm.ref.id: vm.autostart for vm in (await backend.list_all()).vms}
        assert listed[machine]
        virtualbox.manage("modifyvm", machine, "--autostart-enabled=off")
        assert not (await backend.list_some([ref(machine)])).updated[0].autostart  # type: ignore[union-attr]
        again = await editing.apply(
            ref(machine), replace(shown, autostart=False), [Set("autostart", value=True)], Heard()
        )
        assert [one.when for one in again] == [When.NOW]
        await autostart.set_autostart(ref(machine), on=False)
        assert virtualbox.info(machine)["autostart-enabled"] == "off"
    finally:
        virtualbox.manage("setproperty", "autostartdbpath", "null")
