"""Shells and attached processes over every transport to a real engine: bytes both ways, sizes, ends."""

from __future__ import annotations

import asyncio
import select
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.abilities.environment import Environment
from backends.abilities.shell import Attach, Shell, Size
from backends.base import ActionError
from backends.console import Console
from backends.docker.backend import DockerBackend
from backends.model import Ref
from tests.engines.docker_backend import connected, container_ref, eventually
from tests.engines.docker_engine import PrivateDocker
from tests.engines.podman_engine import PrivatePodman
from tests.engines.test_docker_remote import _children, certificates, forwarded, ssh

__all__ = ["certificates", "ssh"]

SIZE = Size(100, 30)


def told(console: Console, mark: bytes, seconds: float = 60.0) -> bytes:
    """What a console shows up to `mark`, or to its end when that is empty."""
    found, deadline = b"", time.monotonic() + seconds
    while mark not in found or not mark:
        assert time.monotonic() < deadline, found
        if not console.pending:
            select.select([console], [], [], 0.2)
        data = console.recv()
        if data == b"":
            return found
        found += data or b""
    return found


async def shown(console: Console, mark: bytes) -> bytes:
    # the forwarding of these tests is done by the loop
    return await asyncio.to_thread(told, console, mark)


def ability(backend: DockerBackend, kind: type) -> object:
    found = backend.ability(kind)
    assert found is not None
    return found


async def talks(backend: DockerBackend, ref: Ref) -> None:
    """A shell that is found, has the size it was told, computes, and tells its exit status."""
    shell = ability(backend, Shell)
    assert isinstance(shell, Shell)
    assert await shell.find(ref) == ("/bin/sh",)
    console = await shell.open(ref, ["/bin/sh"], SIZE)
    await shown(console, b"/ # ")

    async def sized() -> bool:
        console.send(b"busybox stty size\n")
        return b"30 100" in await shown(console, b"/ # ")

    await eventually(sized, "its size")
    console.send(b"echo $((6*7))-there; head -c 300000 /dev/zero | tr '\\0' x; exit 3\n")
    rest = await shown(console, b"")
    assert b"42-there" in rest
    assert await console.exit_status() == 3
    await asyncio.to_thread(console.close)


@asynccontextmanager
async def reader(backend: DockerBackend, ref: Ref) -> AsyncIterator[Console]:
    """Attached to a process without a terminal."""
    attach = ability(backend, Attach)
    assert isinstance(attach, Attach)
    wiring = await attach.wiring(ref)
    assert (wiring.terminal, wiring.takes_input) == (False, True)
    console = await attach.attach(ref, SIZE)
    try:
        yield console
    finally:
        await asyncio.to_thread(console.close)


READER = ["sh", "-c", "while read line; do echo got-$line; echo bad-$line >&2; done; echo all; exit 5"]


@pytest.mark.docker
async def test_over_tls(
    docker: PrivateDocker,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box, talker = container_ref(docker.run("box")), container_ref(docker.run("talker", READER, stdin_open=True))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    async with forwarded(docker.socket, context) as port:
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
        async with connected(f"tcp://127.0.0.1:{port}") as backend:
            await talks(backend, box)
            async with reader(backend, talker) as console:
                console.send(b"one two\n")
                assert b"bad-one two" in await shown(console, b"bad-one two")
            environment = ability(backend, Environment)
            assert isinstance(environment, Environment)
            leading = environment.leading({"DOCKER_CONTEXT": "other", "HOME": "/h"})
            assert leading == {
                "HOME": "/h",
                "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
                "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": str(certificates),
            }


@pytest.mark.docker
@pytest.mark.usefixtures("ssh")
async def test_over_ssh(docker: PrivateDocker) -> None:
    box, talker = container_ref(docker.run("box")), container_ref(docker.run("talker", READER, stdin_open=True))
    before = _children()
    async with connected("ssh://me@far:2222") as backend:
        await talks(backend, box)
        async with reader(backend, talker) as console:
            console.send(b"one two\n")
            assert b"got-one two" in await shown(console, b"got-one two")

    async def ended() -> bool:
        return _children() <= before

    await eventually(ended, "ssh to end")


@pytest.mark.docker
async def test_the_end_of_input_and_an_unfinished_shell(docker: PrivateDocker) -> None:
    box, talker = container_ref(docker.run("box")), container_ref(docker.run("talker", READER, stdin_open=True))
    async with connected(docker.url) as backend:
        async with reader(backend, talker) as console:
            console.send(b"one\n")
            await shown(console, b"bad-one")
            console.end_input()
            assert b"all" in await shown(console, b"")
            assert await console.exit_status() == 5
        shell = ability(backend, Shell)
        assert isinstance(shell, Shell)
        console = await shell.open(box, ["/bin/sh"], SIZE)
        await shown(console, b"/ # ")
        console.send(b"sleep 1000\n")
        await shown(console, b"1000")
        await asyncio.to_thread(console.close)

        async def alone() -> bool:
            return len(docker.client.top("box")["Processes"]) == 2

        await eventually(alone, "the shell and its command to end")
        with pytest.raises(ActionError, match="No such container"):
            await shell.open(container_ref("f" * 64), ["/bin/sh"], SIZE)
        console = await shell.open(box, ["/bin/sh"], SIZE, user="nobody-here")
        assert b"unable to find user" in await shown(console, b"")
        await asyncio.to_thread(console.close)


@pytest.mark.podman
async def test_on_podman(podman: PrivatePodman) -> None:
    box, talker = container_ref(podman.run("box")), container_ref(podman.run("talker", READER, stdin_open=True))
    async with connected(podman.url, "podman") as backend:
        await talks(backend, box)
        async with reader(backend, talker) as console:
            console.send(b"one two\n")
            found = await shown(console, b"bad-one two")
            assert b"got-one two" in found
            assert b"{}" not in found
        shell = ability(backend, Shell)
        assert isinstance(shell, Shell)
        with pytest.raises(ActionError, match="unable to find user"):
            await shell.open(box, ["/bin/sh"], SIZE, user="nobody-here")
