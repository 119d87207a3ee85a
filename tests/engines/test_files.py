"""A container's files on the real engine: looked at whatever its state, copied out and in."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from backends.abilities.files import FileKind, Files
from backends.base import ActionError
from backends.progress import Progress
from tests.engines.docker_backend import connected, container_ref
from tests.engines.docker_engine import PrivateDocker
from tests.engines.podman_engine import PrivatePodman

pytestmark = pytest.mark.docker

BIG = 200 << 20
NAMES = ["with space", "line\nbreak", "-dash", "ünïcödé", "100%", ".hidden"]
_MAKE = (
    "mkdir -p /data/deep /data/empty; cd /data; ln -s deep link; : > .hidden; printf 12345 > five; "
    'for n in "$@"; do : > "deep/$n"; done'
)
FAKE = ["sh", "-c", f"{_MAKE}; trap 'exit 0' TERM; while :; do sleep 1000 & wait; done", "sh", *NAMES]


class Told:
    """A Report that keeps what it is told."""

    def __init__(self) -> None:
        self.at = Progress()
        self.lines: list[str] = []

    def progress(self, progress: Progress) -> None:
        self.at = progress

    def line(self, text: str) -> None:
        self.lines.append(text)


def peak() -> int:
    """The most memory this process had since `reset_peak`, bytes."""
    words = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(words.split()[1]) * 1024


def reset_peak() -> int:
    """Forget the peak; the memory held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


async def listed(files: Files, ref, path, *, run):
    folder = await files.list(ref, path, run=run)
    return {entry.name: entry for entry in folder.entries}, folder.note


async def prepared(docker: PrivateDocker, name: str) -> str:
    identity = docker.run(name, FAKE)
    for _ in range(200):
        if b"ready" in docker.client.exec_start(
            docker.client.exec_create(identity, ["sh", "-c", "cat /data/deep/.hidden && echo ready"])["Id"]
        ):
            break
        await asyncio.sleep(0.05)
    return identity


@pytest.mark.parametrize("run", [True, False], ids=["by its programs", "by the engine"])
@pytest.mark.parametrize("state", ["running", "paused", "exited"])
async def test_a_folder_is_listed_in_any_state(docker, run, state):
    identity = await prepared(docker, "files")
    if run:
        programs = "cd /bin && busybox ln -s busybox stat && busybox ln -s busybox find"
        docker.client.exec_start(docker.client.exec_create(identity, ["sh", "-c", programs])["Id"])
    if state == "paused":
        docker.client.pause(identity)
    if state == "exited":
        docker.client.stop(identity, timeout=5)
    async with connected(docker.url) as backend:
        files = backend.ability(Files)
        ref = container_ref(identity)
        entries, note = await listed(files, ref, "/data", run=run)
        assert note == ""
        assert {name: entry.kind for name, entry in entries.items()} == {
            ".hidden": FileKind.FILE,
            "deep": FileKind.FOLDER,
            "empty": FileKind.FOLDER,
            "five": FileKind.FILE,
            "link": FileKind.LINK,
        }
        assert entries["five"].size == 5
        assert entries["five"].modified > 1_700_000_000
        deep, _ = await listed(files, ref, "/data/link", run=run)
        assert set(deep) == set(NAMES)
        assert deep["line\nbreak"].label == "line break"
        assert await listed(files, ref, "/data/empty", run=run) == ({}, "")
        root, _ = await listed(files, ref, "/", run=run)
        assert {"bin", "data", "tmp", "etc"} <= set(root)
        for path, reason in (("/nowhere", "is not there"), ("/data/five", "is not a folder")):
            with pytest.raises(ActionError, match=reason):
                await files.list(ref, path, run=run)
        if state == "running":
            assert (await files.find(ref, "/data/five")).size == 5
            assert await files.find(ref, "/data/six") is None
            # only what runs in it sees its processes
            assert ("1" in (await listed(files, ref, "/proc", run=run))[0]) is run


async def test_the_root_of_an_image_without_any_program_is_listed(docker):
    docker.ensure_image()
    made = docker.client.import_image_from_data(_one_file(), repository="bare", tag="1")
    assert made
    identity = docker.create("bare", ["/none"], image="bare:1")
    async with connected(docker.url) as backend:
        entries, _ = await listed(backend.ability(Files), container_ref(identity), "/", run=True)
        assert entries["only"].kind is FileKind.FILE


async def test_a_big_file_goes_out_and_in_without_being_held(docker, tmp_path):
    identity = docker.run("big", ["sh", "-c", f"dd if=/dev/urandom of=/data/big bs=1M count={BIG >> 20} && sleep 1000"])
    target = tmp_path / "out"
    async with connected(docker.url) as backend:
        files = backend.ability(Files)
        ref = container_ref(identity)
        async with asyncio.timeout(60):
            while (found := await files.find(ref, "/data/big")) is None or found.size != BIG:
                await asyncio.sleep(0.05)
        told = Told()
        before = reset_peak()
        copied = await files.copy_out(ref, "/data/big", str(target), told, replace=False)
        assert (copied.files, copied.bytes, copied.path) == (1, BIG, str(target))
        assert target.stat().st_size == BIG
        assert told.at.total == BIG
        assert told.at.done > BIG // 2
        back = await files.copy_in(ref, str(target), "/tmp", told)
        assert (back.files, back.bytes, back.path) == (1, BIG, "/tmp/out")
        grown = peak() - before
        print(f"\n{BIG >> 20} MiB out and in: memory grew by {grown / (1 << 20):.1f} MiB")
        assert grown < 20 << 20
        assert (await files.find(ref, "/tmp/out")).size == BIG


async def test_a_tree_goes_in_and_comes_out_the_same(docker, tmp_path):
    identity = docker.create("tree")
    source = tmp_path / "source tree"
    (source / "deep" / "empty").mkdir(parents=True)
    for name in [*NAMES, "\udcff\udcfe"]:
        (source / "deep" / name).write_text(ascii(name))
    (source / "run").write_text("#!/bin/sh")
    (source / "run").chmod(0o4755)
    os.symlink("deep/-dash", source / "link")
    os.symlink("/etc/passwd", source / "outside")
    os.mkfifo(source / "pipe")
    async with connected(docker.url) as backend:
        files = backend.ability(Files)
        ref = container_ref(identity)
        told = Told()
        copied = await files.copy_in(ref, str(source), "/data", told)
        assert copied.path == "/data/source tree"
        assert copied.left_out == ("1 sockets, pipes and devices",)
        out = await files.copy_out(ref, "/data/source tree", str(tmp_path / "back"), told, replace=False)
        assert out.left_out == ("1 links that lead outside of it",)
        assert told.lines == ["left out: 1 links that lead outside of it"]

        def content(path: Path) -> str:
            return os.readlink(path) if path.is_symlink() else "/" if path.is_dir() else path.read_text()

        def tree(root: Path) -> dict[str, str]:
            paths = [path for path in root.rglob("*") if path.name not in {"pipe", "outside"}]
            return {os.path.relpath(path, root): content(path) for path in paths}

        assert tree(tmp_path / "back") == tree(source)
        assert (tmp_path / "back/run").stat().st_mode & 0o7777 == 0o755
        # a link is followed when it is what was asked for
        await files.copy_out(ref, "/data/source tree/link", str(tmp_path / "one"), told, replace=False)
        assert (tmp_path / "one").read_text() == "'-dash'"


async def test_refusals_say_what_is_wrong_and_leave_nothing(docker, tmp_path):
    identity = docker.create("refusing", host={"read_only": True})
    (tmp_path / "file").write_text("x")
    async with connected(docker.url) as backend:
        files = backend.ability(Files)
        ref = container_ref(identity)
        told = Told()
        for reason, attempt in (
            ("is not there", files.copy_out(ref, "/nothing", str(tmp_path / "a"), told, replace=False)),
            ("there already", files.copy_out(ref, "/content", str(tmp_path / "file"), told, replace=False)),
            ("cannot write to", files.copy_out(ref, "/content", str(tmp_path / "no/a"), told, replace=False)),
            ("read-only", files.copy_in(ref, str(tmp_path / "file"), "/data", told)),
            ("is not a folder", files.copy_in(ref, str(tmp_path / "file"), "/content", told)),
            ("No such file", files.copy_in(ref, str(tmp_path / "gone"), "/data", told)),
        ):
            with pytest.raises(ActionError, match=reason):
                await attempt
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


async def test_cancelling_leaves_nothing_on_this_machine(docker, tmp_path):
    identity = docker.run("endless", ["sh", "-c", "dd if=/dev/zero of=/data/big bs=1M count=400 && sleep 1000"])
    async with connected(docker.url) as backend:
        files = backend.ability(Files)
        ref = container_ref(identity)
        told = Told()
        async with asyncio.timeout(60):
            while (found := await files.find(ref, "/data/big")) is None or found.size != 400 << 20:
                await asyncio.sleep(0.05)
        copying = asyncio.create_task(files.copy_out(ref, "/data", str(tmp_path / "out"), told, replace=False))
        while not told.at.done:
            await asyncio.sleep(0.005)
        copying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await copying
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "big").write_bytes(b"")
        os.truncate(tmp_path / "big", 2 << 30)
        told = Told()
        copying = asyncio.create_task(files.copy_in(ref, str(tmp_path / "big"), "/tmp", told))
        while not told.at.done:
            await asyncio.sleep(0.005)
        copying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await copying
        # the engine serves on
        assert await files.find(ref, "/content") is not None


@pytest.mark.podman
async def test_podman_lists_and_copies(podman: PrivatePodman, tmp_path):
    identity = podman.run("files")
    programs = "cd /bin && busybox ln -s busybox stat && busybox ln -s busybox find"
    podman.client.exec_start(podman.client.exec_create(identity, ["sh", "-c", programs])["Id"])
    (tmp_path / "in").mkdir()
    for name in NAMES:
        (tmp_path / "in" / name).write_text(name)
    async with connected(podman.url, "podman") as backend:
        files = backend.ability(Files)
        ref = container_ref(identity, "podman")
        told = Told()
        await files.copy_in(ref, str(tmp_path / "in"), "/data", told)
        entries, _ = await listed(files, ref, "/data/in", run=True)
        assert set(entries) == set(NAMES)
        assert "1" in (await listed(files, ref, "/proc", run=True))[0]
        assert set((await listed(files, ref, "/data/in", run=False))[0]) == set(NAMES)
        await files.copy_out(ref, "/data/in", str(tmp_path / "back"), told, replace=False)
        assert {path.name: path.read_text() for path in (tmp_path / "back").iterdir()} == {name: name for name in NAMES}
        with pytest.raises(ActionError, match="is not there"):
            await files.list(ref, "/nowhere", run=False)


def _one_file() -> bytes:
    import io
    import tarfile

    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("only"), io.BytesIO())
    return made.getvalue()
