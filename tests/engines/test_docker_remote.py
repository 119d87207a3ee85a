"""A Docker engine reached over TCP, TLS and ssh, where load comes from its stats API; and cgroup v2's own figures."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from backends.base import EngineError
from backends.docker.backend import DockerBackend
from backends.docker.locate import DOCKER_SOCKETS, path_exists
from backends.docker.sampler import CgroupSampler
from backends.model import Action, ActionOptions, State
from tests.engines.docker_backend import Following, connected, container, container_ref, eventually, loaded
from tests.engines.docker_engine import BUSY, QUOTA, PrivateDocker, wait_until
from tests.engines.require import need

pytestmark = pytest.mark.docker


@asynccontextmanager
async def forwarded(target: Path, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A loopback TCP port that carries connections to a Unix socket, as a remote engine's TCP socket would."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(str(target))

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except OSError:
                pass
            finally:
                sink.close()

        with suppress(asyncio.CancelledError):  # at the end of the test's loop
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_over_tcp_load_is_asked_of_the_engine(docker: PrivateDocker) -> None:
    busy = container_ref(docker.run("busy", BUSY, host={"mem_limit": 256 << 20, "cpu_quota": QUOTA}))
    exited = container_ref(docker.run("exited", ["true"]))
    wait_until(lambda: docker.state(exited.id) == "exited", "its end")
    async with forwarded(docker.socket) as port:
        backend = DockerBackend("docker", f"tcp://127.0.0.1:{port}")
        info = await backend.connect()
        assert not info.usage_of_all
        assert await backend.usage([exited]) == {}
        before = docker.client.stats(busy.id, None, False, True)
        usage = await loaded(backend, busy, 3)
        after = docker.client.stats(busy.id, None, False, True)
        assert (await container(backend, "busy")).state is State.RUNNING
        async with Following(backend) as following:
            await _seen_to_change(docker, following, busy.id)
        await backend.close()
    span = (_moment(after["read"]) - _moment(before["read"])) or 1
    used = after["cpu_stats"]["cpu_usage"]["total_usage"] - before["cpu_stats"]["cpu_usage"]["total_usage"]
    assert usage.cpu == pytest.approx(used / 1e9 / span, rel=0.1)
    assert usage.memory_limit == 256 << 20
    assert usage.pids == 1


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


async def _seen_to_change(docker: PrivateDocker, following: Following, identity: str) -> None:
    async def seen() -> bool:
        await asyncio.to_thread(docker.client.rename, identity, f"renamed-{time.monotonic_ns()}")
        await asyncio.sleep(0.05)
        return container_ref(identity) in following.seen

    await eventually(seen, "an event")
    assert following.error is None


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An authority of our own, and a certificate it signed for 127.0.0.1 that serves for both sides."""
    need(bool(shutil.which("openssl")), "openssl not found: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=test authority", "-keyout", "ca-key.pem", "-out", "ca.pem")  # fmt: skip
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1",
            "-keyout", "key.pem", "-out", "request.pem")  # fmt: skip
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-days", "2",
            "-extfile", "names", "-out", "cert.pem")  # fmt: skip
    yield folder


async def test_tls_verifies_the_engine_and_shows_a_certificate(
    docker: PrivateDocker, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.create("behind")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    async with forwarded(docker.socket, context) as port:
        url = f"tcp://127.0.0.1:{port}"
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
        async with connected(url) as backend:
            assert (await container(backend, "behind")).state is State.CREATED
        for name in ("cert.pem", "key.pem"):
            shutil.copy(certificates / name, tmp_path)
        monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
        assert "not trusted" in (await _failure(url)).reason
        monkeypatch.delenv("DOCKER_TLS_VERIFY")
        assert (await _failure(url)).remedy


async def _failure(url: str) -> EngineError:
    backend = DockerBackend("docker", url)
    try:
        await backend.connect()
    except EngineError as error:
        return error
    finally:
        await backend.close()
    raise AssertionError("connected")


_SSH = """\
#!/bin/sh
# The far end of ssh: runs the command after `-- host` here, with the private engine as that machine's own
while [ "$1" != -- ]; do shift; done
[ "$2" = refused ] && { echo 'me@refused: Permission denied (publickey).' >&2; exit 255; }
DOCKER_HOST=@URL@ DOCKER_CONFIG=/nonexistent exec sh -c "$3"
"""


@pytest.fixture
def ssh(docker: PrivateDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(bool(shutil.which("docker")), "docker not found: apt-get install docker.io")
    program = tmp_path / "bin/ssh"
    program.parent.mkdir()
    program.write_text(_SSH.replace("@URL@", docker.url))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def _children() -> set[str]:
    return {child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()}


@pytest.mark.usefixtures("ssh")
async def test_over_ssh_by_the_engines_own_dial_stdio(docker: PrivateDocker) -> None:
    busy = container_ref(docker.run("busy", BUSY, stop_timeout=2, host={"cpu_quota": QUOTA}))
    before = _children()
    async with connected("ssh://me@far:2222") as backend:
        assert (await container(backend, "busy")).state is State.RUNNING
        assert ((await loaded(backend, busy, 1)).cpu or 0) > 0.1
        async with Following(backend) as following:
            await _seen_to_change(docker, following, busy.id)
        await backend.perform(Action.STOP, busy, ActionOptions())
        assert docker.state(busy.id) == "exited"

    async def ended() -> bool:
        return _children() <= before

    await eventually(ended, "ssh to end")


@pytest.mark.usefixtures("ssh")
async def test_what_ssh_says_is_told() -> None:
    error = await _failure("ssh://me@refused")
    assert "Permission denied (publickey)" in error.reason
    assert "ssh-add" in error.remedy


async def test_cgroup_v2_figures_agree_with_the_engines(docker: PrivateDocker) -> None:
    """The real cgroup2 beside v1 on a hybrid machine, or alone: its CPU time, and the network by its processes."""
    root = next((path for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified") if _is_v2(path)), "")
    if not root:
        pytest.skip("no cgroup2 is mounted here")
    identity = docker.run("busy", BUSY, host={"cpu_quota": QUOTA})
    sampler = CgroupSampler(root)
    before = await asyncio.to_thread(docker.client.stats, identity, None, False, True)
    sampler.sample([identity])
    await asyncio.sleep(3)
    usage = sampler.sample([identity])[identity]
    after = await asyncio.to_thread(docker.client.stats, identity, None, False, True)
    sampler.close()
    used = after["cpu_stats"]["cpu_usage"]["total_usage"] - before["cpu_stats"]["cpu_usage"]["total_usage"]
    assert usage.cpu == pytest.approx(used / 1e9 / (_moment(after["read"]) - _moment(before["read"])), rel=0.1)
    assert usage.network_receive == 0


def _is_v2(path: str) -> bool:
    return (Path(path) / "cgroup.controllers").is_file()


async def test_a_place_that_fails_is_noted_beside_the_one_that_answers(
    docker: PrivateDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead rootless socket first, a live one in the home folder behind it."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    if any(path_exists(path) for path in DOCKER_SOCKETS):
        pytest.skip("this machine has a Docker of its own, which comes first")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    for folder in ("run", ".docker/run"):
        (tmp_path / folder).mkdir(parents=True)
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "run/docker.sock"))
    dead.close()
    (tmp_path / ".docker/run/docker.sock").symlink_to(docker.socket)
    backend = DockerBackend("docker", "docker://")
    info = await backend.connect()
    await backend.close()
    assert info.url == f"unix://{tmp_path}/.docker/run/docker.sock"
    assert any("refuses connections" in note for note in info.notes)
