"""Processes, changed files and what inspect says of a container, on a real Docker and a real Podman."""

from __future__ import annotations

import io
import tarfile
import time
from typing import Any

import pytest

from backends.abilities.inside import Changes, How, Processes
from backends.base import ActionError
from backends.docker.backend import DockerBackend
from backends.model import Ref
from backends.particulars import attachments, environment, health_log, mount_points, port_entries
from backends.secrets import MASK
from tests.engines.docker_backend import connected, container_ref, eventually
from tests.engines.docker_engine import PrivateDocker
from tests.engines.podman_engine import PrivatePodman

SECRET = "hunter2hunter2"
SCRIPT = "mkdir /data; echo x > /data/new; echo y >> /etc/motd; rm /content; while :; do sleep 1000; done"
HEALTH = {"test": ["CMD-SHELL", "echo all well; exit 0"], "interval": 1_000_000_000, "timeout": 20_000_000_000}


def able(backend: DockerBackend, kind: Any) -> Any:
    found = backend.ability(kind)
    assert found is not None
    return found


def empty_files(count: int) -> bytes:
    """A tar of so many empty files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in range(count):
            archive.addfile(tarfile.TarInfo(f"many/{number % 100}/file-{number}"))
    return buffer.getvalue()


async def commands(backend: DockerBackend, ref: Ref) -> dict[str, dict[str, str]]:
    """The processes by command, each by title."""
    table = await able(backend, Processes).processes(ref)
    found = [dict(zip(table.titles, row, strict=True)) for row in table.rows]
    return {row["COMMAND"]: row for row in found}


@pytest.mark.docker
async def test_processes_as_docker_lists_them(docker: PrivateDocker) -> None:
    # a program of busybox goes by its own name: the arguments are seen as they are
    identity = docker.run("top", ["sh", "-c", "sleep 1001 & exec sh -c 'sleep 1000; :' --password " + SECRET])
    async with connected(docker.url) as backend:
        found = await eventually(lambda: commands(backend, container_ref(identity)), "the processes")
        found = await eventually(lambda: _holding(backend, identity, "sleep 1000"), "both of them")
        assert {"USER", "PID", "PPID", "%CPU", "RSS", "TIME", "COMMAND"} <= found["sleep 1000"].keys()
        assert found["sleep 1000"]["USER"] == "root"
        assert not any(SECRET in command for command in found)
        assert any(MASK in command for command in found)
        pids = {entry[1] for entry in docker.client.top(identity)["Processes"]}
        assert {row["PID"] for row in found.values()} == pids


async def _holding(backend: DockerBackend, identity: str, command: str) -> dict[str, dict[str, str]]:
    found = await commands(backend, container_ref(identity))
    return found if command in found and any(MASK in text for text in found) else {}


@pytest.mark.docker
async def test_a_stopped_container_has_no_processes_and_says_so(docker: PrivateDocker) -> None:
    identity = docker.create("idle")
    async with connected(docker.url) as backend:
        with pytest.raises(ActionError, match="is not running"):
            await able(backend, Processes).processes(container_ref(identity))
        with pytest.raises(ActionError, match="No such container"):
            await able(backend, Processes).processes(container_ref("0" * 64))
        with pytest.raises(ActionError, match="No such container"):
            await able(backend, Changes).changes(container_ref("0" * 64))


@pytest.mark.docker
async def test_changes_as_docker_tells_them(docker: PrivateDocker) -> None:
    identity = docker.run("diff", ["sh", "-c", SCRIPT])
    untouched = docker.create("untouched")
    async with connected(docker.url) as backend:
        changes = able(backend, Changes)

        async def complete() -> dict[str, How]:
            found = {path: how for how, path in (await changes.changes(container_ref(identity))).entries}
            return found if "/content" in found else {}

        found = await eventually(complete, "the changes")
        assert found["/data/new"] is How.ADDED
        assert found["/etc"] is How.CHANGED
        assert found["/content"] is How.DELETED
        assert len(found) == len(docker.client.diff(identity))
        assert (await changes.changes(container_ref(untouched))).total == 0


@pytest.mark.docker
async def test_more_changes_than_one_read_brings(docker: PrivateDocker) -> None:
    identity = docker.create("many")
    docker.client.put_archive(identity, "/", empty_files(3_000))
    async with connected(docker.url) as backend:
        found = await able(backend, Changes).changes(container_ref(identity))
    assert found.total == len(found.entries) == len(docker.client.diff(identity)) > 3_000


@pytest.mark.docker
async def test_what_inspect_says_of_a_container(docker: PrivateDocker) -> None:
    docker.network("backend")
    identity = docker.create(
        "told",
        environment=["PLAIN=1", f"API_TOKEN={SECRET}"],
        ports=[80, (53, "udp")],
        volumes=["/data"],
        healthcheck=HEALTH | {"retries": 2},
        host={
            "port_bindings": {80: ("127.0.0.1", 0)},
            "binds": ["/etc:/outside:ro", "named:/data"],
            "tmpfs": {"/scratch": ""},
            "network_mode": "backend",
        },
    )
    ref = container_ref(identity)
    async with connected(docker.url) as backend:
        stopped = await backend.inspect(ref)
        assert [(entry.port, entry.live) for entry in port_entries(stopped)] == [(53, True), (80, False)]
        assert [one.address for one in attachments(stopped)] == [""]
        docker.client.start(identity)

        async def checked() -> Any:
            answer = await backend.inspect(ref)
            return answer if health_log(answer).checks else None

        answer = await eventually(checked, "its first health check")
    assert {"PLAIN=1", f"API_TOKEN={SECRET}"} <= set(environment(answer))
    mounts = {mount.destination: mount for mount in mount_points(answer)}
    assert (mounts["/outside"].source, mounts["/outside"].writable) == ("/etc", False)
    assert (mounts["/data"].name, mounts["/data"].driver, mounts["/data"].writable) == ("named", "local", True)
    assert mounts["/scratch"].type == "tmpfs"
    published = {entry.port: entry for entry in port_entries(answer)}
    assert published[80].host_ip == "127.0.0.1" and (published[80].host_port or 0) > 0
    assert published[53].host_port is None
    (network,) = attachments(answer)
    assert network.network == "backend"
    assert network.address.count(".") == 3 and "/" in network.address
    assert network.gateway and network.mac
    log = health_log(answer)
    assert (log.test, log.interval, log.timeout, log.retries) == (("CMD-SHELL", HEALTH["test"][1]), 1.0, 20.0, 2)
    check = log.checks[0]
    assert (check.exit_code, check.output) == (0, "all well")
    assert check.start == pytest.approx(time.time(), abs=120)
    assert check.seconds is not None and check.seconds < 21


@pytest.mark.podman
async def test_processes_and_changes_on_podman(podman: PrivatePodman) -> None:
    identity = podman.run("inside", ["sh", "-c", SCRIPT])
    ref = container_ref(identity, "podman")
    async with connected(podman.url, "podman") as backend:

        async def sleeping() -> Any:
            found = await commands(backend, ref)
            return found if "sleep 1000" in found else None

        found = await eventually(sleeping, "the processes")
        row = found["sleep 1000"]
        assert row["PID"].isdigit()
        assert row["TIME"] == "00:00:00"
        assert row["ELAPSED"].startswith("00:00:")
        changed = {path: how for how, path in (await able(backend, Changes).changes(ref)).entries}
        assert changed["/data/new"] is How.ADDED
        assert changed["/content"] is How.DELETED
        podman.client.stop(identity, timeout=0)
        with pytest.raises(ActionError):
            await able(backend, Processes).processes(ref)


@pytest.mark.podman
async def test_what_inspect_says_on_podman(podman: PrivatePodman) -> None:
    identity = podman.create(
        "told",
        environment=["PLAIN=1"],
        ports=[80],
        healthcheck=HEALTH,
        host={"port_bindings": {80: 18080}, "binds": ["/etc:/outside:ro"], "network_mode": "bridge"},
    )
    podman.client.start(identity)
    async with connected(podman.url, "podman") as backend:
        answer = await backend.inspect(container_ref(identity, "podman"))
    assert "PLAIN=1" in environment(answer)
    assert [(mount.destination, mount.writable) for mount in mount_points(answer)] == [("/outside", False)]
    assert [(entry.port, entry.host_port) for entry in port_entries(answer)] == [(80, 18080)]
    assert [bool(one.address and one.mac) for one in attachments(answer)] == [True]
    # without systemd Podman 4.3 runs no checks by itself, but tells what is defined
    assert health_log(answer).test == ("CMD-SHELL", HEALTH["test"][1])
