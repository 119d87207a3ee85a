"""VMs made, changed and given media on a real VirtualBox, checked with VBoxManage and the file system."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
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
    RemoveAdapter,
    Set,
    SetAdapter,
    When,
)
from backends.abilities.media import Media, NewMedium
from backends.base import ActionError
from backends.model import Ref
from backends.progress import Progress
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.machines import able, virtualbox_backend
from tests.engines.virtualbox_engine import PrivateVirtualBox

pytestmark = pytest.mark.virtualbox

NAMES = ('-it\'s "a" name', "运行中的机器", "x" * 200)
_T = TypeVar("_T")
SMALL = NewVM("small", "Other_64", 1, 32 * MB, size=4 * MB, format="VDI", network="none")


class Heard:
    """A Report that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def progress(self, progress: Progress) -> None:
        """Nobody reads it."""

    def line(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
async def backend(
    virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[VirtualBoxBackend]:
    async with virtualbox_backend(virtualbox, monkeypatch, tmp_path) as connection:
        yield connection


def files(virtualbox: PrivateVirtualBox) -> set[str]:
    """What lies in the machine folder."""
    folder = virtualbox.directory / "home/VirtualBox VMs"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def media_of(virtualbox: PrivateVirtualBox) -> str:
    return virtualbox.manage("list", "hdds")


async def test_vms_of_every_name_are_made_as_wanted(backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    creating = able(backend, Creating)
    kinds = {kind.id: kind for kind in await creating.os_types()}
    assert kinds["Windows11_64"].uefi
    assert kinds["Debian12_64"].memory == 2048 * MB
    limits = await creating.limits()
    assert limits.space
    assert limits.cpus >= 1
    assert ("nat", "NAT: out through the host") in limits.networks
    made = [await creating.create(replace(SMALL, name=name, network="nat"), Heard()) for name in NAMES]
    info = virtualbox.info(made[0].id)
    assert (info["memory"], info["cpus"], info["nic1"], info["firmware"]) == ("32", "1", "nat", "BIOS")
    assert {entry.ref.id for entry in (await backend.list_all()).vms} == {ref.id for ref in made}
    assert info["SATA-1-0"] == "emptydrive"
    assert media_of(virtualbox).count("Capacity:       4 MBytes") == 3
    with pytest.raises(ActionError, match="of this name already"):
        await creating.create(replace(SMALL, name=NAMES[0]), Heard())


async def test_a_step_that_fails_leaves_nothing_behind(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    creating = able(backend, Creating)
    before = media_of(virtualbox)
    full = replace(SMALL, size=1 << 42, fixed=True)
    with pytest.raises(ActionError, match="size: it needs 4194304 MB"):
        await creating.create(full, Heard())
    with pytest.raises(ActionError, match="cannot read it: No such file"):
        await creating.create(replace(SMALL, iso="/nowhere/a.iso"), Heard())
    broken = virtualbox.directory / "home" / "broken.iso"
    broken.write_bytes(b"MBR no ISO" * 60)
    with suppress(ActionError):
        await creating.create(replace(SMALL, network="bridge:"), Heard())
    with pytest.raises(ActionError, match="undone"):
        await creating.create(replace(SMALL, disk=DiskFrom.EXISTING, image="/root/broken.iso"), Heard())
    broken.unlink()

    async def nothing(spec: NewVM) -> Mapping[str, str]:
        del spec
        return {}

    # whatever was checked may be otherwise when its step comes
    monkeypatch.setattr(creating, "objections", nothing)
    with pytest.raises(ActionError, match=r"DISK_FULL.*undone: the VM small"):
        await creating.create(full, Heard())
    with pytest.raises(ActionError, match=r"nowhere.*undone: .*the VM small"):
        await creating.create(replace(SMALL, iso="/nowhere/a.iso"), Heard())
    with pytest.raises(ActionError, match=r"no network of this machine; undone: the VM small"):
        await creating.create(replace(SMALL, network="nowhere"), Heard())
    assert virtualbox.machines() == {}
    assert files(virtualbox) == set()
    assert media_of(virtualbox) == before


async def test_a_name_taken_meanwhile_harms_neither(backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    creating = able(backend, Creating)
    results = await asyncio.gather(
        creating.create(SMALL, Heard()), creating.create(SMALL, Heard()), return_exceptions=True
    )
    won = [result for result in results if isinstance(result, Ref)]
    assert len(won) == 1, results
    assert list(virtualbox.machines().values()) == [won[0].id]
    assert virtualbox.info(won[0].id)["SATA-0-0"].endswith("small.vdi")
    media = able(backend, Media)
    spec = NewMedium("twice", 4 * MB, "VDI")
    made = await asyncio.gather(media.create(spec, Heard()), media.create(spec, Heard()), return_exceptions=True)
    assert len([path for path in made if isinstance(path, str)]) == 1, made
    assert "twice.vdi" in files(virtualbox)
    assert "twice.vdi" in media_of(virtualbox)


async def test_cancelled_or_without_its_service_a_copy_is_undone(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    creating = able(backend, Creating)
    image = virtualbox.directory / "home" / "big.vdi"
    virtualbox.manage("createmedium", "disk", "--filename=/root/big.vdi", "--size=600", "--variant=Fixed")
    virtualbox.manage("closemedium", "disk", "/root/big.vdi")
    copy = replace(SMALL, disk=DiskFrom.COPY, image="/root/big.vdi")
    target = virtualbox.directory / "home/VirtualBox VMs/small/small.vdi"
    for fault in ("cancel", "kill"):
        heard = Heard()
        (service,) = virtualbox.services()
        task = asyncio.create_task(creating.create(copy, heard))
        while not target.exists() and not task.done():
            await asyncio.sleep(0.001)
        assert not task.done(), task
        # held there: a fast disk would have it copied before anything is done to it
        os.kill(service, signal.SIGSTOP)
        if fault == "cancel":
            task.cancel()
            os.kill(service, signal.SIGCONT)
        else:
            virtualbox.kill()
            await backend.connect()
        error = (await asyncio.gather(task, return_exceptions=True))[0]
        assert isinstance(error, asyncio.CancelledError if fault == "cancel" else ActionError), error
        assert "undone:" in heard.lines[-1], heard.lines
        assert "left behind" not in heard.lines[-1]
        assert virtualbox.machines() == {}
        assert files(virtualbox) == set(), fault
        assert image.exists()


async def test_settings_change_what_vboxmanage_then_sees(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    editing, machine = able(backend, Editing), virtualbox.create("edited")
    ref = Ref("virtualbox", (await backend.list_all()).vms[0].ref.kind, machine)
    shown = await editing.settings(ref)
    described = 'first "line"\nmemory=1\n"SATA-0-0"="x"'
    outcomes = await editing.apply(
        ref,
        shown,
        [
            Set("name", NAMES[0]),
            Set("description", described),
            Set("cpus", 2),
            Set("memory", 48 * MB),
            Set("boot", ("cdrom", "disk")),
            AddAdapter(Adapter("", "nat", "08:00:27:12:34:56", link=False)),
            AddForward(Forward("web", "tcp", "127.0.0.1", 8080, "", 80, "1")),
            AttachDisk(size=8 * MB, format="VDI"),
            GrowDisk(shown.drives[0], 16 * MB),
            GrowDisk(shown.drives[0], 2 * MB),
        ],
        Heard(),
    )
    assert [outcome.when for outcome in outcomes] == [When.NOW] * 9 + [When.REFUSED], outcomes
    info = virtualbox.info(machine)
    assert (info["cpus"], info["boot1"], info["boot2"]) == ("2", "dvd", "disk")
    assert re.search(r"Memory size: +48MB", virtualbox.manage("showvminfo", machine))
    assert (info["macaddress1"], info["cableconnected1"]) == ("080027123456", "off")
    assert info["Forwarding(0)"] == "web,tcp,127.0.0.1,8080,,80"
    assert NAMES[0] in {vm.name for vm in (await backend.list_all()).vms}
    now = await editing.settings(ref)
    assert (now.description, now.memory) == (described, 48 * MB)
    assert [drive.size for drive in now.drives] == [16 * MB, 8 * MB]
    with pytest.raises(ActionError, match="changed from elsewhere"):
        await editing.apply(ref, shown, [Set("cpus", 1)], Heard())
    kept, gone = now.drives
    outcomes = await editing.apply(ref, now, [DetachDisk(kept), DetachDisk(gone, delete=True)], Heard())
    assert [outcome.when for outcome in outcomes] == [When.NOW] * 2, outcomes
    assert virtualbox.disk(machine).exists()
    assert gone.path not in media_of(virtualbox)


async def test_adapters_come_and_go_with_what_belongs_to_them(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    editing, machine = able(backend, Editing), virtualbox.create("adapters")
    virtualbox.manage("modifyvm", machine, "--nic1=nat", "--nic2=intnet", "--intnet2=lab")
    ref = (await backend.list_all()).vms[0].ref
    shown = await editing.settings(ref)
    assert not shown.adapters[0].no_forwards and "behind NAT" in shown.adapters[1].no_forwards
    rule = Forward("web", "tcp", "127.0.0.1", 8087, "", 80, "1")
    changes = [AddForward(rule), SetAdapter(replace(shown.adapters[1], network="none"))]
    assert {one.when for one in await editing.apply(ref, shown, changes, Heard())} == {When.NOW}
    now = await editing.settings(ref)
    assert [one.network for one in now.adapters] == ["nat", "none"]
    changes = [RemoveAdapter(now.adapters[0]), AddAdapter(Adapter("", "none", "", link=True))]
    changes += [AddAdapter(Adapter("", "nat", "", link=True))] * 7
    outcomes = await editing.apply(ref, now, changes, Heard())
    assert [one.when for one in outcomes] == [*[When.NOW] * 8, When.REFUSED], outcomes
    assert "8, all in use" in outcomes[-1].reason
    info = virtualbox.info(machine)
    assert [info[f"nic{slot}"] for slot in range(1, 9)] == ["null", "null", *["nat"] * 6]
    assert info["macaddress1"] != shown.adapters[0].mac.replace(":", "").upper()
    full = await editing.settings(ref)
    assert full.timed("plug").when is When.REFUSED
    virtualbox.manage("modifyvm", machine, "--nic1=nat")
    assert not (await editing.settings(ref)).forwards
    virtualbox.manage("modifyvm", machine, "--chipset=ich9")
    assert (await editing.settings(ref)).timed("plug").when is When.NOW


async def test_what_runs_is_changed_live_where_it_can_be(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    editing, machine = able(backend, Editing), virtualbox.create("live")
    virtualbox.manage("modifyvm", machine, "--nic1=nat")
    virtualbox.run(machine)
    ref = (await backend.list_all()).vms[0].ref
    shown = await editing.settings(ref)
    outcomes = await editing.apply(
        ref,
        shown,
        [
            Set("memory", 64 * MB),
            AttachDisk(size=4 * MB, format="VDI"),
            SetAdapter(replace(shown.adapters[0], link=False)),
            AddForward(Forward("ssh", "tcp", "127.0.0.1", 2229, "", 22, "1")),
        ],
        Heard(),
    )
    assert [outcome.when for outcome in outcomes] == [When.REFUSED, When.NOW, When.NOW, When.NOW], outcomes
    assert "only while the VM is off" in outcomes[0].reason
    info = virtualbox.info(machine)
    assert (info["VMState"], info["cableconnected1"]) == ("running", "off")
    assert info["SATA-1-0"].endswith("disk-2.vdi")
    assert info["Forwarding(0)"].startswith("ssh,tcp,127.0.0.1,2229")


async def test_media_are_made_marked_and_deleted_only_unused(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    media, creating = able(backend, Media), able(backend, Creating)
    path = await media.create(NewMedium("- base 'x'", 8 * MB, "VDI"), Heard())
    base = next(medium for medium in await media.media() if medium.path == path)
    assert (base.virtual, base.users, base.base) == (8 * MB, (), False)
    await media.grow(base, 16 * MB, Heard())
    with pytest.raises(ActionError, match="only grow"):
        await media.grow(replace(base, virtual=16 * MB), 8 * MB, Heard())
    other = await media.convert(base, "VMDK", Heard())
    assert "Storage format: VMDK" in media_of(virtualbox)
    await media.mark(base, base=True)
    assert (await creating.limits()).bases == ((path, 16 * MB),)
    linked = await creating.create(replace(SMALL, disk=DiskFrom.LINKED, image=path), Heard())
    found = {medium.path: medium for medium in await media.media()}
    assert (found[path].base, found[path].resting) == (True, 1)
    thin = next(medium for medium in found.values() if medium.users == ("small",))
    assert thin.rests_on == path
    for medium, why in ((found[path], "rests on it"), (thin, "in use by small")):
        with pytest.raises(ActionError, match=why):
            await media.remove(medium)
    await media.remove(found[other])
    assert other not in media_of(virtualbox)
    assert virtualbox.info(linked.id)["VMState"] == "poweroff"
    assert files(virtualbox) >= {"- base 'x'.vdi"}
