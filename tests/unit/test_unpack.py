"""Archives as a hostile engine could send them: nothing in them may touch what is beside the target."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from backends.abilities.files import Copied
from backends.base import ActionError
from backends.unpack import unpack


def archive(*members: tuple[str, bytes, dict[str, object]]) -> io.BytesIO:
    """(name, type, other fields) each; `content` is the file's."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as out:
        for name, kind, fields in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, 0o644
            content = fields.pop("content", b"")
            assert isinstance(content, bytes)
            for field, value in fields.items():
                setattr(info, field, value)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    made.seek(0)
    return made


def folder(name: str) -> tuple[str, bytes, dict[str, object]]:
    return name, tarfile.DIRTYPE, {"mode": 0o755}


def file(name: str, content: bytes = b"x", mode: int = 0o644) -> tuple[str, bytes, dict[str, object]]:
    return name, tarfile.REGTYPE, {"content": content, "mode": mode}


def link(name: str, to: str) -> tuple[str, bytes, dict[str, object]]:
    return name, tarfile.SYMTYPE, {"linkname": to}


def copy(source: io.BytesIO, target: Path, *, replace: bool = False) -> Copied:
    return unpack(source, str(target), replace=replace, told=lambda done, name: None)


def below(path: Path) -> set[str]:
    return {str(found.relative_to(path)) for found in path.rglob("*")}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "place"
    made.mkdir()
    (tmp_path / "victim").write_text("whole")
    (tmp_path / "victims").mkdir()
    return made


@pytest.fixture(autouse=True)
def unharmed(place: Path, tmp_path: Path):
    yield
    assert (tmp_path / "victim").read_text() == "whole"
    assert not any((tmp_path / "victims").iterdir())


def test_a_tree_comes_out_as_it_is(place):
    names = ["with space", "line\nbreak", "-dash", "ünïcödé", "\udcff\udcfe raw bytes"]
    members = [folder("etc"), folder("etc/deep")]
    members += [file(f"etc/deep/{name}", name.encode("utf-8", "surrogateescape")) for name in names]
    members += [link("etc/here", "deep/-dash"), ("etc/hard", tarfile.LNKTYPE, {"linkname": "etc/deep/-dash"})]
    source = io.BytesIO()
    with tarfile.open(fileobj=source, mode="w", errors="surrogateescape") as out:
        for name, kind, fields in members:
            info = tarfile.TarInfo(name)
            content = fields.pop("content", b"")
            info.type, info.size, info.mtime = kind, len(content), 1_700_000_000
            info.mode, info.linkname = int(fields.get("mode", 0o644)), str(fields.get("linkname", ""))
            out.addfile(info, io.BytesIO(content))
    source.seek(0)
    copied = copy(source, place / "mine")
    for name in names:
        made = place / "mine" / "deep" / name
        assert made.read_bytes() == name.encode("utf-8", "surrogateescape")
        assert made.stat().st_mtime == 1_700_000_000
    assert os.readlink(place / "mine" / "here") == "deep/-dash"
    assert (place / "mine" / "hard").read_bytes() == b"-dash"
    assert copied.left_out == ()
    assert copied.files == len(names) + 1
    assert below(place).isdisjoint({name for name in below(place) if "partial" in name})


def test_one_file(place):
    assert copy(archive(file("hosts", b"127.0.0.1")), place / "other name").bytes == 9
    assert (place / "other name").read_text() == "127.0.0.1"


@pytest.mark.parametrize(
    "members",
    [
        [folder("a"), file("a/../../victim", b"broken")],
        [folder("a"), file("../victim", b"broken")],
        [folder("a"), file("/victim", b"broken")],
        [folder("a"), file("b/victim", b"broken")],
        [folder("a"), link("a/x", "../../victims"), file("a/x/new", b"broken")],
        [folder(".."), file("../victim", b"broken")],
        [file("..", b"broken")],
        [folder("a"), file("a/x"), file("a/x", b"again")],
        [folder("a"), file("a/x"), folder("a/x/y")],
    ],
    ids=[
        "dots inside",
        "dots",
        "absolute",
        "another root",
        "through a link",
        "dots as root",
        "dots alone",
        "twice",
        "below a file",
    ],
)
def test_what_would_lead_elsewhere(members, place, tmp_path):
    before = below(tmp_path)
    try:
        copy(archive(*members), place / "mine")
    except ActionError:
        assert below(tmp_path) == before
    else:
        # a root that is no name at all: what it holds is in the target, and nowhere else
        assert {name for name in below(tmp_path) - before if not name.startswith("place/mine")} == set()
        assert not (place / "mine").is_symlink()


@pytest.mark.parametrize(
    "links",
    [
        [("out", "/etc/passwd")],
        [("out", "../../victim")],
        [("d", "."), ("out", "d/../../victim")],
        [("out", "later/.."), ("later", ".")],
        [("deep/d", ".."), ("out", "deep/d/..")],
    ],
    ids=["absolute", "dots", "through another", "through a later one", "up by another"],
)
def test_links_that_lead_out_are_left_out(links, place):
    copied = copy(
        archive(folder("a"), folder("a/deep"), *(link(f"a/{name}", to) for name, to in links), file("a/y")),
        place / "mine",
    )
    assert (place / "mine" / "y").exists()
    assert not (place / "mine" / "out").is_symlink()
    assert copied.left_out == ("1 links that lead outside of it",)


def test_devices_pipes_and_stray_hard_links_are_left_out(place):
    copied = copy(
        archive(
            folder("a"),
            ("a/null", tarfile.CHRTYPE, {"devmajor": 1, "devminor": 3}),
            ("a/sda", tarfile.BLKTYPE, {"devmajor": 8, "devminor": 0}),
            ("a/pipe", tarfile.FIFOTYPE, {}),
            ("a/stolen", tarfile.LNKTYPE, {"linkname": "../victim"}),
            ("a/unknown", tarfile.LNKTYPE, {"linkname": "a/nothing"}),
            link("a/self", "self2"),
            ("a/self-hard", tarfile.LNKTYPE, {"linkname": "a/self"}),
        ),
        place / "mine",
    )
    assert below(place / "mine") == {"self"}
    assert copied.left_out == ("3 devices, sockets and pipes", "3 hard links to what was not copied")


def test_modes_lose_what_gives_power(place):
    copy(archive(folder("a"), file("a/su", mode=0o6777), file("a/secret", mode=0o000), ("a/d", tarfile.DIRTYPE,
                 {"mode": 0o7777})), place / "mine")  # fmt: skip
    assert stat.S_IMODE((place / "mine/su").stat().st_mode) == 0o755
    assert stat.S_IMODE((place / "mine/secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((place / "mine/d").stat().st_mode) == 0o755


def test_what_is_there_stays(place):
    (place / "file").write_text("mine")
    (place / "folder").mkdir()
    with pytest.raises(ActionError, match="there already"):
        copy(archive(file("x", b"new")), place / "file")
    with pytest.raises(ActionError, match="choose another name"):
        copy(archive(file("x", b"new")), place / "folder", replace=True)
    assert (place / "file").read_text() == "mine"
    copy(archive(file("x", b"new")), place / "file", replace=True)
    assert (place / "file").read_text() == "new"
    assert below(place) == {"file", "folder"}


@pytest.mark.parametrize("cut", [100, 700, 1500])
def test_an_archive_that_breaks_off_leaves_nothing(place, cut):
    whole = archive(folder("a"), file("a/x", b"y" * 5000)).getvalue()
    with pytest.raises(ActionError, match="archive"):
        copy(io.BytesIO(whole[:cut]), place / "mine")
    assert below(place) == set()


def test_being_ended_leaves_nothing(place):
    def told(done: int, name: str) -> None:
        if done > 300_000:
            raise ActionError("cancelled")

    with pytest.raises(ActionError, match="cancelled"):
        unpack(archive(folder("a"), file("a/x", b"y" * 1_000_000)), str(place / "mine"), replace=False, told=told)
    assert below(place) == set()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ActionError, match="cannot write to"):
        copy(archive(file("x")), tmp_path / "missing" / "x")
