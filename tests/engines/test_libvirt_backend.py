"""The libvirt backend against a private daemon with QEMU, checked through virsh; for breadth its test driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from backends.base import ActionError, EngineError
from backends.libvirt.backend import LibvirtBackend
from backends.model import VM, Action, ActionOptions, Kind, Ref, State
from tests.engines.docker_backend import Following, eventually
from tests.engines.libvirt_engine import PrivateLibvirt

pytestmark = pytest.mark.libvirt

NOTHING = ActionOptions()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[LibvirtBackend]:
    backend = LibvirtBackend("libvirt", url)
    try:
        await backend.connect()
        yield backend
    finally:
        await backend.close()


def ref_of(identity: str) -> Ref:
    return Ref("libvirt", Kind.VM, identity)


async def machine(backend: LibvirtBackend, identity: str) -> VM:
    (found,) = (await backend.list_some([ref_of(identity)])).updated
    assert isinstance(found, VM)
    return found


async def in_state(backend: LibvirtBackend, identity: str, state: State) -> VM:
    async def ask() -> VM | None:
        found = await machine(backend, identity)
        return found if found.state is state else None

    found = await eventually(ask, f"{identity} to be {state}")
    assert found is not None
    return found


async def test_domains_are_listed_with_their_facts(libvirt: PrivateLibvirt) -> None:
    title = "<title>shop</title><description>build &amp; test</description>"
    running = libvirt.define("运行 'x' -y", start=True, head=title)
    off = libvirt.define("-off")
    async with connected(libvirt.url) as backend:
        found = {vm.ref.id: vm for vm in (await backend.list_all()).vms}
    assert set(found) == {running, off}
    vm = found[running]
    assert (vm.name, vm.state, vm.state_word) == ("运行 'x' -y", State.RUNNING, "running")
    assert (vm.cpus, vm.memory, vm.os_type) == (1, 16 << 20, "x86_64 (i440fx)")
    assert (vm.groups, vm.description, vm.snapshots) == (("shop",), "build & test", 0)
    assert (found[off].name, found[off].state, found[off].state_word) == ("-off", State.OFF, "shut off")


async def test_each_action_changes_the_daemons_own_state(libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("acts")
    ref = ref_of(uuid)
    async with connected(libvirt.url) as backend:
        for action, state, word in (
            (Action.START, State.RUNNING, "running"),
            (Action.PAUSE, State.PAUSED, "paused"),
            (Action.RESUME, State.RUNNING, "running"),
            (Action.RESET, State.RUNNING, "running"),
            (Action.SAVE, State.SAVED, "shut off"),
            (Action.START, State.RUNNING, "running"),
            (Action.KILL, State.OFF, "shut off"),
        ):
            await backend.perform(action, ref, NOTHING)
            await in_state(backend, uuid, state)
            assert libvirt.state(uuid) == word, action


async def test_a_guest_is_asked_to_shut_down_and_to_restart(libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("guest", start=True)
    async with connected(libvirt.url) as backend, Following(backend) as following:

        async def off() -> bool:
            return libvirt.state(uuid) == "shut off"

        libvirt.wait_booted(uuid)
        await backend.perform(Action.STOP, ref_of(uuid), NOTHING)
        await eventually(off, "the guest to power off")
        await backend.perform(Action.START, ref_of(uuid), NOTHING)
        before = libvirt.virsh("domid", uuid)
        libvirt.wait_booted(uuid)
        await backend.perform(Action.RESTART, ref_of(uuid), NOTHING)
        assert libvirt.state(uuid) == "running"
        assert libvirt.virsh("domid", uuid) != before
        vm = await machine(backend, uuid)
        assert vm.started is not None
        assert ref_of(uuid) in following.seen


async def test_deleting_keeps_disks_unless_they_are_named(libvirt: PrivateLibvirt) -> None:
    kept, gone = libvirt.define("kept"), libvirt.define("gone")
    libvirt.virsh("snapshot-create-as", kept, "one", check=False)
    files = {uuid: libvirt.disk(uuid) for uuid in (kept, gone)}
    async with connected(libvirt.url) as backend:
        (loss,) = await backend.losses(Action.DELETE, ref_of(gone))
        assert (loss.text, loss.kept, bool(loss.size)) == (str(files[gone]), "", True)
        await backend.perform(Action.DELETE, ref_of(kept), NOTHING)
        await backend.perform(Action.DELETE, ref_of(gone), ActionOptions(disks=(loss.id,)))
        assert (await backend.list_all()).vms == ()
    assert libvirt.virsh("list", "--all") == ""
    assert files[kept].exists()
    assert not files[gone].exists()


async def test_a_disk_that_another_uses_is_never_deleted(libvirt: PrivateLibvirt) -> None:
    one = libvirt.define("one")
    shared = libvirt.disk(one)
    overlay = libvirt.directory / "disks" / "overlay.qcow2"
    name = str(shared).encode()
    overlay.write_bytes(b"QFI\xfb" + (3).to_bytes(4, "big") + (104).to_bytes(8, "big") + len(name).to_bytes(4, "big"))
    overlay.write_bytes(overlay.read_bytes().ljust(104, b"\0") + name)
    disk = f'<driver name="qemu" type="qcow2"/><source file="{overlay}"/><target dev="hdb" bus="ide"/>'
    two = libvirt.define("two", extra=f'<disk type="file" device="disk">{disk}</disk>')
    async with connected(libvirt.url) as backend:
        (loss,) = await backend.losses(Action.DELETE, ref_of(one))
        assert (loss.id, loss.kept) == ("", "also used by two")
        with pytest.raises(ActionError, match="nothing was deleted"):
            await backend.perform(Action.DELETE, ref_of(one), ActionOptions(disks=(f"hda:{shared}",)))
        assert shared.exists()
        assert {vm.ref.id for vm in (await backend.list_all()).vms} == {one, two}


async def test_refusals_are_the_daemons_words(libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("off")
    async with connected(libvirt.url) as backend:
        with pytest.raises(ActionError, match="not running"):
            await backend.perform(Action.PAUSE, ref_of(uuid), NOTHING)
        with pytest.raises(ActionError, match="the VM is gone"):
            await backend.perform(Action.START, ref_of("6695eb01-f6a4-8304-79aa-97f2502e193f"), NOTHING)
        libvirt.virsh("start", uuid)
        with pytest.raises(ActionError, match="power it off first"):
            await backend.perform(Action.DELETE, ref_of(uuid), NOTHING)


async def test_load_is_that_of_the_guest(libvirt: PrivateLibvirt) -> None:
    busy, idle = libvirt.define("busy", "spins", start=True), libvirt.define("idle", start=True)
    refs = [ref_of(busy), ref_of(idle)]
    async with connected(libvirt.url) as backend:
        await backend.usage(refs)

        async def measured() -> bool:
            await asyncio.sleep(0.5)
            found = await backend.usage(refs)
            cpu = found[refs[0]].cpu
            return cpu is not None and cpu > 0.1 and (found[refs[1]].cpu or 0) < cpu

        await eventually(measured, "the busy guest to show its load")
        usage = (await backend.usage(refs))[refs[1]]
    assert usage.memory_limit == 16 << 20
    assert usage.disk_read is not None
    assert usage.memory


async def test_changes_from_outside_come_as_events(libvirt: PrivateLibvirt) -> None:
    async with connected(libvirt.url) as backend, Following(backend) as following:
        uuid = libvirt.define("made")

        async def seen() -> bool:
            return ref_of(uuid) in following.seen

        await eventually(seen, "the definition")
        following.seen.clear()
        libvirt.virsh("start", uuid)
        await eventually(seen, "the start")
        await in_state(backend, uuid, State.RUNNING)
        following.seen.clear()
        libvirt.virsh("destroy", uuid)
        libvirt.virsh("undefine", uuid)
        await eventually(seen, "the end")
        assert ref_of(uuid) in (await backend.list_some([ref_of(uuid)])).removed


async def test_a_killed_daemon_is_noticed_and_found_again(libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("survives", start=True)
    async with connected(libvirt.url) as backend:
        async with Following(backend) as following:
            libvirt.kill()

            async def broken() -> bool:
                return isinstance(following.error, EngineError)

            await eventually(broken, "the loss")
        with pytest.raises(EngineError):
            await backend.list_all()
        with pytest.raises(EngineError):
            await backend.connect()
        libvirt.start()
        await backend.connect()
        assert (await machine(backend, uuid)).state is State.RUNNING


async def test_a_frozen_daemon_hangs_nothing(libvirt: PrivateLibvirt) -> None:
    libvirt.define("frozen")
    async with connected(libvirt.url) as backend:
        libvirt.freeze()
        async with Following(backend) as following:

            async def broken() -> bool:
                return isinstance(following.error, EngineError)

            await eventually(broken, "the keep-alive to give up")
        async with asyncio.timeout(15):
            await backend.close()
        libvirt.thaw()


async def test_the_test_driver_answers_too() -> None:
    async with connected("test:///default") as backend:
        (vm,) = (await backend.list_all()).vms
        await backend.perform(Action.PAUSE, vm.ref, NOTHING)
        assert (await machine(backend, vm.ref.id)).state is State.PAUSED
        await backend.perform(Action.KILL, vm.ref, NOTHING)
        (loss,) = await backend.losses(Action.DELETE, vm.ref)
        assert loss.kept == "it is in no storage pool of that machine"


async def test_no_daemon_says_how_to_start_it() -> None:
    backend = LibvirtBackend("libvirt", "qemu+unix:///system?socket=/nowhere/libvirt-sock")
    with pytest.raises(EngineError) as error:
        await backend.connect()
    await backend.close()
    assert "no libvirt daemon listens" in error.value.reason
    assert "systemctl start libvirtd" in error.value.remedy
    assert error.value.absent
