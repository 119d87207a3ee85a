"""The dashboard on a real Docker engine: what it shows, and what its keys do there, asked from the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Boxtop
from tests.engines.docker_engine import PrivateDocker, wait_until

pytestmark = pytest.mark.docker

_SOON = 6.0
"""Seconds, well before the full listing of every 10 s would show it; how soon it is belongs to the benchmark."""


@pytest.fixture
def app(tmp_path: Path, docker: PrivateDocker) -> Iterator[Boxtop]:
    with Boxtop(tmp_path, "--host", docker.url) as running:
        running.wait_text("docker has no containers.")
        yield running


def wait_state(docker: PrivateDocker, container: str, state: str) -> None:
    wait_until(lambda: docker.state(container) == state, f"{container} to be {state or 'gone'}")


def test_every_state_is_shown(tmp_path: Path, docker: PrivateDocker) -> None:
    docker.run_each_state("box-")
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_row("box-running", "● box-running", "up ")
        app.wait_row("box-exited", "○ box-exited", "exited 3")
        app.wait_row("box-paused", "‖ box-paused", "paused")
        app.wait_row("box-created", "◌ box-created", "created")
        app.wait_row("box-unhealthy", "▲ box-unhealthy", "unhealthy")
        app.wait_row("box-restarting", "↻ box-restarting", "restarting")
        app.wait_text("2 of 6 running")
        app.wait_text("6 containers")
        app.press("a")
        app.wait_gone("box-exited", "box-created")
        app.press("/")
        app.wait_text("filter: words")
        app.press("heal", "Enter")
        app.wait_gone("box-running")
        assert "box-unhealthy" in app.screen()


def test_keys_change_the_container(app: Boxtop, docker: PrivateDocker) -> None:
    box = docker.run("box")
    app.wait_row("box", "up ")
    app.press("t")
    wait_state(docker, box, "exited")
    app.wait_row("box", "exited 0")
    app.press("s")
    wait_state(docker, box, "running")
    app.wait_row("box", "up ")
    app.press("p")
    wait_state(docker, box, "paused")
    app.wait_row("box", "paused")
    app.wait_text("p resume")
    app.press("p")
    wait_state(docker, box, "running")
    app.wait_row("box", "up ")

    def started() -> str:
        return str(docker.client.inspect_container(box)["State"]["StartedAt"])

    before = started()
    app.press("r")
    wait_until(lambda: started() != before and docker.state(box) == "running", "the container to be restarted")
    app.wait_row("box", "up ")
    app.press("K")
    app.wait_text("Kill container box?")
    app.answer("Kill")
    wait_state(docker, box, "exited")
    app.wait_row("box", "exited 137")
    app.press("d")
    app.wait_text("Delete container box?")
    app.answer("Delete")
    wait_state(docker, box, "")
    app.wait_text("docker has no containers.")


@pytest.mark.parametrize("answer", ["Enter", "Esc"])
@pytest.mark.parametrize("key", ["K", "d"])
def test_what_is_not_confirmed_is_not_done(app: Boxtop, docker: PrivateDocker, key: str, answer: str) -> None:
    box = docker.run("box")
    app.wait_row("box", "up ")
    app.press(key)
    app.wait_text("Cancel")
    # no single letter answers: the safe button has the focus
    app.press("y", "d", "K")
    app.press(answer)
    app.wait_gone("Cancel")
    app.press("p")
    wait_state(docker, box, "paused")


def test_a_running_container_is_deleted_by_force_alone(app: Boxtop, docker: PrivateDocker) -> None:
    box = docker.run("box")
    app.wait_row("box", "up ")
    app.press("d")
    app.wait_text("Delete container box?", "[ ] Force")
    app.answer("Delete")
    app.wait_row("box", "delete failed")
    app.wait_text("delete box: ", "running container")
    assert docker.state(box) == "running"
    app.press("x")
    app.wait_row("box", "up ")
    app.press("d")
    app.wait_text("[ ] Force")
    app.focus("Force")
    app.press("Space")
    app.wait_text("[x] Force")
    app.answer("Delete")
    wait_state(docker, box, "")
    app.wait_gone(" box ")


def test_what_others_do_appears_by_events(app: Boxtop, docker: PrivateDocker) -> None:
    box = docker.run("outsider")
    app.wait_row("outsider", "up ", seconds=_SOON)
    docker.client.rename(box, "renamed")
    app.wait_row("renamed", "up ", seconds=_SOON)
    app.wait_gone("outsider", seconds=_SOON)
    docker.client.pause(box)
    app.wait_row("renamed", "paused", seconds=_SOON)
    docker.client.unpause(box)
    app.wait_row("renamed", "up ", seconds=_SOON)
    docker.client.kill(box)
    app.wait_row("renamed", "exited 137", seconds=_SOON)
    docker.remove(box)
    app.wait_gone("renamed", seconds=_SOON)
    docker.ensure_image("outside:7", "other")
    app.wait_row("outside:7", "unused", seconds=_SOON)


def test_marked_rows_and_no_others(app: Boxtop, docker: PrivateDocker) -> None:
    ids = {name: docker.run(name) for name in ("red", "green", "blue", "white")}
    for name in ids:
        app.wait_row(name, "up ")
    for name in ("red", "blue"):
        app.select(name)
        app.press("Space")
    app.wait_text("2 marked")
    app.select("white")
    app.press("t")
    app.wait_text("Stop 2 containers?")
    app.answer("Stop")
    for name in ("red", "blue"):
        wait_state(docker, ids[name], "exited")
        app.wait_row(name, "exited")
    assert docker.state(ids["green"]) == docker.state(ids["white"]) == "running"
    app.press("d")
    app.wait_text("Delete 2 containers?")
    app.answer("Delete")
    app.wait_gone(" red ", " blue ")
    assert {found["Id"] for found in docker.client.containers(all=True)} == {ids["green"], ids["white"]}


def test_images_go_unless_a_container_needs_them(app: Boxtop, docker: PrivateDocker) -> None:
    docker.ensure_image("spare:1", "spare")
    docker.ensure_image("needed:1", "needed")
    docker.run("user", image="needed:1")
    app.wait_row("spare:1", "unused")
    app.wait_row("needed:1", "1 container")
    app.press("3")
    app.select("spare:1")
    app.press("d")
    app.wait_text("Delete image spare:1?")
    app.answer("Delete")
    app.wait_gone("spare:1")
    app.select("needed:1")
    app.press("d")
    app.wait_text("Delete image needed:1?")
    app.answer("Delete")
    app.wait_row("needed:1", "delete failed")
    tags = {tag for image in docker.client.images() for tag in image["RepoTags"]}
    assert "needed:1" in tags
    assert "spare:1" not in tags


def test_the_journal_tells_what_was_done(app: Boxtop, docker: PrivateDocker) -> None:
    docker.run("box")
    app.wait_row("box", "up ")
    app.press("p")
    app.wait_row("box", "paused")
    file = app.home / ".local/state/boxtop/journal.jsonl"
    app.wait_for(lambda: file.exists() and file.read_text().endswith("\n"), "the journal to be written")
    app.press("5")
    app.wait_text("5 Journal", "pause", "box", "done")
    assert file.stat().st_mode & 0o777 == 0o600
