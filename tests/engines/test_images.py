"""Images on a real Docker, and registries on loopback: transfers, tags, prune, history, tar files, catalogs."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import stat
import tarfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from backends.abilities.images import Archives, History, PruneImages, Pull, Push, Registries, Search, Tags
from backends.base import ActionError
from backends.model import Kind, Ref
from backends.progress import Progress
from tests.engines.docker_backend import connected, eventually, image
from tests.engines.docker_engine import IMAGE, PrivateDocker, free_port
from tests.engines.registry_engine import PASSWORD, USER, PrivateRegistry, SlowDoor

pytestmark = pytest.mark.docker


class Told:
    """A report that keeps everything; `on` is called with each progress."""

    def __init__(self, on: Callable[[Progress], object] = bool) -> None:
        self.all: list[Progress] = []
        self.lines: list[str] = []
        self._on = on

    def progress(self, progress: Progress) -> None:
        self.all.append(progress)
        self._on(progress)

    def line(self, text: str) -> None:
        self.lines.append(text)


def as_user(monkeypatch: pytest.MonkeyPatch, folder: Path, **config: Any) -> None:
    """A docker CLI config of the test's own; without any, nobody is logged in anywhere."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))


def auths(host: str, password: str = PASSWORD) -> dict[str, Any]:
    return {host: {"auth": base64.b64encode(f"{USER}:{password}".encode()).decode()}}


def big_image(engine: PrivateDocker, tag: str, size: int) -> str:
    """An image of one layer with so many bytes that cannot be compressed."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        entry = tarfile.TarInfo("blob")
        entry.size = size
        block = os.urandom(1 << 20)
        archive.addfile(entry, io.BytesIO(b"".join(block for _ in range(size >> 20))))
    repository, _, name = tag.rpartition(":")
    engine.client.import_image_from_data(content.getvalue(), repository=repository, tag=name)
    return str(engine.client.inspect_image(tag)["Id"])


def renamed(engine: PrivateDocker, *tags: str) -> str:
    """An image under these names."""
    identity = engine.ensure_image("renamed:1", content="renamed")
    for tag in tags:
        repository, _, name = tag.rpartition(":")
        engine.client.tag(identity, repository, name)
    return identity


def images_of(engine: PrivateDocker) -> set[str]:
    return {tag for found in engine.client.images() for tag in found["RepoTags"] or []}


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises(ActionError) as caught:
        await work
    return str(caught.value)


async def test_an_image_goes_to_a_registry_and_comes_back(docker, registry, tmp_path, monkeypatch):
    as_user(monkeypatch, tmp_path)
    await to_a_registry_and_back(docker, registry, sizes=True)


async def test_so_it_does_where_images_are_in_containerd(newer_docker, registry, tmp_path, monkeypatch):
    as_user(monkeypatch, tmp_path)
    # containerd tells no sizes of what takes it no time
    await to_a_registry_and_back(newer_docker, registry, sizes=False)


async def to_a_registry_and_back(docker: PrivateDocker, registry: PrivateRegistry, *, sizes: bool) -> None:
    name = f"{registry.host}/team/app:1.2"
    big_image(docker, name, 8 << 20)
    identity = docker.client.inspect_image(name)["Id"]
    async with connected(docker.url) as backend:
        told = Told()
        said = await backend.ability(Push).push(name, told)
        assert "digest: sha256:" in said
        last = told.all[-1]
        assert [part.text for part in last.parts] == ["Pushed"]
        assert not sizes or last.done == last.total >= 8 << 20
        docker.client.remove_image(name)
        told = Told()
        said = await backend.ability(Pull).pull(name, told)
        assert said == f"Downloaded newer image for {name}"
        last = told.all[-1]
        assert last.text == "pulling, 1 of 1 layers done"
        assert [part.text for part in last.parts] == ["Pull complete"]
        assert not sizes or last.done == last.total > 7 << 20
        assert docker.client.inspect_image(name)["Id"] == identity
        assert (await backend.ability(Pull).pull(name, Told())).startswith("Image is up to date")
        # without a tag it is `latest`, not every tag there is
        assert "not found" in await refused(backend.ability(Pull).pull(f"{registry.host}/team/app", Told()))


async def test_a_registry_that_is_down_is_said_to_be(docker, tmp_path, monkeypatch):
    as_user(monkeypatch, tmp_path)
    host = f"127.0.0.1:{free_port()}"
    renamed(docker, f"{host}/team/app:1")
    async with connected(docker.url) as backend:
        for ability, method in ((Push, "push"), (Pull, "pull")):
            reason = await refused(getattr(backend.ability(ability), method)(f"{host}/team/app:1", Told()))
            assert reason.startswith(f"the registry {host} cannot be reached: ")
            assert "connection refused" in reason
        assert await refused(backend.ability(Registries).repositories(host)) == (
            f"{host} refuses connections: is the registry running?"
        )


async def test_logins_come_from_the_docker_cli(docker, locked_registry, tmp_path, monkeypatch):
    host = locked_registry.host
    name = f"{host}/private/app:1"
    renamed(docker, name)
    async with connected(docker.url) as backend:
        push, registries = backend.ability(Push), backend.ability(Registries)
        as_user(monkeypatch, tmp_path)
        assert f"to log in: docker login {host}" in await refused(push.push(name, Told()))
        assert f"docker login {host}" in await refused(backend.ability(Pull).pull(name, Told()))
        assert f"to log in: docker login {host}" in await refused(registries.repositories(host))
        as_user(monkeypatch, tmp_path, auths=auths(host, "wrong"))
        assert "the login" in await refused(push.push(name, Told()))
        assert "the login is refused" in await refused(registries.repositories(host))
        as_user(monkeypatch, tmp_path, auths=auths(host))
        assert "digest: sha256:" in await push.push(name, Told())
        assert (await registries.repositories(host)).names == ("private/app",)
        assert (await registries.tags(host, "private/app")).names == ("1",)
        assert host in await registries.known()
        helper = tmp_path / "docker-credential-test"
        helper.write_text(f"""#!/bin/sh
            [ "$(cat)" = "{host}" ] || {{ echo "credentials not found in native keychain"; exit 1; }}
            echo '{{"Username": "{USER}", "Secret": "{PASSWORD}"}}'
        """)
        helper.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        for config in ({"credsStore": "test"}, {"credHelpers": {host: "test"}}):
            as_user(monkeypatch, tmp_path, **config)
            docker.client.remove_image(name)
            assert "Downloaded" in await backend.ability(Pull).pull(name, Told())
        as_user(monkeypatch, tmp_path, credsStore="absent")
        assert "docker-credential-absent is not installed" in await refused(push.push(name, Told()))


async def test_a_cancelled_pull_leaves_nothing(docker, registry, tmp_path, monkeypatch):
    as_user(monkeypatch, tmp_path)
    direct = f"{registry.host}/slow/app:1"
    big_image(docker, direct, 8 << 20)
    door = SlowDoor(registry.port, 1 << 18)
    slow = f"{door.host}/slow/app:1"
    try:
        async with connected(docker.url) as backend:
            await backend.ability(Push).push(direct, Told())
            docker.client.remove_image(direct)
            told = Told()
            pulling = asyncio.create_task(backend.ability(Pull).pull(slow, told))

            async def downloading() -> bool:
                return any(progress.done and progress.parts[0].total for progress in told.all)

            await eventually(downloading, "the download to be under way")
            began = time.monotonic()
            pulling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pulling
            # what is left to fetch takes half a minute
            assert time.monotonic() - began < 10

            async def nothing_left() -> bool:
                return not list((docker.directory / "data/tmp").glob("GetImageBlob*"))

            await eventually(nothing_left, "the engine to drop what it had fetched")
            assert images_of(docker) == {IMAGE}
            assert "Downloaded" in await backend.ability(Pull).pull(direct, Told())
    finally:
        door.close()


async def test_tags_come_and_go_and_the_last_takes_the_image_along(docker):
    async with connected(docker.url) as backend:
        identity = docker.ensure_image("keep:1", content="keep")
        ref = Ref("docker", Kind.IMAGE, identity)
        tags = backend.ability(Tags)
        await tags.tag(ref, "team/keep")
        await tags.tag(ref, "localhost:5000/team/keep:v2")
        assert set((await image(backend, "keep:1")).tags) == {
            "keep:1",
            "team/keep:latest",
            "localhost:5000/team/keep:v2",
        }
        assert "lower case" in await refused(tags.tag(ref, "Team/Keep"))
        # a tag that went to another image meanwhile stays there
        docker.client.tag(docker.ensure_image("thief:1", content="thief"), "team/keep", "latest")
        assert "moved to another image" in await refused(tags.untag(ref, "team/keep:latest"))
        await tags.untag(ref, "localhost:5000/team/keep:v2")
        await tags.untag(ref, "keep:1")
        assert images_of(docker) == {IMAGE, "team/keep:latest", "thief:1"}
        assert identity not in {found["Id"] for found in docker.client.images(all=True)}


async def test_prune_removes_what_was_shown_and_nothing_else(docker):
    def dangling(name: str) -> str:
        identity = docker.ensure_image("moving:1", content=name)
        docker.client.tag(docker.ensure_image(), "moving", "1", force=True)
        docker.client.remove_image("moving:1")
        return identity

    used, free, other = (dangling(name) for name in ("used", "free", "other"))
    docker.client.create_container(used, ["true"], host_config=docker.client.create_host_config(network_mode="none"))
    tagged = docker.ensure_image("tagged:1", content="tagged")
    async with connected(docker.url) as backend:
        prune = backend.ability(PruneImages)
        shown = await prune.unneeded()
        assert {found.ref.id for found in shown if found.dangling} == {free, other}
        assert tagged in {found.ref.id for found in shown}
        assert used not in {found.ref.id for found in shown}
        late = dangling("late")
        docker.client.tag(other, "rescued", "1")
        for found in shown:
            if found.ref.id == free:
                await prune.remove(found)
                assert await refused(prune.remove(found)) == "it is gone already"
            if found.ref.id == other:
                assert await refused(prune.remove(found)) == "it has other tags now"
        left = {found["Id"] for found in docker.client.images(all=True)}
        assert free not in left
        assert {used, other, late, tagged} <= left


async def test_history_tells_each_step(docker):
    container = docker.create("origin", ["true"])
    docker.client.commit(container, "made", "1", message="by hand", changes=["ENV TOKEN=abc", 'CMD ["sh"]'])
    async with connected(docker.url) as backend:
        made = await image(backend, "made:1")
        layers = await backend.ability(History).history(made.ref)
        assert [layer.tags for layer in layers] == [("made:1",), (IMAGE,)]
        assert layers[0].comment == "by hand"
        assert layers[1].size > 500_000
        assert time.time() - layers[0].created < 600
        gone = Ref("docker", Kind.IMAGE, "sha256:" + "0" * 64)
        assert await refused(backend.ability(History).history(gone)) == "the image is gone"


class Memory:
    """The most this process takes, above what it took before, in bytes; looked at every few milliseconds."""

    def __init__(self) -> None:
        self.most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._before = self._now()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self.most = max(self.most, self._now() - self._before)

    @staticmethod
    def _now() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_big_image_goes_through_a_tar_file_in_little_memory(docker, tmp_path):
    size = 120 << 20
    identity = big_image(docker, "big:1", size)
    docker.client.tag(identity, "big", "also")
    file = tmp_path / "big.tar"
    async with connected(docker.url) as backend:
        archives = backend.ability(Archives)
        found = await image(backend, "big:1")
        told = Told()
        with Memory() as memory:
            said = await archives.save(found.tags, str(file), found.size, told, overwrite=False)
        assert said.startswith(f"{file}, ")
        assert memory.most < 30 << 20
        assert file.stat().st_size > size
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [file]
        assert any(0 < (progress.done or 0) < size and progress.total for progress in told.all)
        before = file.stat()
        assert "exists already" in await refused(archives.save(["big:1"], str(file), 0, told, overwrite=False))
        assert file.stat().st_mtime_ns == before.st_mtime_ns
        for tag in found.tags:
            docker.client.remove_image(tag)
        told = Told()
        with Memory() as memory:
            said = await archives.load(str(file), told)
        assert said == "loaded big:also, big:1" or said == "loaded big:1, big:also"
        assert memory.most < 30 << 20
        assert (await image(backend, "big:1")).ref.id == identity
        assert any(progress.text == "sending" and progress.done for progress in told.all)
        # being cancelled in the middle leaves no part of a file, and what was there as it was
        told = Told(lambda progress: saving.cancel() if progress.text == "writing" else None)
        saving = asyncio.create_task(archives.save(["big:1"], str(file), size, told, overwrite=True))
        with pytest.raises(asyncio.CancelledError):
            await saving
        assert any(progress.text == "writing" for progress in told.all)
        assert list(tmp_path.iterdir()) == [file]
        assert file.stat().st_size == before.st_size
    file.unlink()


async def test_what_is_no_image_is_not_loaded(docker, tmp_path):
    junk = tmp_path / "junk.tar"
    junk.write_bytes(os.urandom(1 << 20) * 20)
    empty = tmp_path / "empty.tar"
    with tarfile.open(empty, "w"):
        pass
    async with connected(docker.url) as backend:
        archives = backend.ability(Archives)
        for file in (junk, empty):
            reason = await refused(archives.load(str(file), Told()))
            assert reason
            assert "closed the connection" not in reason
        assert "No such file" in await refused(archives.load(str(tmp_path / "absent.tar"), Told()))
        os.mkfifo(tmp_path / "pipe")
        assert "no ordinary file" in await refused(archives.load(str(tmp_path / "pipe"), Told()))
        assert images_of(docker) == {IMAGE}
        target = tmp_path / "none.tar"
        reason = await refused(archives.save(["absent:1"], str(target), 0, Told(), overwrite=False))
        assert "reference does not exist" in reason or "No such image" in reason
        assert not target.exists()
        assert not list(tmp_path.glob(".*"))


async def test_a_registrys_repositories_and_tags_are_listed_page_by_page(docker, registry, tmp_path, monkeypatch):
    as_user(monkeypatch, tmp_path)
    names = [f"{registry.host}/paged/app-{number}:1" for number in range(5)]
    names += [f"{registry.host}/paged/app-0:{number}" for number in range(2, 6)]
    renamed(docker, *names)
    monkeypatch.setattr("backends.distribution._PAGE", 2)
    async with connected(docker.url) as backend:
        for name in names:
            await backend.ability(Push).push(name, Told())
        registries = backend.ability(Registries)
        assert registry.host in await registries.known()
        found = await registries.repositories(registry.host)
        assert {f"paged/app-{number}" for number in range(5)} <= set(found.names)
        assert not found.cut
        assert set((await registries.tags(registry.host, "paged/app-0")).names) == {"1", "2", "3", "4", "5"}
        assert "has no repository absent" in await refused(registries.tags(registry.host, "absent"))
        assert "is no registry" in await refused(registries.repositories("http://x/"))


async def test_a_search_without_the_hub_says_so(docker):
    async with connected(docker.url) as backend:
        reason = await refused(backend.ability(Search).search("nginx"))
        assert reason.startswith("the engine does not reach the registry it searches: ")
        assert "index.docker.io" in reason
