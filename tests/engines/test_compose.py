"""Compose on real engines: a project of busybox services, by whichever Compose this machine has."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from backends.abilities.compose import ComposeOptions, Verb
from backends.base import ActionError
from backends.docker.compose import DockerCompose, find_tool
from backends.docker.locate import Endpoint
from backends.model import Container, State
from backends.progress import Progress
from backends.projects import Project, project_from
from tests.engines.docker_backend import connected
from tests.engines.docker_engine import IMAGE, PrivateDocker
from tests.engines.podman_engine import PODMAN_IMAGE, PrivatePodman
from tests.engines.require import need

FILE = """\
version: "3.7"
services:
  web:
    image: {image}
    command: ["sh", "-c", "trap 'exit 0' TERM; echo web is up; while :; do sleep 100000 & wait; done"]
    network_mode: none
  worker:
    image: {image}
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 100000 & wait; done"]
    network_mode: none
    depends_on: [web]
    volumes: ["data:/data", "/scratch"]
volumes:
  data: {{}}
"""
PLAIN = ComposeOptions()


class Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def progress(self, progress: Progress) -> None:
        assert progress.text


async def need_compose() -> None:
    need(
        await find_tool(os.environ) is not None,
        "neither docker compose nor docker-compose: apt-get install docker-compose",
    )


def project(folder: Path, image: str) -> Project:
    (folder / "compose.yaml").write_text(FILE.format(image=image))
    return Project("bxshop", str(folder), ("compose.yaml",))


async def states(backend: object) -> dict[str, State]:
    listed = await backend.list_all()  # type: ignore[attr-defined]
    labels = {box.name: dict(box.labels) for box in listed.containers}
    return {
        labels[box.name]["com.docker.compose.service"]: box.state
        for box in listed.containers
        if labels[box.name].get("com.docker.compose.project") == "bxshop"
    }


@pytest.mark.docker
async def test_a_projects_life(docker: PrivateDocker, tmp_path: Path) -> None:
    await need_compose()
    # Compose calls a project by its folder where nobody names it
    folder = tmp_path / "bxshop"
    folder.mkdir()
    shop = project(folder, IMAGE)
    async with connected(docker.url) as backend:
        compose, said = DockerCompose(backend), Lines()
        nameless = replace(shop, name="")
        assert "done by" in await compose.run(Verb.UP, nameless, (), PLAIN, said)
        assert await states(backend) == {"web": State.RUNNING, "worker": State.RUNNING}
        assert any("worker" in line for line in said.lines)

        # what the labels tell is enough to go on with
        boxes = [box for box in (await backend.list_all()).containers if isinstance(box, Container)]
        told = project_from(boxes)
        assert told is not None
        assert told.name == "bxshop"
        await compose.check(told)

        await compose.run(Verb.STOP, told, ("web",), PLAIN, said)
        assert await states(backend) == {"web": State.EXITED, "worker": State.RUNNING}
        await compose.run(Verb.START, told, (), PLAIN, said)
        before = {box["Id"]: box for box in docker.client.containers()}
        await compose.run(Verb.RESTART, told, (), PLAIN, said)
        assert {box["Id"] for box in docker.client.containers()} == before.keys()
        assert await states(backend) == {"web": State.RUNNING, "worker": State.RUNNING}

        belongings = await compose.belongings(told)
        assert belongings.volumes == ("bxshop_data",)
        assert [entry.rpartition(": ")[2] for entry in belongings.anonymous] == ["/scratch"]
        await compose.run(Verb.DOWN, told, (), PLAIN, said)
        assert await states(backend) == {}
        assert (await compose.belongings(told)).volumes == ("bxshop_data",)
        await compose.run(Verb.DOWN, told, (), ComposeOptions(volumes=True), said)
        assert (await compose.belongings(told)).volumes == ()


@pytest.mark.docker
async def test_refusals_say_what_is_wrong(docker: PrivateDocker, tmp_path: Path) -> None:
    await need_compose()
    shop = project(tmp_path, IMAGE)
    async with connected(docker.url) as backend:
        compose = DockerCompose(backend)
        with pytest.raises(ActionError, match=r"(?i)no such service: nosuch"):
            await compose.run(Verb.UP, shop, ("nosuch",), PLAIN, Lines())
        (tmp_path / "compose.yaml").write_text("services: [")
        with pytest.raises(ActionError):
            await compose.run(Verb.UP, shop, (), PLAIN, Lines())
        (tmp_path / "compose.yaml").unlink()
        with pytest.raises(ActionError, match="is gone"):
            await compose.check(shop)
        with pytest.raises(ActionError, match="do not tell"):
            await compose.check(Project("bxshop"))
        assert docker.client.containers(all=True) == []


@pytest.mark.docker
async def test_files_on_another_machine_are_told(docker: PrivateDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(docker.url) as backend:
        connection = backend.connected()
        monkeypatch.setattr(connection, "endpoint", Endpoint("ssh://web-02", "--host"))
        with pytest.raises(ActionError, match=r"not on this machine.*ssh://web-02"):
            await DockerCompose(backend).check(Project("shop", "/nowhere", ("compose.yaml",)))


@pytest.mark.docker
async def test_a_cancelled_compose_ends(docker: PrivateDocker, tmp_path: Path) -> None:
    await need_compose()
    shop = project(tmp_path, IMAGE)
    async with connected(docker.url) as backend:
        said = Lines()
        running = asyncio.create_task(DockerCompose(backend).run(Verb.UP, shop, (), PLAIN, said))
        async with asyncio.timeout(90):
            while not said.lines:
                await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await DockerCompose(backend).run(Verb.DOWN, shop, (), ComposeOptions(volumes=True), Lines())
    assert docker.client.containers(all=True) == []


@pytest.mark.docker
async def test_without_compose_it_says_what_to_install(
    docker: PrivateDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with connected(docker.url) as backend:
        with pytest.raises(ActionError, match="install it"):
            await DockerCompose(backend).tool()


@pytest.mark.podman
async def test_on_podman(podman: PrivatePodman, tmp_path: Path) -> None:
    await need_compose()
    shop = project(tmp_path, PODMAN_IMAGE)
    async with connected(podman.url, "podman") as backend:
        compose = DockerCompose(backend)
        await compose.run(Verb.UP, shop, (), PLAIN, Lines())
        assert await states(backend) == {"web": State.RUNNING, "worker": State.RUNNING}
        await compose.run(Verb.DOWN, shop, (), ComposeOptions(volumes=True), Lines())
        assert await states(backend) == {}
