"""What making and changing VMs rests on that needs no engine: forms, what engines print, undoing, marks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from backends import bases
from backends.abilities.creating import GB, MB, DiskFrom, Limits, OSType
from backends.abilities.editing import Adapter, Drive, Set, Settings, Timing, When, differences
from backends.base import ActionError
from backends.libvirt import osinfo
from backends.undoing import undone_on_failure, whole
from backends.virtualbox.editing import read as read_settings
from backends.virtualbox.images import images
from tui import settings_forms as forms
from tui.create_form import fields_of, follower, read
from tui.settings_view import drive_words, rows_of

KINDS = (OSType("linux", "Linux", 2, 2 * GB, 20 * GB), OSType("win", "Windows 11", 4, 4 * GB, 64 * GB, uefi=True))
LIMITS = Limits(
    cpus=2,
    memory=8 * GB,
    memory_free=3 * GB,
    folder="/vms",
    space=10 * GB,
    formats=(("qcow2", "qcow2"),),
    networks=(("nat", "NAT"),),
    names=frozenset({"taken"}),
    bases=(("/vms/base.qcow2", GB),),
    uefi=False,
)
SETTINGS = Settings(
    name="vm",
    description="one\n\n two ",
    cpus=1,
    memory=512 * MB,
    uefi=False,
    boot=("disk",),
    autostart=False,
    drives=(Drive("sda", "SATA 0", "disk", "/a", "raw", GB),),
    adapters=(Adapter("1", "nat", "08:00:27:00:00:01", link=True),),
)


class Heard:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def progress(self, progress: object) -> None:
        del progress

    def line(self, text: str) -> None:
        self.lines.append(text)


def values(**others: object) -> dict[str, object]:
    found = {field.id: getattr(field, "value", "") for field in fields_of(KINDS, LIMITS, KINDS[0])}
    first = {"os": "linux", "disk": "new", "format": "qcow2", "network": "nat", "firmware": "bios", "name": "new"}
    return {**found, **first, "size": "1g", **others}


@pytest.mark.parametrize(
    ("others", "field", "word"),
    [
        ({"name": ""}, "name", "needed"),
        ({"name": "taken"}, "name", "already"),
        ({"cpus": "3"}, "cpus", "the host has 2"),
        ({"cpus": "²"}, "cpus", "a number"),
        ({"memory": "9g"}, "memory", "the host has"),
        ({"memory": "much"}, "memory", "no size"),
        ({"memory": "4g", "start": True}, "memory", "free"),
        ({"size": "11g", "fixed": True}, "size", "left in /vms"),
        ({"size": "1k"}, "size", "at least"),
        ({"disk": "existing"}, "image", "which image"),
        ({"disk": "linked", "image": "/vms/other.qcow2"}, "image", "no base image"),
        ({"disk": "new", "image": "/vms/other.qcow2"}, "image", "not used, Disk is new, empty"),
        ({"firmware": "uefi"}, "firmware", "no UEFI"),
    ],
)
def test_a_new_vm_is_checked_against_its_host(others: dict[str, object], field: str, word: str) -> None:
    assert read(values(), LIMITS)[1] == {}  # type: ignore[arg-type]
    problems = read(values(**others), LIMITS)[1]  # type: ignore[arg-type]
    assert word in problems[field]
    assert set(problems) == {field}


def test_an_image_is_not_dropped_in_silence_where_a_new_disk_is_attached() -> None:
    assert not forms.attach_change({"source": "new", "size": "1g", "format": "raw", "image": ""})[1]
    problems = forms.attach_change({"source": "new", "size": "1g", "format": "raw", "image": "/vms/a.img"})[1]
    assert "not used" in problems["image"]


def test_what_the_system_leads_to_stays_within_the_host() -> None:
    led = follower(KINDS, LIMITS)("os", values(os="win"))  # type: ignore[arg-type]
    assert led == {"cpus": "2", "memory": "4g", "size": "64g", "firmware": "bios"}
    linked = follower(KINDS, LIMITS)("disk", values(disk=DiskFrom.LINKED.value))  # type: ignore[arg-type]
    assert linked == {"image": "/vms/base.qcow2"}
    for image, then in (("/vms/base.qcow2", {"image": ""}), ("/vms/typed.qcow2", {})):
        assert follower(KINDS, LIMITS)("disk", values(disk="none", image=image)) == then  # type: ignore[arg-type]


def test_only_what_differs_is_changed() -> None:
    shown = {"name": "vm", "description": ("one", "two"), "cpus": "1", "memory": "512m", "uefi": False, "boot": "disk"}
    assert forms.general_changes(shown, SETTINGS, LIMITS) == ([], {})  # type: ignore[arg-type]
    changed = forms.general_changes({**shown, "cpus": "2", "boot": "cdrom disk"}, SETTINGS, LIMITS)  # type: ignore[dict-item]
    assert changed == ([Set("cpus", 2), Set("boot", ("cdrom", "disk"))], {})
    wrong = forms.general_changes({**shown, "cpus": "3", "boot": "disk disk"}, SETTINGS, LIMITS)[1]  # type: ignore[dict-item]
    assert set(wrong) == {"cpus", "boot"}


def test_what_cannot_be_changed_now_is_no_field_and_has_its_reason() -> None:
    running = replace(
        SETTINGS,
        live=True,
        timing=(Timing("name", When.REFUSED, "only while it is off"), Timing("memory", When.NEXT)),
    )
    assert "name" not in {field.id for field in forms.general_fields(running)}
    notes = [text for text, _ in forms.general_notes(running)]
    assert notes == ["It runs. At its next start only: memory.", "Not now: name: only while it is off."]


def test_a_disk_only_grows_and_an_address_is_no_groups() -> None:
    drive, adapter = SETTINGS.drives[0], SETTINGS.adapters[0]
    assert forms.grow_change({"size": "1g"}, drive)[1]
    assert not forms.grow_change({"size": "2g"}, drive)[1]
    for mac, wrong in (("08:00:27:0:0:1", True), ("09:00:27:00:00:01", True), ("0A:00:27:00:00:01", False)):
        problems = forms.adapter_change({"network": "nat", "link": True, "mac": mac}, adapter)[1]
        assert bool(problems) is wrong, mac


def test_a_settings_row_keeps_its_key_when_one_comes_before_it() -> None:
    """The cursor stays on it: what is pressed next is not done to the disk that took its place."""
    more = replace(SETTINGS, drives=(Drive("hda", "ide hda", "disk", "/b", "raw", GB), *SETTINGS.drives))
    before, after = ({row.key: about for row, about in rows_of(one, {})} for one in (SETTINGS, more))
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1
    twins = replace(SETTINGS, adapters=SETTINGS.adapters * 2)
    assert len({row.key for row, _ in rows_of(twins, {})}) == len(rows_of(twins, {}))


def test_changes_from_elsewhere_are_named() -> None:
    assert differences(SETTINGS, replace(SETTINGS, live=True)) == []
    told = differences(SETTINGS, replace(SETTINGS, cpus=2, memory=64 * MB, uefi=True, drives=()))
    assert told == ["CPUs was 1, is 2", "memory was 512 MiB, is 64 MiB", "UEFI was off, is on", "other disks or media"]


def test_a_description_that_looks_like_settings_is_none() -> None:
    text = 'name="a \\"b\\""\ndescription="x\nmemory=1\n\\"SATA-0-0\\"=\\"/etc/passwd\\""\nmemory=48\ncpus=2\n'
    text += 'storagecontrollername0="SATA"\n"SATA-0-0"="/it\'s \\"x\\".vdi"\nnic1="nat"\nVMState="running"\n'
    found = read_settings(text, [])
    assert (found.name, found.memory, found.cpus, found.live) == ('a "b"', 48 * MB, 2, True)
    assert found.description.startswith("x\nmemory=1")
    assert [drive.path for drive in found.drives] == ['/it\'s "x".vdi']


def test_listed_images_have_sizes_and_users() -> None:
    text = """UUID:           cdae1b9d-8cd6-4b86-a030-bfe880bf207d
Parent UUID:    base
State:          created
Location:       /root/a: b.vdi
Storage format: VDI
Capacity:       8 MBytes
Size on disk:   2 MBytes
In use by VMs:  -we'ird "x", y (UUID: 11111111-2222-4333-8444-555555555555)

UUID:           a6c7af6b-254e-41e9-af2b-3a0a14539df6
Parent UUID:    cdae1b9d-8cd6-4b86-a030-bfe880bf207d
Location:       /root/c.vdi
"""
    first, second = images(text)
    assert (first.location, first.capacity, first.size) == ("/root/a: b.vdi", 8 * MB, 2 * MB)
    assert first.users == ("11111111-2222-4333-8444-555555555555",)
    assert (first.parent, second.parent) == ("", first.id)


def test_systems_come_from_libosinfo_where_it_is(tmp_path: Path) -> None:
    assert osinfo.os_types((tmp_path,)) == osinfo.GENERIC
    (tmp_path / "debian-12.xml").write_text(
        '<libosinfo><os id="http://debian.org/debian/12"><name>Debian 12</name><resources arch="all">'
        "<recommended><ram>2147483648</ram><storage>21474836480</storage></recommended></resources></os></libosinfo>"
    )
    (tmp_path / "broken.xml").write_text("<libosinfo>")
    found = {kind.name: kind for kind in osinfo.os_types((tmp_path,))}
    assert (found["Debian 12"].memory, found["Debian 12"].disk) == (2 * GB, 20 * GB)
    assert {"Linux", "Other"} <= set(found)


def test_marks_of_base_images_are_kept_by_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bases.mark("virtualbox://", "/a b", base=True)
    assert bases.marked("virtualbox://") == {"/a b"}
    assert bases.marked("libvirt://") == frozenset()
    bases.mark("virtualbox://", "/a b", base=False)
    assert bases.marked("virtualbox://") == frozenset()
    bases.file().write_text("[")
    assert bases.marked("virtualbox://") == frozenset()


async def test_what_was_made_is_undone_last_first_and_said() -> None:
    heard, done = Heard(), []

    async def undo(what: str, *, found: bool = True) -> bool:
        done.append(what)
        return found

    async def fails() -> bool:
        raise ActionError("it is locked")

    with pytest.raises(ActionError) as error:
        async with undone_on_failure(heard) as steps:
            steps.later("one", lambda: undo("one"))
            steps.later("two", fails)
            steps.later("three", lambda: undo("three", found=False))
            steps.later("another's", lambda: undo("another's"))
            steps.unmade()
            raise ActionError("disk full")
    assert done == ["three", "one"]
    assert str(error.value) == "disk full; undone: one; left behind: two (it is locked)"


async def test_a_step_under_way_ends_before_it_is_undone() -> None:
    order: list[str] = []
    begun = asyncio.Event()

    async def step() -> None:
        begun.set()
        await asyncio.sleep(0.02)
        order.append("made")

    async def undo() -> None:
        order.append("undone")

    async def work() -> None:
        async with undone_on_failure(Heard()) as steps:
            steps.later("it", undo)
            await whole(step())

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert order == ["made", "undone"]


@pytest.mark.parametrize(
    ("drive", "words"),
    [
        (Drive("a", "SATA 0", "disk", "/a/b c/d.vdi", "VDI", GB, 3 * MB), "VDI 1.0G, 3.0M on disk  d.vdi  in /a/b c"),
        (Drive("a", "SATA 0", "disk", "pool", "raw"), "raw  pool"),
        (Drive("a", "IDE 0", "cdrom", "/a/b.iso"), "cdrom  b.iso  in /a"),
        (Drive("a", "IDE 0", "cdrom", ""), "cdrom, empty"),
    ],
)
def test_drive_tells_its_sizes_before_its_long_path(drive: Drive, words: str) -> None:
    assert drive_words(drive) == words
