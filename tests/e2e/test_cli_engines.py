"""`boxtop ls` and `boxtop doctor` against engines that answer, that are gone, and that are frozen."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.run_cli import COMMAND, boxtop, environment
from tests.engines.docker_engine import BUSY, PrivateDocker


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that takes connections and never answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent.sock"))
        listener.listen()
        listener.settimeout(30)
        yield listener


def test_no_engine_is_status_3_and_one_line_with_the_remedy(tmp_path: Path) -> None:
    done = boxtop(tmp_path, "ls", "--host", f"unix://{tmp_path}/none.sock")
    assert done.returncode == 3
    assert done.stderr.startswith(f"boxtop: docker (unix://{tmp_path}/none.sock): ")
    assert done.stderr.count("\n") == 1
    assert " – " in done.stderr
    assert done.stdout.startswith("HOST ")


def test_no_engine_in_json(tmp_path: Path) -> None:
    done = boxtop(tmp_path, "ls", "--json", "--host", f"unix://{tmp_path}/none.sock")
    assert done.returncode == 3
    data = json.loads(done.stdout)
    assert [(engine["state"], bool(engine["reason"]), bool(engine["remedy"])) for engine in data["engines"]] == [
        ("unreachable", True, True)
    ]
    assert data["containers"] == data["vms"] == data["images"] == []
    assert data["host"]["memory_total"] > 0


def test_no_engine_and_no_terminal_ends_well(tmp_path: Path) -> None:
    done = boxtop(tmp_path, "--host", f"unix://{tmp_path}/none.sock")
    assert done.returncode == 0
    assert done.stdout.startswith("HOST ")


def test_the_doctor_tells_the_remedy(tmp_path: Path) -> None:
    done = boxtop(tmp_path, "doctor", "--host", f"unix://{tmp_path}/none.sock")
    assert done.returncode == 0
    assert "what to do: " in done.stdout


@pytest.mark.usefixtures("silent")
def test_an_engine_that_never_answers_is_given_up(tmp_path: Path) -> None:
    began = time.monotonic()
    done = boxtop(tmp_path, "ls", "--host", f"unix://{tmp_path}/silent.sock")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert time.monotonic() - began < 45


def test_ctrl_c_ends_it_at_once_and_quietly(tmp_path: Path, silent: socket.socket) -> None:
    process = subprocess.Popen(
        [*COMMAND, "ls", "--host", f"unix://{tmp_path}/silent.sock"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    connection, _ = silent.accept()
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, errors = process.communicate(timeout=30)
    connection.close()
    assert (process.returncode, out, errors) == (130, "", "")
    # a call to the engine has ten
    assert time.monotonic() - began < 8


@pytest.mark.docker
def test_a_real_engine_is_listed_with_states_and_figures(tmp_path: Path, docker: PrivateDocker) -> None:
    ids = docker.run_each_state()
    ids["busy"] = docker.run("busy", BUSY, environment={"DB_PASSWORD": "hunter2"}, labels={"api.token": "hunter2"})
    done = boxtop(tmp_path, "ls", "--json", "--host", docker.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hunter2" not in done.stdout
    data = json.loads(done.stdout)
    found: dict[str, Any] = {entry["name"]: entry for entry in data["containers"]}
    assert {name: entry["id"] for name, entry in found.items()} == ids
    assert {name: entry["state"] for name, entry in found.items()} == {
        "running": "running",
        "exited": "exited",
        "paused": "paused",
        "created": "created",
        "unhealthy": "running",
        "restarting": "restarting",
        "busy": "running",
    }
    assert found["unhealthy"]["health"] == "unhealthy"
    assert found["exited"]["exit_code"] == 3
    assert found["busy"]["usage"]["cpu"] > 0.1
    assert found["busy"]["usage"]["memory"] > 0
    assert found["exited"]["usage"] is None
    assert data["engines"][0]["state"] == "connected"
    assert len(data["images"]) == 1
    assert set(data["images"][0]["used_by"]) == set(found)


@pytest.mark.docker
def test_one_dead_engine_does_not_cost_the_other(tmp_path: Path, docker: PrivateDocker) -> None:
    docker.run("alive")
    done = boxtop(tmp_path, "ls", "containers", "--host", f"unix://{tmp_path}/none.sock", "--host", docker.url)
    assert done.returncode == 0
    assert "\nalive " in done.stdout
    assert "none.sock" in done.stderr


@pytest.mark.docker
def test_a_frozen_engine_is_given_up_and_the_rest_is_listed(tmp_path: Path, docker: PrivateDocker) -> None:
    docker.freeze()
    began = time.monotonic()
    done = boxtop(tmp_path, "ls", "--json", "--host", docker.url)
    assert done.returncode == 3
    assert json.loads(done.stdout)["engines"][0]["state"] == "unreachable"
    assert time.monotonic() - began < 45


@pytest.mark.docker
def test_the_doctor_says_what_answered(tmp_path: Path, docker: PrivateDocker) -> None:
    docker.run("alive")
    done = boxtop(tmp_path, "doctor", "--host", docker.url)
    assert done.returncode == 0
    assert f"connected: docker {docker.client.version()['Version']}" in done.stdout
    assert "1 container, 1 image;" in done.stdout


@pytest.mark.docker
def test_environment_names_the_engine_as_for_the_docker_command(tmp_path: Path, docker: PrivateDocker) -> None:
    docker.run("alive")
    done = boxtop(tmp_path, "ls", "containers", DOCKER_HOST=docker.url)
    assert done.returncode == 0
    assert "\nalive " in done.stdout
