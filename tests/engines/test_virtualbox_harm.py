"""What others made survives on a real VirtualBox: their VMs, disks and files, when boxtop fails or comes second.

Checked with VBoxManage and the file system.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from backends.abilities.creating import MB, Creating, NewVM
from backends.abilities.editing import DetachDisk, Editing
from backends.abilities.media import Media
from backends.abilities.snapshots import Snapshots
from backends.abilities.transfer import Transfer
from backends.base import ActionError
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.machines import Heard, able, virtualbox_backend
from tests.engines.machines import machine as ref
from tests.engines.virtualbox_engine import PrivateVirtualBox

pytestmark = pytest.mark.virtualbox

_T = TypeVar("_T")
NEW = NewVM("web", "Other_64", 1, 32 * MB, size=4 * MB, format="VDI", network="none")


@pytest.fixture
async def backend(
    virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[VirtualBoxBackend]:
    async with virtualbox_backend(virtualbox, monkeypatch, tmp_path) as connection:
        yield connection


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that the private VirtualBox sees by the same path."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def both(first: object, second: object) -> list[str]:
    """What two works at once came to: nothing, or the reason of a refusal."""
    ended = await asyncio.gather(first, second, return_exceptions=True)  # type: ignore[call-overload]
    for one in ended:
        assert not isinstance(one, BaseException) or isinstance(one, ActionError), one
    return [str(one) for one in ended if isinstance(one, ActionError)]


async def test_a_vm_whose_disk_is_missing_where_a_new_one_would_be_survives(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    other = virtualbox.create("other", disk=False)
    folder = virtualbox.directory / "home/VirtualBox VMs/web"
    folder.mkdir()
    virtualbox.manage("createmedium", "disk", "--filename=/root/VirtualBox VMs/web/web.vdi", "--sizebyte=4194304")
    virtualbox.manage("storagectl", other, "--name=SATA", "--add=sata", "--portcount=4")
    virtualbox.attach(other, "/root/VirtualBox VMs/web/web.vdi")
    # as on a file system that is not mounted now
    (folder / "web.vdi").rename(virtualbox.directory / "home/aside.vdi")
    with pytest.raises(ActionError):
        await able(backend, Creating).create(NEW, Heard())
    assert other in virtualbox.machines().values()
    assert "web.vdi" in virtualbox.info(other)["SATA-0-0"]


async def test_of_two_imports_of_one_name_one_is_whole(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox, shared: Path
) -> None:
    source = virtualbox.create("source")
    path = str(shared / "source.ova")
    transfer = able(backend, Transfer)
    refused = await both(transfer.export(ref(source), path, Heard()), transfer.export(ref(source), path, Heard()))
    assert len(refused) == 1, refused
    assert names(shared) == ["source.ova"], refused
    refused = await both(transfer.bring(path, "copy", Heard()), transfer.bring(path, "copy", Heard()))
    assert len(refused) == 1, refused
    made = virtualbox.machines()["copy"]
    virtualbox.run(made)


async def test_a_disk_that_names_files_of_this_machine_is_not_imported(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox, shared: Path
) -> None:
    (shared / "secret").write_bytes(b"secret" * 2048)
    wrong = shared / "wrong.vmdk"
    described = '# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicFlat"\n'
    for name in (f"{shared}/secret", "../secret"):
        wrong.write_text(f'{described}RW 24 FLAT "{name}" 0\nddb.adapterType="ide"\n')
        with pytest.raises(ActionError, match="secret"):
            await able(backend, Media).bring(str(wrong), Heard())
    assert "wrong" not in virtualbox.manage("list", "hdds")


async def test_what_runs_is_not_powered_off_for_a_snapshot_that_is_gone(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("one", guest="spins")
    virtualbox.manage("snapshot", machine, "take", "first")
    (shown,) = (await able(backend, Snapshots).tree(ref(machine))).snapshots
    virtualbox.manage("snapshot", machine, "delete", "first")
    virtualbox.run(machine)
    with pytest.raises(ActionError):
        await able(backend, Snapshots).restore(ref(machine), shown.id, Heard())
    assert virtualbox.state(machine) == "running"


async def test_another_disk_than_the_one_shown_stays_in_its_place(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("one")
    editing = able(backend, Editing)
    settings = await editing.settings(ref(machine))
    virtualbox.manage("createmedium", "disk", "--filename=/root/new.vdi", "--sizebyte=4194304")
    virtualbox.attach(machine, "/root/new.vdi")
    drive = settings.drives[0]
    outcomes = ""
    try:
        outcomes = (await editing.apply(ref(machine), settings, [DetachDisk(drive, delete=True)], Heard()))[0].reason
    except ActionError as error:
        outcomes = str(error)
    assert outcomes
    assert virtualbox.disk(machine).is_file()
    assert virtualbox.info(machine)["SATA-0-0"] == "/root/new.vdi"
    virtualbox.attach(machine, "none")
    virtualbox.manage("closemedium", "disk", "/root/new.vdi", "--delete")
