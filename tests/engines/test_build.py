"""Builds on the real engine: by its own builder, by BuildKit through the docker CLI, by Podman."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import socket
import tarfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.abilities.build import Build, BuildRequest
from backends.base import ActionError
from backends.docker import buildkit
from backends.docker.locate import Endpoint
from tests.engines.docker_backend import connected
from tests.engines.docker_engine import IMAGE, PrivateDocker, wait_until
from tests.engines.podman_engine import PrivatePodman
from tests.engines.require import need
from tests.engines.test_files import Told

pytestmark = pytest.mark.docker


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "a context"
    (folder / "node_modules/big").mkdir(parents=True)
    for name in ("keep.log", "drop.log", "-dash", "ünïcödé", "node_modules/big/x"):
        (folder / name).write_text(name)
    (folder / ".dockerignore").write_text("# no logs\n*.log\n!keep.log\nnode_modules\n")
    return folder


@asynccontextmanager
async def builder(docker):
    docker.ensure_image()
    async with connected(docker.url) as backend:
        yield backend.ability(Build)


def content(docker: PrivateDocker, image: str) -> dict[str, bytes]:
    """Files of the image's layers by path, later ones over earlier ones."""
    whole = io.BytesIO(b"".join(docker.client.get_image(image)))
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=whole) as outer:
        manifest = outer.extractfile("manifest.json")
        assert manifest is not None
        for layer in json.load(manifest)[0]["Layers"]:
            inner = outer.extractfile(layer)
            assert inner is not None
            with tarfile.open(fileobj=io.BytesIO(inner.read())) as files:
                for member in files:
                    if member.isreg():
                        content = files.extractfile(member)
                        assert content is not None
                        found[member.name] = content.read()
    return found


async def test_the_engine_builds(docker, context):
    (context / "Dockerfile").write_text(
        f"FROM {IMAGE} AS first\nARG WHO=nobody\nCOPY . /context\nRUN echo hello $WHO > /said; echo out loud\n"
        "FROM first AS second\nRUN echo never > /second\n"
    )
    told = Told()
    async with builder(docker) as build:
        recipe = await build.examine(str(context), "")
        assert recipe.stages == ("first", "second")
        assert recipe.arguments == (("WHO", "nobody"),)
        assert recipe.builder == "by the engine's own builder, without BuildKit"
        request = BuildRequest(
            str(context), tags=("built:1", "built:latest"), arguments=(("WHO", "you $(all)"),), target="first"
        )
        result = await build.build(request, told)
    identity = docker.client.inspect_image("built:1")["Id"].removeprefix("sha256:")
    assert result == f"built {identity[:12]} as built:1, built:latest"
    assert "out loud" in told.lines
    assert told.lines[1].endswith("5 files, 0.2 KiB; 2 left out by .dockerignore")
    assert (told.at.done, told.at.total) == (3, 4)
    files = content(docker, "built:latest")
    assert files["said"] == b"hello you $(all)\n"
    assert "second" not in files
    assert {name for name in files if name.startswith("context/")} == {
        "context/keep.log", "context/-dash", "context/ünïcödé", "context/Dockerfile", "context/.dockerignore"
    }  # fmt: skip


async def test_a_failing_step_is_named(docker, context):
    (context / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo fine\nRUN echo the last words; exit 7\nRUN echo no\n")
    told = Told()
    async with builder(docker) as build:
        with pytest.raises(ActionError, match=r"^step 3/4 failed, RUN echo the last words; exit 7: .*code: 7"):
            await build.build(BuildRequest(str(context), tags=("failed:1",)), told)
    assert "the last words" in told.lines
    assert told.lines[-2] == "FAILED at step 3/4: RUN echo the last words; exit 7"
    assert docker.client.containers(all=True) == []
    assert not docker.client.images(name="failed")


async def test_cancelling_ends_the_engines_build(docker, context):
    (context / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN sleep 7654\n")
    async with builder(docker) as build:
        building = asyncio.create_task(build.build(BuildRequest(str(context)), Told()))
        async with asyncio.timeout(90):
            while not docker.client.containers():
                await asyncio.sleep(0.05)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        await asyncio.to_thread(wait_until, lambda: not docker.client.containers(all=True), "the step to be ended")


async def test_what_cannot_be_built_is_said_before(docker, context, tmp_path, monkeypatch):
    async with builder(docker) as build:
        for folder, dockerfile, reason in (
            (str(context), "", "there is no Dockerfile or Containerfile in"),
            (str(context), "other/Dockerfile", "there is no other/Dockerfile in"),
            (str(tmp_path / "gone"), "", "is not a folder"),
            ("relative", "", "is not a folder"),
        ):
            with pytest.raises(ActionError, match=reason):
                await build.examine(folder, dockerfile)
        (context / "Dockerfile").write_text("FROM scratch\nCOPY --chmod=700 keep.log /\n")
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ActionError, match=r"needs BuildKit .COPY --chmod in line 2.*install docker-ce-cli"):
            await build.examine(str(context), "")
        (context / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
        with pytest.raises(ActionError, match="step 2/2 failed, COPY nothing /"):
            await build.build(BuildRequest(str(context)), Told())
        with pytest.raises(ActionError, match="target"):
            await build.build(BuildRequest(str(context), target="none"), Told())


@pytest.fixture
def cli(docker: PrivateDocker) -> buildkit.Builder:
    found = buildkit.find(Endpoint(docker.url, "test"))
    need(found is not None, "no docker CLI with BuildKit: apt-get install docker.io")
    assert found is not None
    return found


async def test_buildkit_builds_through_the_cli(docker, context, cli, tmp_path):
    recipe = tmp_path / "Dockerfile outside"
    recipe.write_text("FROM scratch\nARG SECRET\nARG PATH_LIKE\nCOPY --chmod=700 . /context/\nLABEL who=$SECRET\n")
    (tmp_path / "Dockerfile outside.dockerignore").write_text("*\n!keep.log\n!-dash\n")
    told = Told()
    async with builder(docker) as build:
        assert (await build.examine(str(context), str(recipe))).builder == cli.said
        request = BuildRequest(
            str(context), str(recipe), ("kit:1", "kit:2"), (("SECRET", "s3cret value"),), no_cache=True
        )
        result = await build.build(request, told)
    image = docker.client.inspect_image("kit:2")
    assert result == f"built {image['Id'].removeprefix('sha256:')[:12]} as kit:1, kit:2"
    assert image["Config"]["Labels"] == {"who": "s3cret value"}
    assert set(content(docker, "kit:1")) == {"context/keep.log", "context/-dash"}
    assert any("COPY --chmod=700" in line for line in told.lines)
    words, environment = buildkit.command(cli, request, _Path(str(recipe), str(context)), "id")
    assert not any("s3cret" in word for word in words)
    assert environment["SECRET"] == "s3cret value"


class _Path:
    """As much of a context as the command line needs."""

    def __init__(self, path: str, folder: str) -> None:
        self.path, self.folder = path, folder


async def test_buildkits_failing_step_is_named(docker, context, cli):
    (context / "Dockerfile").write_text("FROM scratch\nCOPY --chmod=700 keep.log /\nCOPY nothing-there /\n")
    told = Told()
    async with builder(docker) as build:
        with pytest.raises(ActionError, match=r"step \d/\d failed, COPY nothing-there /: .*not found"):
            await build.build(BuildRequest(str(context)), told)
    assert told.lines[-1].startswith("FAILED: step ")


async def test_cancelling_ends_the_cli_and_buildkits_build(docker, context, cli):
    with socket.create_server(("127.0.0.1", 0)) as never:
        port = never.getsockname()[1]
        (context / "Dockerfile").write_text(f"FROM scratch\nADD --chmod=700 http://127.0.0.1:{port}/slow /\n")
        async with builder(docker) as build:
            building = asyncio.create_task(build.build(BuildRequest(str(context)), Told()))
            never.settimeout(90)
            asked, _ = await asyncio.to_thread(never.accept)
            with asked:
                asked.settimeout(60)
                await asyncio.to_thread(asked.recv, 4096)
                assert not building.done()
                building.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await building
                # the engine hangs up
                while await asyncio.to_thread(asked.recv, 4096):
                    pass
    await asyncio.to_thread(wait_until, lambda: not _running(str(context).encode()), "the CLI to end")


def _running(word: bytes) -> list[Path]:
    return [path for path in Path("/proc").glob("[0-9]*/cmdline") if word in _read(path)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_cli_without_buildkit_is_passed_over(tmp_path):
    for name, says in (("old", "Docker version 9.0.0, build 1"), ("new", "Docker version 28.2.2, build 1"),
                       ("podman", "podman version 4.3.1"), ("kit", "Docker version 29.0.1, build 1")):  # fmt: skip
        (tmp_path / name).mkdir()
        plugin = "echo github.com/docker/buildx v0.20" if name == "kit" else "exit 1"
        program = tmp_path / name / "docker"
        program.write_text(f'#!/bin/sh\nif [ "$1" = buildx ]; then {plugin}; else echo "{says}"; fi\n')
        program.chmod(0o755)
    endpoint = Endpoint("unix:///nowhere", "test")
    path = ":".join(str(tmp_path / name) for name in ("none", "new", "podman", "kit"))
    found = buildkit.find(endpoint, path)
    assert found is not None
    assert found.said == "by BuildKit, through docker CLI 29.0.1 with buildx"
    assert buildkit.find(endpoint, str(tmp_path / "new")) is None
    assert shutil.which("docker") is None or buildkit.find(endpoint, "") is None


@pytest.mark.podman
async def test_podman_builds(podman: PrivatePodman, context):
    base = podman.ensure_image()
    (context / "Containerfile").write_text(f"FROM {base}\nARG WHO\nCOPY . /c\nRUN echo $WHO > /said\n")
    told = Told()
    async with connected(podman.url, "podman") as backend:
        build = backend.ability(Build)
        assert (await build.examine(str(context), "")).builder == "by Podman"
        request = BuildRequest(str(context), tags=("localhost/mine:1",), arguments=(("WHO", "me"),))
        assert (await build.build(request, told)).endswith(" as localhost/mine:1")
        assert told.at.total == 4
        (context / "Containerfile").write_text(f"FROM {base}\nRUN echo last; exit 3\n")
        with pytest.raises(ActionError, match="step 2/2 failed"):
            await build.build(BuildRequest(str(context)), told)
