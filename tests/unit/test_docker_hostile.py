"""The Docker backend against an engine that answers some questions and leaves others hanging."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.base import EngineError
from backends.docker.backend import DockerBackend
from backends.docker.locate import Endpoint
from backends.docker.transport import Dialer
from backends.model import Action, ActionOptions, Kind, Ref
from tests.engines.docker_engine import wait_until
from tests.hostile_engine import VERSION, HostileEngine

ROOT = Path(__file__).parent.parent.parent
AT_ONCE = 6.0
"""Seconds, where a call's own timeout would be ten: this machine may be busy."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[HostileEngine]:
    with HostileEngine(tmp_path / "d.sock", {"/version": VERSION}) as engine:
        yield engine


def _container(identity: str) -> Ref:
    return Ref("docker", Kind.CONTAINER, identity)


async def _close_while(backend: DockerBackend, call: asyncio.Task[object]) -> None:
    began = time.monotonic()
    await backend.close()
    with pytest.raises((EngineError, asyncio.CancelledError)):
        await call
    assert time.monotonic() - began < AT_ONCE


@pytest.mark.parametrize("hanging", ["/version", "/containers/json"])
async def test_close_ends_a_connection_that_is_still_being_made(engine: HostileEngine, hanging: str) -> None:
    if hanging == "/version":
        del engine.answers["/version"]
    backend = DockerBackend("docker", engine.url)
    call: asyncio.Task[object] = asyncio.create_task(backend.connect())
    await asyncio.to_thread(engine.wait_asked, hanging)
    await _close_while(backend, call)


async def test_close_ends_a_question_for_a_stray_containers_process(engine: HostileEngine) -> None:
    """Its cgroup is not found by its id: the engine is asked, and hangs."""
    engine.answers |= {"/containers/json": [], "/info": {}}
    backend = DockerBackend("docker", engine.url)
    info = await backend.connect()
    if not info.usage_of_all:
        pytest.skip("this machine shows no cgroups")
    call: asyncio.Task[object] = asyncio.create_task(backend.usage([_container("f" * 64)]))
    await asyncio.to_thread(engine.wait_asked, f"/containers/{'f' * 64}/json")
    await _close_while(backend, call)


def test_a_hanging_engine_keeps_no_program_from_its_end(engine: HostileEngine) -> None:
    """A program that closes the backend and ends; it may leave by no other door than `sys.exit`."""
    code = """
import asyncio, sys
from backends.docker.backend import DockerBackend

async def main():
    backend = DockerBackend("docker", sys.argv[1])
    call = asyncio.create_task(backend.connect())
    print("connecting", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await backend.close()
    call.cancel()

asyncio.run(main())
"""
    program = subprocess.Popen(
        [sys.executable, "-c", code, engine.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    engine.wait_asked("/containers/json")
    began = time.monotonic()
    program.communicate(b"\n", timeout=30)
    assert program.returncode == 0
    assert time.monotonic() - began < AT_ONCE


@pytest.mark.parametrize("command", ["ls", "doctor"])
def test_a_listing_ends_within_a_second_of_its_deadline(engine: HostileEngine, tmp_path: Path, command: str) -> None:
    began = time.monotonic()
    code = """
import sys
from tui import cli, gather
gather.gather.__kwdefaults__["deadline"] = 1.0
sys.exit(cli.main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, command, "--host", engine.url],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"HOME": str(tmp_path), "PATH": ""},
        timeout=30,
    )
    assert "did not answer in time" in done.stderr + done.stdout
    # one second for the deadline, the rest for Python's start and end
    assert time.monotonic() - began < 1.0 + 1.0 + AT_ONCE


async def test_a_connection_attempt_into_nowhere_ends_with_close() -> None:
    """A listener whose queue is full lets a client wait, as a machine behind a silent firewall does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        first = [socket.socket() for _ in range(3)]
        for client in first:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        dialer = Dialer(Endpoint(f"tcp://127.0.0.1:{port}", "--host"))
        call = asyncio.create_task(asyncio.to_thread(dialer.dial, 20.0))
        while not dialer._sockets:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert not call.done()
        began = time.monotonic()
        dialer.close()
        with pytest.raises(OSError):
            await call
        assert time.monotonic() - began < AT_ONCE
        for client in first:
            client.close()


async def test_a_reconnection_leaves_actions_under_way_alone(engine: HostileEngine) -> None:
    """A listing that timed out makes boxtop connect anew; the stop that keeps the engine busy ends as it should."""
    engine.answers |= {"/containers/json": [], "/images/json": [], "/info": {}}
    engine.answers |= {"/containers/a/json": {}, "/containers/b/json": {}}
    backend = DockerBackend("docker", engine.url)
    await backend.connect()
    stops = [asyncio.create_task(backend.perform(Action.STOP, _container(name), ActionOptions())) for name in "ab"]
    for name in "ab":
        await asyncio.to_thread(engine.wait_asked, f"/containers/{name}/stop")
    await backend.connect()
    assert (await backend.list_all()).containers == ()
    before = engine.connections
    engine.release("/containers/a/stop", None)
    await stops[0]
    assert not stops[1].done()
    engine.release("/containers/b/stop", None)
    await stops[1]
    # Only then is the connection they used given up
    await asyncio.to_thread(wait_until, lambda: engine.connections < before, "the old connection to be closed")
    assert (await backend.list_all()).containers == ()
    await backend.close()


async def test_a_kill_waits_for_no_other_kind_of_action(engine: HostileEngine) -> None:
    ids = [f"c{number}" for number in range(8)]
    engine.answers |= {"/containers/json": [], "/info": {}, "/containers/c0/kill": None}
    engine.answers |= {f"/containers/{identity}/json": {} for identity in ids}
    backend = DockerBackend("docker", engine.url)
    await backend.connect()
    calls = [
        asyncio.create_task(backend.perform(action, _container(identity), ActionOptions()))
        for action in (Action.STOP, Action.RESTART, Action.START, Action.PAUSE)
        for identity in ids
    ]
    for ask in ("c0/stop", "c3/stop", "c0/start", "c3/start"):
        await asyncio.to_thread(engine.wait_asked, f"/containers/{ask}")
    await asyncio.wait_for(backend.perform(Action.KILL, _container("c0"), ActionOptions()), AT_ONCE)
    assert not any(call.done() for call in calls)
    await backend.close()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_a_volume_plugin_that_hangs_hides_no_container(engine: HostileEngine) -> None:
    engine.answers |= {"/info": {}, "/networks": [], "/images/json": [], "/containers/json": []}
    backend = DockerBackend("docker", engine.url)
    try:
        await backend.connect()
        for _ in range(2):
            began = time.monotonic()
            assert (await backend.list_all()).volumes is None
        assert time.monotonic() - began < 1.8, "the second listing waits for nothing"
        engine.release("/volumes", {"Volumes": [{"Name": "data"}]})
        deadline = time.monotonic() + 30
        while not (volumes := (await backend.list_all()).volumes):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        assert [volume.name for volume in volumes] == ["data"]
    finally:
        await backend.close()
