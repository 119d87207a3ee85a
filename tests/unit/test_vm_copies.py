"""Snapshots and clones, the parts without an engine: names, trees, questions, XML, what VBoxManage prints."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from backends import vm_names
from backends.abilities.snapshots import SnapshotTree, VmSnapshot
from backends.libvirt.clone_xml import Image, cloned
from backends.libvirt.qemu_img import Copy
from backends.model import VM, Kind, Ref, State
from backends.virtualbox.helper import clones
from backends.virtualbox.snapshots import add_clones, parse
from tui.snapshot_rows import rows_of
from tui.snapshot_words import delete_lines, restore_lines
from widgets.glyphs import ASCII, BRAILLE


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("", "needs a name"),
        (" x", "blanks"),
        ("a/b", "no /"),
        (".x", "dot"),
        ("a\nb", "control"),
        ("a\u202eb", "control"),
        ("x" * 201, "201 bytes"),
        ("日" * 67, "201 bytes"),
        ("x" * 200, ""),
        ("日" * 66, ""),
        ("-lead", ""),
        ('"it\'s" & <b>', ""),
    ],
)
def test_names(name: str, wrong: str) -> None:
    words = vm_names.problem(name)
    assert wrong in words
    assert bool(words) == bool(wrong)


def test_a_proposed_name_is_free_and_short_enough() -> None:
    assert vm_names.proposed("web", set()) == "web-clone"
    assert vm_names.proposed("web", {"web-clone", "web-clone-2"}) == "web-clone-3"
    long = vm_names.proposed("日" * 70, set())
    assert not vm_names.problem(long)
    assert long.endswith("-clone")


def test_who_rests_on_a_snapshot_by_what_vboxmanage_lists() -> None:
    vm, clone, snapshot, base, own, thin = (
        f"{number}" * 8 + "-0000-4000-8000-" + f"{number}" * 12 for number in "123456"
    )
    text = (
        f"UUID:           {base}\nParent UUID:    base\nLocation:       /a.vdi\n"
        f'In use by VMs:  a "q", b (UUID: {vm}) [s (UUID: {snapshot})]\nChild UUIDs:    {own}\n\n'
        f'UUID:           {own}\nParent UUID:    {base}\nIn use by VMs:  a "q", b (UUID: {vm})\n\n'
        f"UUID:           {thin}\nParent UUID:    {base}\nIn use by VMs:  -x, y (UUID: {clone})\n"
    )
    snapshots: list[dict[str, object]] = [{"id": snapshot}, {"id": thin}]
    add_clones(snapshots, vm, text)
    assert [data["clones"] for data in snapshots] == [["-x, y"], []]


def test_what_vboxmanage_prints_of_odd_names_and_descriptions() -> None:
    one, two, three = (f"{number}" * 8 + "-0000-4000-8000-" + f"{number}" * 12 for number in "123")
    text = (
        f'SnapshotName="a "b" -x"\nSnapshotUUID="{one}"\nSnapshotDescription="line\nSnapshot "two""\n'
        f'SnapshotName-1="--help"\nSnapshotUUID-1="{two}"\nSnapshotName-2=""\nSnapshotUUID-2="{three}"\n'
        f'CurrentSnapshotName="--help"\nCurrentSnapshotUUID="{two}"\nCurrentSnapshotNode="SnapshotName-1"\n'
    )
    found = parse(text)
    assert found["current"] == two
    assert [(data["id"], data["parent"], data["name"], data["description"]) for data in found["snapshots"]] == [
        (one, "", 'a "b" -x', 'line\nSnapshot "two"'),
        (two, one, "--help", ""),
        (three, one, "", ""),
    ]
    assert parse("")["snapshots"] == []


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("plain", "plain"),
        ("\"q\" 'x'", "_q_ _x_"),
        ("-lead", "_lead"),
        ("日本語", "日本語"),
        ("a b: *?c.", "a b_ __c_"),
    ],
)
def test_the_folder_virtualbox_gives_a_name(name: str, folder: str) -> None:
    assert clones.folder_of("/vms", name) == f"/vms/{folder}"


def test_only_the_folder_itself_is_cleared(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "disk.vdi").write_text("x")
    (tmp_path / "kept.vdi").write_text("x")
    (made / "link").symlink_to(tmp_path / "kept.vdi")
    assert clones.look(str(made))["taken"]
    assert clones.clear(str(made)) == ""
    assert clones.clear(str(made)) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["kept.vdi"]


_XML = """<domain type='kvm' id='3'><name>old</name><uuid>11111111-0000-4000-8000-000000000001</uuid><genid>g</genid>
<sysinfo type='smbios'><system><entry name='uuid'>11111111-0000-4000-8000-000000000001</entry></system></sysinfo>
<os><nvram template='/t.fd'>/nv/old_VARS.fd</nvram></os><devices>
<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='p' volume='v'/>
<target dev='vda'/></disk>
<disk type='file' device='cdrom'><source file='/iso'/><target dev='sda'/><readonly/></disk>
<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>
<channel type='unix'><source mode='bind' path='/var/lib/libvirt/qemu/channel/target/domain-3-old/org.qemu'/></channel>
<graphics type='vnc' port='5901' autoport='no'/></devices></domain>"""


def test_a_clones_xml_has_nothing_that_is_the_sources_own() -> None:
    image = Image("/d/new.qcow2", "qcow2")
    root = ElementTree.fromstring(cloned(_XML, "a & <b>", "2222", {"vda": image}, keep_macs=False))
    assert (root.findtext("name"), root.findtext("uuid"), root.findtext("genid") or "") == ("a & <b>", "2222", "")
    assert root.findtext("sysinfo/system/entry") == "2222"
    assert not root.findtext("os/nvram")
    disk, cdrom = root.findall("devices/disk")
    assert (disk.get("type"), disk.find("source").attrib) == ("file", {"file": "/d/new.qcow2"})  # type: ignore[union-attr]
    assert disk.find("driver").get("type") == "qcow2"  # type: ignore[union-attr]
    assert cdrom.find("source").get("file") == "/iso"  # type: ignore[union-attr]
    assert root.find("devices/interface/mac") is None
    assert root.find("devices/channel/source") is None
    assert root.find("devices/graphics").attrib == {"type": "vnc", "autoport": "yes"}  # type: ignore[union-attr]
    kept = ElementTree.fromstring(cloned(_XML, "n", "2222", {}, keep_macs=True, nvram="/nv/n.fd"))
    assert kept.find("devices/interface/mac") is not None
    assert kept.findtext("os/nvram") == "/nv/n.fd"


def test_qemu_img_never_guesses_a_format_and_takes_no_name_for_an_option() -> None:
    plain = Copy("-s.img", "raw", "-d.img").arguments()
    assert plain == ["convert", "-p", "-f", "raw", "-O", "raw", "--", "-s.img", "-d.img"]
    snapshot = Copy("s", "qcow2", "d", "a,b", shared=True).arguments()
    assert snapshot[6:10] == ["-U", "-l", "snapshot.name=a,,b", "--"]
    assert Copy("s", "raw", "d", linked=True).arguments()[:8] == ["create", "-q", "-f", "qcow2", "-b", "s", "-F", "raw"]


# -- the tree and the questions ------------------------------------------------------------------------------------


def vm(state: State = State.OFF) -> VM:
    return VM(Ref("e", Kind.VM, "v"), "web", state, str(state), "Linux", 1, 1)


def tree(*, modified: bool | None = None, starts: bool = False) -> SnapshotTree:
    snapshots = (
        VmSnapshot("a", "a", time=1e9),
        VmSnapshot("b", "b", "a", memory=True, size=2048),
        VmSnapshot("c", "c", "a"),
        VmSnapshot("d", "d", "c"),
    )
    return SnapshotTree(snapshots, "d", modified, restore_starts=starts)


def drawn(found: SnapshotTree, glyphs=BRAILLE) -> list[str]:
    return ["".join(text for text, _ in row.cells[0].runs).rstrip() for row in rows_of(found, vm(), 0.0, glyphs)]


def test_only_branches_are_indented_and_the_present_state_is_in_the_tree() -> None:
    assert drawn(tree()) == ["a", "├─ b", "└─ c", "   d", "   now  off"]
    assert drawn(tree(), ASCII) == ["a", "+- b", "+- c", "   d", "   now  off"]
    assert drawn(SnapshotTree(())) == ["now  off"]


def text_of(lines: list[tuple[str, str]]) -> str:
    return " ".join(text.strip() for text, _ in lines)


def test_what_restoring_loses_is_said() -> None:
    found = tree(modified=True)
    running = text_of(restore_lines(vm(State.RUNNING), found, found.snapshots[1]))
    assert "what runs in it now" in running
    assert "written to its disks since d" in running
    assert "All 4 snapshots stay. Then it is saved until it is started." in running
    saved = text_of(restore_lines(vm(State.SAVED), found, found.snapshots[0]))
    assert "the memory it was saved with" in saved
    assert "Then it is off" in saved
    same = tree(modified=False, starts=True)
    assert "Nothing is lost" in text_of(restore_lines(vm(), same, same.snapshots[3]))
    assert "runs on" in text_of(restore_lines(vm(), same, same.snapshots[1]))


def test_where_the_engine_does_not_tell_of_changes_a_loss_is_assumed() -> None:
    unknown = tree(modified=None)
    assert "Lost for good" in text_of(restore_lines(vm(), unknown, unknown.snapshots[0]))


def test_what_a_deletion_leaves_is_said() -> None:
    found = tree()
    assert "and its 3 other snapshots stay." in text_of(delete_lines(vm(), found, found.snapshots[1]))
    alone = SnapshotTree(found.snapshots[:1], "a")
    assert "present state of web stays" in text_of(delete_lines(vm(), alone, alone.snapshots[0]))
