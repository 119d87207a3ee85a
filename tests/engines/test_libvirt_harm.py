"""What another VM or the operator still needs survives on a real libvirt: files known by other paths, changes that no
event tells of, pools and passwords that were there before. Checked with virsh and the file system."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from backends.abilities.cloning import Cloning
from backends.abilities.creating import MB, Creating, DiskFrom, NewVM
from backends.abilities.editing import AttachDisk, DetachDisk, Editing, GrowDisk, Set, SetAdapter
from backends.abilities.media import Media
from backends.abilities.snapshots import Snapshots
from backends.abilities.transfer import Transfer
from backends.abilities.vm_settings import Autostart
from backends.base import ActionError
from backends.libvirt.backend import LibvirtBackend
from backends.model import Action, ActionOptions, Loss
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.machines import Heard, able, libvirt_backend
from tests.engines.machines import domain as ref

pytestmark = pytest.mark.libvirt

_T = TypeVar("_T")
NEW = NewVM("made", "", 1, 32 * MB, size=4 * MB, format="qcow2", network="user", accelerator="qemu")


@pytest.fixture
def clean(libvirt: PrivateLibvirt) -> Iterator[PrivateLibvirt]:
    """The private daemon without pools, before and after."""
    libvirt.clear_pools()
    yield libvirt
    libvirt.clear_pools()


@pytest.fixture
async def backend(
    clean: PrivateLibvirt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[LibvirtBackend]:
    async with libvirt_backend(clean, monkeypatch, tmp_path) as connection:
        yield connection


def pool(libvirt: PrivateLibvirt, folder: Path, name: str = "vms") -> None:
    folder.mkdir(exist_ok=True)
    libvirt.virsh("pool-define-as", name, "dir", "--target", str(folder))
    libvirt.virsh("pool-start", name)


def defined(libvirt: PrivateLibvirt, name: str, disk: str, *, source: str = "file", head: str = "") -> str:
    """A domain whose one disk is described so; its UUID."""
    identity = libvirt.define(name, head=head)
    own = libvirt.disk(identity)
    xml = libvirt.virsh("dumpxml", "--inactive", identity)
    start, end = xml.index("<disk "), xml.index("</disk>")
    xml = f"{xml[:start]}<disk type='{source}' device='disk'>{disk}<target dev='hda' bus='ide'/>{xml[end:]}"
    file = libvirt.directory / "harm.xml"
    file.write_text(xml)
    libvirt.virsh("define", str(file))
    own.unlink()
    return identity


def file_disk(path: Path | str, form: str = "raw") -> str:
    return f"<driver name='qemu' type='{form}'/><source file='{path}'/>"


def image(path: Path, form: str = "qcow2", base: Path | None = None) -> Path:
    below = ["-b", str(base), "-F", "qcow2"] if base else []
    size = [] if base else ["8M"]
    qemu_img("create", "-q", "-f", form, *below, path, *size)
    return path


def qemu_img(*arguments: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, arguments)], check=True, timeout=20)


async def losses(backend: LibvirtBackend, identity: str) -> dict[str, Loss]:
    return {loss.text: loss for loss in await backend.losses(Action.DELETE, ref(identity))}


async def test_a_disk_of_another_vm_stays_however_that_one_names_it(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    folder = tmp_path / "vms"
    pool(clean, folder)
    (tmp_path / "elsewhere").symlink_to(folder)
    names = {}
    for at, way in enumerate(("linked", "spelled", "hard", "volume", "free")):
        path = names[way] = image(folder / f"{at}.qcow2")
        if way == "hard":
            os.link(path, tmp_path / "hard.qcow2")
    clean.virsh("pool-refresh", "vms")
    other = {
        "linked": defined(clean, "by link", file_disk(tmp_path / "elsewhere/0.qcow2", "qcow2")),
        "spelled": defined(clean, "by spelling", file_disk(f"{folder}/../vms//1.qcow2", "qcow2")),
        "hard": defined(clean, "by hard link", file_disk(tmp_path / "hard.qcow2", "qcow2")),
        "volume": defined(
            clean,
            "by volume",
            "<driver name='qemu' type='qcow2'/><source pool='vms' volume='3.qcow2'/>",
            source="volume",
        ),
    }
    for way, path in names.items():
        own = defined(clean, f"own {way}", file_disk(path, "qcow2"))
        loss = (await losses(backend, own))[str(path)]
        if way in other:
            assert "also used by by " in loss.kept, (way, loss)
        else:
            assert not loss.kept
    media = {medium.path: medium for medium in await able(backend, Media).media()}
    for identity in clean.virsh("list", "--all", "--uuid", "--name").splitlines():
        if " own " in identity:
            clean.virsh("undefine", identity.split()[0])
    media = {medium.path: medium for medium in await able(backend, Media).media()}
    for way in ("linked", "spelled", "volume"):
        assert media[str(names[way])].keeps, way


async def test_a_disk_stays_that_another_vm_was_given_meanwhile_without_an_event(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    path = image(tmp_path / "shared.qcow2")
    own = defined(clean, "own", file_disk(path, "qcow2"))
    other = clean.define("other")
    (loss,) = await backend.losses(Action.DELETE, ref(own))
    assert not loss.kept
    clean.virsh("attach-disk", other, str(path), "vdb", "--config", "--subdriver", "qcow2")
    with pytest.raises(ActionError, match="used"):
        await backend.perform(Action.DELETE, ref(own), ActionOptions(disks=(loss.id,)))
    assert path.exists()
    assert clean.state(own) == "shut off"


async def test_a_disk_stays_that_images_of_no_vm_rest_on(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    folder = tmp_path / "vms"
    pool(clean, folder)
    base = image(folder / "base.qcow2")
    image(folder / "over.qcow2", base=base)
    clean.virsh("pool-refresh", "vms")
    own = defined(clean, "own", file_disk(base, "qcow2"))
    (loss,) = await backend.losses(Action.DELETE, ref(own))
    assert "rest" in loss.kept
    # nor is one brought in that takes from elsewhere what it holds
    with pytest.raises(ActionError, match="rests on"):
        await able(backend, Media).bring(str(folder / "over.qcow2"), Heard())


async def test_unregistering_loses_no_saved_memory_in_silence(backend: LibvirtBackend, clean: PrivateLibvirt) -> None:
    own = clean.define("own", "spins", start=True)
    clean.virsh("managedsave", own)
    saved = list((clean.directory / "lib/qemu/save").glob("*.save"))
    assert saved
    with pytest.raises(ActionError, match="saved"):
        await backend.perform(Action.DELETE, ref(own), ActionOptions())
    assert saved[0].exists()
    assert clean.state(own)


async def test_no_device_is_taken_for_a_file(backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path) -> None:
    node = tmp_path / "node"
    os.mknod(node, 0o600 | 0o060000, os.makedev(7, 77))
    link = tmp_path / "link.img"
    target = image(tmp_path / "target.img", "raw")
    link.symlink_to(target)
    for path in (node, link):
        own = defined(clean, f"own {path.name}", file_disk(path))
        (loss,) = await backend.losses(Action.DELETE, ref(own))
        assert loss.kept, path
        settings = await able(backend, Editing).settings(ref(own))
        gone = DetachDisk(settings.drives[0], delete=True)
        (outcome,) = await able(backend, Editing).apply(ref(own), settings, [gone], Heard())
        assert "kept" in outcome.reason, path
        assert path.is_symlink() or path.exists(), path


async def test_a_password_of_its_screen_survives_a_change_of_its_definition(
    backend: LibvirtBackend, clean: PrivateLibvirt
) -> None:
    extra = (
        "<graphics type='vnc' port='-1' passwd='geheim'/>"
        "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
    )
    own = clean.define("own", extra=extra)
    editing = able(backend, Editing)
    settings = await editing.settings(ref(own))
    await editing.apply(ref(own), settings, [Set("boot", ("cdrom", "disk"))], Heard())
    assert "geheim" in clean.virsh("dumpxml", "--security-info", own)
    settings = await editing.settings(ref(own))
    adapter = replace(settings.adapters[0], mac="52:54:00:00:00:02")
    await editing.apply(ref(own), settings, [SetAdapter(adapter)], Heard())
    assert "52:54:00:00:00:02" in clean.virsh("dumpxml", own)
    assert "geheim" in clean.virsh("dumpxml", "--security-info", own)


async def test_a_pool_that_was_there_survives_an_undoing(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    clean.virsh("pool-define-as", "default", "dir", "--target", str(folder))
    # in its way once the pool is started
    (folder / "made.qcow2").write_bytes(b"not boxtop's")
    with pytest.raises(ActionError, match="already"):
        await able(backend, Creating).create(NEW, Heard())
    assert str(folder) in clean.virsh("pool-dumpxml", "default")
    assert (folder / "made.qcow2").read_bytes() == b"not boxtop's"


async def test_a_disk_is_never_shrunk_under_a_running_vm(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    path = image(tmp_path / "big.qcow2")
    own = defined(clean, "own", file_disk(path, "qcow2"))
    clean.virsh("start", own)
    editing = able(backend, Editing)
    settings = await editing.settings(ref(own))
    stale = replace(settings.drives[0], size=1 * MB)
    (outcome,) = await editing.apply(ref(own), settings, [GrowDisk(stale, 4 * MB)], Heard())
    assert "8388608" in clean.virsh("domblkinfo", own, "hda"), outcome


async def test_what_others_rest_on_is_not_written_to_by_a_new_vm(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    folder = tmp_path / "vms"
    pool(clean, folder)
    base = image(folder / "base.qcow2")
    over = image(folder / "over.qcow2", base=base)
    clean.virsh("pool-refresh", "vms")
    defined(clean, "clone", file_disk(over, "qcow2"))
    spec = replace(NEW, disk=DiskFrom.EXISTING, image=str(base))
    with pytest.raises(ActionError, match="written to"):
        await able(backend, Creating).create(spec, Heard())
    own = clean.define("own")
    editing = able(backend, Editing)
    settings = await editing.settings(ref(own))
    (outcome,) = await editing.apply(ref(own), settings, [AttachDisk(path=str(base))], Heard())
    assert "written to" in outcome.reason
    source = defined(clean, "source", file_disk(base, "qcow2"))
    with pytest.raises(ActionError, match="clone rests"):
        await able(backend, Autostart).set_autostart(ref(source), on=True)
    with pytest.raises(ActionError, match="clone rests"):
        await backend.perform(Action.START, ref(source), ActionOptions())
    clean.virsh("autostart", source)
    assert "autostart" in (await able(backend, Cloning).offer(ref(source))).sources[0].linked


async def test_what_a_guest_wrote_into_its_raw_disk_is_no_header(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    """A guest may write a qcow2 header that names the disk of another VM as what it rests on."""
    victim = clean.define("victim", "spins")
    raw = image(tmp_path / "evil.qcow2", base=image(tmp_path / "some.qcow2"))
    qemu_img("rebase", "-u", "-b", clean.disk(victim), "-F", "raw", "-f", "qcow2", raw)
    defined(clean, "evil", file_disk(raw))
    (loss,) = await backend.losses(Action.DELETE, ref(victim))
    assert not loss.kept
    await backend.perform(Action.START, ref(victim), ActionOptions())
    assert clean.state(victim) == "running"


async def test_a_refused_restore_keeps_the_saved_memory(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    path = image(tmp_path / "d.qcow2")
    own = defined(clean, "own", file_disk(path, "qcow2"))
    clean.virsh("snapshot-create-as", own, "first")
    clean.virsh("start", own)
    clean.virsh("managedsave", own)
    (saved,) = (clean.directory / "lib/qemu/save").glob("*.save")
    # the image has lost the snapshot: nothing can be gone back to
    qemu_img("snapshot", "-d", "first", path)
    with pytest.raises(ActionError):
        await able(backend, Snapshots).restore(ref(own), "first", Heard())
    assert saved.exists()


async def test_an_import_writes_and_runs_nothing_of_this_machine(
    backend: LibvirtBackend, clean: PrivateLibvirt, tmp_path: Path
) -> None:
    victim, run = tmp_path / "victim", tmp_path / "run.sh"
    victim.write_text("precious")
    run.write_text(f"#!/bin/sh\necho gone > {victim}\n")
    run.chmod(0o755)
    pool(clean, tmp_path / "vms", "default")
    transfer = able(backend, Transfer)
    own = clean.define("own", "spins")
    await transfer.export(ref(own), str(tmp_path / "out"), Heard())
    file = tmp_path / "out/domain.xml"
    wrong = (
        f"<serial type='pty'><log file='{victim}' append='off'/><target port='0'/></serial>"
        f"<interface type='ethernet'><script path='{run}'/><target dev='bt-harm0'/></interface>"
        f"<audio id='7' type='file' path='{victim}'/>"
        f"<channel type='unix'><source mode='bind' path='{victim}'/><target type='virtio' name='a.b'/></channel>"
        f"<rng model='virtio'><backend model='random'>{victim}</backend></rng>"
    )
    text = file.read_text().replace("<devices>", f"<devices>{wrong}", 1)
    file.write_text(text.replace("</os>", f"<loader readonly='yes' type='rom'>{victim}</loader></os>"))
    await transfer.bring(str(tmp_path / "out"), "stranger", Heard())
    assert str(tmp_path / "victim") not in clean.virsh("dumpxml", "stranger")
    clean.virsh("start", "stranger")
    assert victim.read_text() == "precious"
    file.write_text(text.replace('type="raw"', 'type="vmdk"').replace("type='raw'", "type='vmdk'"))
    with pytest.raises(ActionError, match="vmdk"):
        await transfer.look(str(tmp_path / "out"))
