"""VMs made, changed and given media on a real libvirt, checked with virsh, qemu-img and the file system."""

from __future__ import annotations

import asyncio
import json
import platform
import re
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from backends.abilities.creating import MB, Creating, DiskFrom, NewVM
from backends.abilities.editing import (
    Adapter,
    AddAdapter,
    AddForward,
    AttachDisk,
    DetachDisk,
    Editing,
    Forward,
    GrowDisk,
    Insert,
    RemoveAdapter,
    Set,
    SetAdapter,
    When,
)
from backends.abilities.media import Media, NewMedium
from backends.abilities.snapshots import Op, Snapshots
from backends.base import ActionError
from backends.libvirt.backend import LibvirtBackend
from backends.model import VM, Action, ActionOptions, Kind, Ref, State
from tests.engines.docker_backend import eventually
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.machines import Heard, able, libvirt_backend
from tests.engines.require import need

pytestmark = pytest.mark.libvirt

_T = TypeVar("_T")
NAMES = ('-it\'s "a" name', "运行中的机器", "x" * 200)
SMALL = NewVM("small", "http://libosinfo.org/linux/2022", 1, 32 * MB, size=4 * MB, format="qcow2", network="user")
SMALL = replace(SMALL, accelerator="qemu")


@pytest.fixture
def empty(libvirt: PrivateLibvirt) -> Iterator[PrivateLibvirt]:
    """The private daemon without pools, before and after."""
    _no_pools(libvirt)
    yield libvirt
    if libvirt.process is None or libvirt.process.poll() is not None:
        libvirt.start()
    libvirt.clear()
    _no_pools(libvirt)


def _no_pools(libvirt: PrivateLibvirt) -> None:
    libvirt.clear_pools()
    for file in images(libvirt).glob("*"):
        file.unlink()


@pytest.fixture
async def backend(
    empty: PrivateLibvirt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[LibvirtBackend]:
    async with libvirt_backend(empty, monkeypatch, tmp_path) as connection:
        yield connection


def images(libvirt: PrivateLibvirt) -> Path:
    """The folder that is /var/lib/libvirt/images to the daemon."""
    return libvirt.directory / "lib/images"


def files(libvirt: PrivateLibvirt) -> set[str]:
    return {path.name for path in images(libvirt).glob("*")}


def has_bytes(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def make_image(path: Path) -> None:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "8M"], check=True, timeout=20)


def image_info(path: Path) -> dict[str, object]:
    found = subprocess.run(
        ["qemu-img", "info", "-U", "--output=json", str(path)], capture_output=True, check=True, timeout=20
    )
    return dict(json.loads(found.stdout))


async def test_vms_of_every_name_are_made_as_wanted_and_run(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    creating = able(backend, Creating)
    assert {kind.name for kind in await creating.os_types()} >= {"Linux", "Other"}
    limits = await creating.limits()
    assert limits.space
    assert ("qemu", "QEMU: emulated, slow") in limits.accelerators
    made = [await creating.create(replace(SMALL, name=name), Heard()) for name in NAMES]
    await backend.perform(Action.START, made[0], ActionOptions())
    assert {empty.virsh("domname", ref.id) for ref in made} == set(NAMES)
    assert empty.state(made[0].id) == "running"
    assert files(empty) == {f"{name}.qcow2" for name in NAMES}
    assert f"arch='{platform.machine()}' machine='pc-q35" in empty.virsh("dumpxml", made[1].id)
    assert image_info(images(empty) / f"{NAMES[1]}.qcow2")["virtual-size"] == 4 * MB
    info = empty.virsh("dominfo", made[1].id)
    assert "Max memory:     32768 KiB" in info
    with pytest.raises(ActionError, match="of this name already"):
        await creating.create(replace(SMALL, name=NAMES[0]), Heard())


async def test_a_step_that_fails_leaves_nothing_behind(
    backend: LibvirtBackend, empty: PrivateLibvirt, monkeypatch: pytest.MonkeyPatch
) -> None:
    creating = able(backend, Creating)
    full = replace(SMALL, size=1 << 43, format="raw", fixed=True)
    with pytest.raises(ActionError, match="size: it needs 8388608 MB"):
        await creating.create(full, Heard())
    with pytest.raises(ActionError, match="cannot read it: No such file"):
        await creating.create(replace(SMALL, iso="/nowhere/a.iso"), Heard())
    with pytest.raises(ActionError, match=r"no network of this machine; undone: the disk small.qcow2"):
        await creating.create(replace(SMALL, network="nowhere"), Heard())
    other = await creating.create(replace(SMALL, disk=DiskFrom.NONE), Heard())
    assert empty.virsh("pool-list", "--all", "--name") == ""

    async def nothing(spec: NewVM) -> Mapping[str, str]:
        del spec
        return {}

    # whatever was checked may be otherwise when its step comes
    monkeypatch.setattr(creating, "objections", nothing)
    with pytest.raises(ActionError, match=r"small.*already exists.*; undone: the disk small.qcow2"):
        await creating.create(SMALL, Heard())
    with pytest.raises(ActionError, match=r"No space left on device.*undone: the storage pool default"):
        await creating.create(full, Heard())
    assert empty.virsh("pool-list", "--all", "--name") == ""
    assert empty.virsh("list", "--all", "--uuid") == other.id
    assert files(empty) == set()


async def test_a_vm_that_does_not_start_is_kept_and_tells_why(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    creating = able(backend, Creating)
    iso = empty.directory / "disks" / "gone.iso"
    iso.write_bytes(bytes(40000))
    made = await creating.create(replace(SMALL, iso=str(iso)), Heard())
    iso.unlink()
    with pytest.raises(ActionError, match=r"gone\.iso.*No such file"):
        await backend.perform(Action.START, made, ActionOptions())
    assert empty.state(made.id) == "shut off"
    bridged = await creating.create(replace(SMALL, name="bridged", network="bridge:nowhere"), Heard())
    with pytest.raises(ActionError, match="nowhere"):
        await backend.perform(Action.START, bridged, ActionOptions())
    assert empty.state(bridged.id) == "shut off"


async def test_a_start_that_hangs_is_shown_and_powered_off(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    script = empty.directory / "disks" / "hangs.sh"
    real = "/usr/bin/qemu-system-x86_64"
    script.write_text(f'#!/bin/sh\ncase "$*" in *guest=*) exec sleep 600;; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    identity = empty.define("hangs")
    xml = empty.virsh("dumpxml", identity).replace(real, str(script))
    (empty.directory / "hangs.xml").write_text(xml)
    empty.virsh("define", str(empty.directory / "hangs.xml"))
    ref = Ref("libvirt", Kind.VM, identity)
    start = asyncio.create_task(backend.perform(Action.START, ref, ActionOptions()))
    try:
        async with asyncio.timeout(60):
            async for refs in backend.events():
                if ref in refs:
                    break

        async def starting() -> bool:
            (vm,) = (await backend.list_some([ref])).updated
            assert isinstance(vm, VM)
            return vm.state is State.STARTING

        await eventually(starting, "it to be seen to start")
        assert not start.done()
        await backend.perform(Action.KILL, ref, ActionOptions())
        with pytest.raises(ActionError):
            await start
    finally:
        start.cancel()
    assert empty.state(identity) == "shut off"


async def test_a_name_taken_meanwhile_harms_neither(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    creating = able(backend, Creating)
    await able(backend, Media).create(NewMedium("other", MB, "raw"), Heard())
    results = await asyncio.gather(
        creating.create(SMALL, Heard()), creating.create(SMALL, Heard()), return_exceptions=True
    )
    won = [result for result in results if isinstance(result, Ref)]
    assert len(won) == 1, results
    assert empty.virsh("list", "--all", "--uuid") == won[0].id
    assert files(empty) == {"small.qcow2", "other.img"}
    media, spec = able(backend, Media), NewMedium("twice", 4 * MB, "raw")
    made = await asyncio.gather(media.create(spec, Heard()), media.create(spec, Heard()), return_exceptions=True)
    assert len([path for path in made if isinstance(path, str)]) == 1, made
    assert "twice.img" in files(empty)


async def test_cancelled_or_without_its_daemon_a_copy_is_undone(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    creating, media = able(backend, Creating), able(backend, Media)
    path = await media.create(NewMedium("big", 600 * MB, "raw"), Heard())
    with (images(empty) / "big.img").open("r+b") as file:
        for _ in range(600):
            file.write(b"\x5a" * MB)
    copy = replace(SMALL, disk=DiskFrom.COPY, image=path)
    for fault in ("cancel", "kill"):
        heard = Heard()
        task = asyncio.create_task(creating.create(copy, heard))
        while not has_bytes(images(empty) / "small.qcow2") and not task.done():
            await asyncio.sleep(0.001)
        assert not task.done(), task
        if fault == "cancel":
            task.cancel()
        else:
            empty.kill()
            empty.start()
            await backend.connect()
        error = (await asyncio.gather(task, return_exceptions=True))[0]
        assert isinstance(error, asyncio.CancelledError if fault == "cancel" else ActionError), error
        assert "left behind" not in heard.lines[-1], heard.lines
        assert empty.virsh("list", "--all", "--name") == "", (fault, heard.lines)
        assert files(empty) == {"big.img"}, (fault, heard.lines)


async def test_settings_change_what_virsh_then_sees(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    editing, creating = able(backend, Editing), able(backend, Creating)
    ref = await creating.create(SMALL, Heard())
    shown = await editing.settings(ref)
    iso = images(empty) / "a.iso"
    iso.write_bytes(bytes(40000))
    described = 'first "line"\n<second> & 名'
    outcomes = await editing.apply(
        ref,
        shown,
        [
            Set("name", NAMES[0]),
            Set("description", described),
            Set("cpus", 2),
            Set("memory", 48 * MB),
            Set("boot", ("cdrom", "disk")),
            SetAdapter(replace(shown.adapters[0], link=False)),
            SetAdapter(replace(shown.adapters[0], link=False, mac="52:54:00:12:34:56")),
            AttachDisk(size=8 * MB, format="qcow2"),
            GrowDisk(shown.drives[0], 16 * MB),
            GrowDisk(shown.drives[0], 2 * MB),
            AddForward(Forward("web", "tcp", "", 8080, "", 80)),
        ],
        Heard(),
    )
    assert [outcome.when for outcome in outcomes] == [When.NOW] * 9 + [When.REFUSED] * 2, outcomes
    assert empty.virsh("domname", ref.id) == NAMES[0]
    xml = empty.virsh("dumpxml", ref.id, "--inactive")
    for part in ("<vcpu placement='static'>2</vcpu>", "49152</memory>", "52:54:00:12:34:56", "<link state='down'/>"):
        assert part in xml, part
    assert xml.index("<boot dev='cdrom'/>") < xml.index("<boot dev='hd'/>")
    assert empty.virsh("desc", ref.id) == described
    assert image_info(images(empty) / "small.qcow2")["virtual-size"] == 16 * MB
    with pytest.raises(ActionError, match="changed from elsewhere"):
        await editing.apply(ref, shown, [Set("cpus", 1)], Heard())
    now = await editing.settings(ref)
    kept, gone = (drive for drive in now.drives if drive.kind == "disk")
    outcomes = await editing.apply(ref, now, [DetachDisk(kept), DetachDisk(gone, delete=True)], Heard())
    assert [outcome.when for outcome in outcomes] == [When.NOW] * 2, outcomes
    assert files(empty) == {"small.qcow2", "a.iso"}


async def test_what_runs_is_changed_live_or_at_its_next_start(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    editing, creating = able(backend, Editing), able(backend, Creating)
    iso = empty.directory / "disks" / "it's.iso"
    iso.write_bytes(bytes(40000))
    ref = await creating.create(SMALL, Heard())
    await backend.perform(Action.START, ref, ActionOptions())
    shown = await editing.settings(ref)
    drive = next(drive for drive in shown.drives if drive.kind == "cdrom")
    changes = [
        Set("name", "other"),
        Set("memory", 64 * MB),
        Set("description", "told"),
        GrowDisk(shown.drives[0], 8 * MB),
        Insert(drive, str(iso)),
        SetAdapter(replace(shown.adapters[0], link=False)),
        AttachDisk(size=4 * MB, format="raw"),
    ]
    outcomes = await editing.apply(ref, shown, changes, Heard())
    expected = [When.REFUSED, When.NEXT, *([When.NOW] * 4)]
    assert [outcome.when for outcome in outcomes][:6] == expected, outcomes
    assert outcomes[6].when is not When.REFUSED
    live, later = empty.virsh("dumpxml", ref.id), empty.virsh("dumpxml", ref.id, "--inactive")
    assert "32768</memory>" in live
    assert "65536</memory>" in later
    for xml in (live, later):
        assert "it&apos;s.iso" in xml
        assert "<link state='down'/>" in xml
    now = await editing.settings(ref)
    added = next(drive for drive in now.drives if drive.path.endswith("small-2.img"))
    # the guest never answers: what it may still have in use is not deleted under it
    outcomes = await editing.apply(ref, now, [DetachDisk(added, delete=True), Insert(drive)], Heard())
    assert outcomes[1].when is When.NOW
    running = "small-2.img" in empty.virsh("domblklist", ref.id)
    assert ("small-2.img" in files(empty)) is running, outcomes
    assert "it&apos;s.iso" not in empty.virsh("dumpxml", ref.id)


async def test_adapters_come_and_go_live_or_at_the_next_start(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    editing, creating = able(backend, Editing), able(backend, Creating)
    ref = await creating.create(SMALL, Heard())

    def macs(*options: str) -> list[str]:
        return re.findall(r"[0-9a-f:]{17}", empty.virsh("domiflist", ref.id, *options))

    shown = await editing.settings(ref)
    first = shown.adapters[0]
    fresh = Adapter("", "user", "", link=False)
    outcomes = await editing.apply(ref, shown, [AddAdapter(fresh), AddAdapter(replace(fresh, mac=first.mac))], Heard())
    assert [outcome.when for outcome in outcomes] == [When.NOW, When.REFUSED], outcomes
    now = await editing.settings(ref)
    assert macs() == [one.mac for one in now.adapters]
    assert (now.adapters[1].link, now.adapters[1].model) == (False, first.model)
    outcomes = await editing.apply(
        ref, now, [RemoveAdapter(first), AddForward(Forward("a", "tcp", "", 1, "", 1))], Heard()
    )
    assert [outcome.when for outcome in outcomes] == [When.NOW, When.REFUSED]
    assert outcomes[1].reason == now.no_forwards and "user network" in now.no_forwards
    assert macs() == [now.adapters[1].mac]
    # a machine of this kind has a place or two for what comes while it runs
    await backend.perform(Action.START, ref, ActionOptions())
    told = []
    while When.NEXT not in told and len(told) < 8:
        before = await editing.settings(ref)
        told += [one.when for one in await editing.apply(ref, before, [AddAdapter(fresh)], Heard())]
        assert (len(macs()), len(macs("--inactive"))) == (1 + told.count(When.NOW), 1 + len(told)), told
    assert told[-1] is When.NEXT
    # its cable: of one that is there now, of one that comes at the next start
    now = await editing.settings(ref)
    last = now.adapters[-1]
    changes = [SetAdapter(replace(one, link=not one.link)) for one in (now.adapters[0], last)]
    outcomes = await editing.apply(ref, now, changes, Heard())
    assert [outcome.when for outcome in outcomes] == [When.NOW, When.NEXT], outcomes
    assert empty.virsh("domif-getlink", ref.id, now.adapters[0].mac).endswith("up")
    # the guest never answers: it keeps what it has until it is off
    now = await editing.settings(ref)
    outcomes = await editing.apply(ref, now, [RemoveAdapter(now.adapters[-1]), RemoveAdapter(now.adapters[0])], Heard())
    assert [outcome.when for outcome in outcomes] == [When.NOW, When.NEXT], outcomes
    assert now.adapters[0].mac in macs() and now.adapters[0].mac not in macs("--inactive")


async def test_cpus_change_live_where_there_is_room_and_keep_it(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    editing, identity = able(backend, Editing), empty.define("roomy")
    ref = Ref("libvirt", Kind.VM, identity)
    empty.virsh("setvcpus", identity, "4", "--config", "--maximum")
    empty.virsh("setvcpus", identity, "1", "--config")
    empty.virsh("start", identity)
    shown = await editing.settings(ref)
    assert (shown.cpus, shown.timed("cpus").when, shown.timed("memory").when) == (1, When.NOW, When.NEXT)
    # what the hardware it imitates cannot take while it runs comes at the next start
    outcomes = await editing.apply(ref, shown, [Set("cpus", 2), Set("memory", 8 * MB)], Heard())
    live = empty.virsh("vcpucount", identity, "--live", "--current")
    assert (outcomes[0].when is When.NOW) is (live == "2"), outcomes
    assert empty.virsh("vcpucount", identity, "--config", "--current") == "2"
    assert empty.virsh("vcpucount", identity, "--config", "--maximum") == "4"
    # the guest has no balloon's driver: it is not to give its memory back much later of itself
    assert outcomes[1].when is When.NEXT
    assert "Used memory:    16384 KiB" in empty.virsh("dominfo", identity)
    assert (await editing.settings(ref)).memory == 8 * MB


async def test_autostart_is_listed_and_set_and_seen_when_virsh_changes_it(
    backend: LibvirtBackend, empty: PrivateLibvirt
) -> None:
    editing, ref = able(backend, Editing), Ref("libvirt", Kind.VM, empty.define("auto"))

    async def listed() -> list[bool]:
        one = (await backend.list_some([ref])).updated
        return [vm.autostart for vm in (*(await backend.list_all()).vms, *one) if isinstance(vm, VM)]

    shown = await editing.settings(ref)
    assert not any(await listed()) and not shown.autostart
    empty.virsh("autostart", ref.id)
    assert await listed() == [True, True]
    with pytest.raises(ActionError, match="autostart was off, is on"):
        await editing.apply(ref, shown, [Set("cpus", 2)], Heard())
    outcomes = await editing.apply(ref, await editing.settings(ref), [Set("autostart", value=False)], Heard())
    assert [outcome.when for outcome in outcomes] == [When.NOW]
    assert "Autostart:      disable" in empty.virsh("dominfo", ref.id)
    assert await listed() == [False, False]


async def test_media_are_imported_marked_and_deleted_only_unused(
    backend: LibvirtBackend, empty: PrivateLibvirt, tmp_path: Path
) -> None:
    media, creating = able(backend, Media), able(backend, Creating)
    source = tmp_path / "- base 'x'.qcow2"
    make_image(source)
    path = await media.bring(str(source), Heard())
    base = next(medium for medium in await media.media() if medium.path == path)
    assert (base.virtual, base.format, base.place, base.users) == (8 * MB, "qcow2", "default", ())
    await media.grow(base, 16 * MB, Heard())
    assert image_info(images(empty) / source.name)["virtual-size"] == 16 * MB
    other = await media.convert(base, "raw", Heard())
    assert image_info(images(empty) / Path(other).name)["format"] == "raw"
    await media.mark(base, base=True)
    assert (await creating.limits()).bases == ((path, 16 * MB),)
    linked = await creating.create(replace(SMALL, disk=DiskFrom.LINKED, image=path), Heard())
    assert image_info(images(empty) / "small.qcow2")["backing-filename"] == path
    found = {medium.path: medium for medium in await media.media()}
    assert (found[path].base, found[path].resting) == (True, 1)
    thin = next(medium for medium in found.values() if medium.users == ("small",) and medium.kind == "disk")
    for medium, why in ((found[path], "rests on it"), (thin, "in use by small")):
        with pytest.raises(ActionError, match=why):
            await media.remove(medium)
    await media.remove(found[other])
    assert files(empty) == {source.name, "small.qcow2"}
    assert empty.state(linked.id) == "shut off"


async def test_uefi_variables_follow_their_vm(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    creating = able(backend, Creating)
    need((await creating.limits()).uefi, "libvirt finds no UEFI firmware: apt-get install ovmf")
    made = empty.directory / "lib/qemu/nvram/small_VARS.fd"
    for keep in (True, False):
        ref = await creating.create(replace(SMALL, uefi=True), Heard())
        if keep:
            await backend.perform(Action.START, ref, ActionOptions())
            tree = await able(backend, Snapshots).tree(ref)
            assert "UEFI firmware" in dict(tree.refusals)[Op.TAKE]
            await backend.perform(Action.KILL, ref, ActionOptions())
        assert made.exists()
        assert (await able(backend, Snapshots).tree(ref)).refusals == ()
        disk = "vda:/var/lib/libvirt/images/small.qcow2"
        assert disk in {loss.id for loss in await backend.losses(Action.DELETE, ref)}
        await backend.perform(Action.DELETE, ref, ActionOptions(disks=() if keep else (disk,)))
        assert empty.state(ref.id) == ""
        assert (made.exists(), files(empty)) == ((True, {"small.qcow2"}) if keep else (False, set()))
        (images(empty) / "small.qcow2").unlink(missing_ok=True)


async def test_a_transient_vm_says_so_and_survives_a_restart(backend: LibvirtBackend, empty: PrivateLibvirt) -> None:
    uuid = empty.define("fleeting", start=True)
    empty.virsh("undefine", uuid)
    ref = Ref("libvirt", Kind.VM, uuid)
    (found,) = (await backend.list_some([ref])).updated
    assert isinstance(found, VM) and found.transient
    pid = (empty.directory / "run/qemu/fleeting.pid").read_text()
    await backend.perform(Action.RESTART, ref, ActionOptions())
    await asyncio.sleep(1)
    assert empty.state(uuid) == "running"
    assert (empty.directory / "run/qemu/fleeting.pid").read_text() == pid
    await backend.perform(Action.KILL, ref, ActionOptions())
    assert (await backend.list_some([ref])).removed == (ref,)
