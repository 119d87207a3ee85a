"""A private Docker engine: own socket, own data, ended by its own pid. Needs root, dockerd and a static busybox.

Outside of pytest, `python -m tests.engines.docker_engine --dir DIR` starts one, prints its DOCKER_HOST and stays until
SIGTERM or Ctrl-C; `--containers N` has N idle containers in it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from docker import APIClient
from docker.errors import APIError, DockerException

from tests.engines.private import by_hand, for_session

IMAGE = "boxtop-test:1"
IDLE = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 100000 & wait; done"]
"""Does nothing and ends at once on SIGTERM."""
BUSY = ["sh", "-c", "trap 'exit 0' TERM; while :; do :; done"]
"""Keeps one core busy."""
QUOTA = 20_000
"""`cpu_quota` of a fifth of a core: a load that stays the same on a machine busy with other things."""
_APPLETS = ("cat", "dd", "echo", "false", "head", "ls", "nc", "ping", "ps", "sh", "sleep", "true", "wget", "yes")


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """The first true answer of `condition`, asked often until the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing() -> str:
    """Why a private Docker engine cannot run here; empty when it can."""
    if os.geteuid() != 0:
        return "a private Docker engine needs root: run the suite as root"
    for program in ("dockerd", "containerd", "runc", "busybox"):
        if not shutil.which(program):
            return f"{program} not found: apt-get install docker.io containerd runc iptables busybox-static"
    return ""


class ContainerEngine:
    """Containers of an engine that is asked directly, not through boxtop."""

    client: APIClient
    image: ClassVar[str]
    """What its containers are made of, unless another is named."""

    def ensure_image(self, *named: str) -> str:
        """The id of its usual image, or of the one `named`, made when it is not there."""
        raise NotImplementedError

    def create(self, name: str, command: list[str] | None = None, *, image: str = "", **options: Any) -> str:
        """Create a container. What docker-py's create_host_config takes goes in `host`; the rest as create_container
        takes it. Without a network but loopback unless `host` says otherwise."""
        self.ensure_image(*([image] if image else ()))
        host = {"network_mode": "none"} | options.pop("host", {})
        created = self.client.create_container(
            image or self.image,
            command or IDLE,
            name=name,
            host_config=self.client.create_host_config(**host),
            **options,
        )
        return str(created["Id"])

    def run(self, name: str, command: list[str] | None = None, **options: Any) -> str:
        """Create and start a container."""
        container = self.create(name, command, **options)
        self.client.start(container)
        return container

    def state(self, container: str) -> str:
        """The engine's own word for a container's state; empty when there is no such container."""
        try:
            return str(self.client.inspect_container(container)["State"]["Status"])
        except APIError as error:
            if error.status_code == 404:
                return ""
            raise

    def remove(self, container: str) -> None:
        """Remove a container with its volumes, whatever its state; gone already is fine."""
        with contextlib.suppress(APIError):
            self.client.remove_container(container, force=True, v=True)


class PrivateDocker(ContainerEngine):
    """One dockerd with everything it owns below `directory`, whose path must be short (a socket's may have 107)."""

    image = IMAGE

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "docker.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None
        self._exec_root = directory / "exec"
        self._client: APIClient | None = None
        self._bridges: set[str] = set()

    @property
    def client(self) -> APIClient:
        """The engine asked directly, not through boxtop."""
        if self._client is None:
            self._client = APIClient(base_url=self.url, version="auto", timeout=60)
        return self._client

    def start(self) -> None:
        """Start dockerd, also again after `kill` or `terminate`, and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        # COLUMNS, which a test runner may set, would cut what the engine's ps prints
        ours = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
        environment = {key: value for key, value in ours.items() if not key.startswith("DOCKER_")}
        environment["PATH"] = f"{environment.get('PATH', '')}:/usr/sbin:/sbin"
        with (self.directory / "dockerd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.program(),
                    f"--data-root={self.directory / 'data'}",
                    f"--exec-root={self._exec_root}",
                    f"--pidfile={self.directory / 'pid'}",
                    f"--host={self.url}",
                    "--bridge=none",
                    "--iptables=false",
                    "--ip6tables=false",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        wait_until(self._answers, "dockerd to answer", 60)

    def program(self) -> list[str]:
        """The command that is dockerd."""
        return ["dockerd"]

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            tail = (self.directory / "dockerd.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"dockerd ended with {self.process.returncode}: {tail}")
        try:
            return bool(self.client.ping())
        except (DockerException, OSError):
            self._client = None
            return False

    def kill(self) -> None:
        """SIGKILL to dockerd, which takes its containerd along: its containers live on, and its socket file stays."""
        self._end(signal.SIGKILL)
        # Where nobody reaps orphans the dead containerd has a pid still, and the next dockerd would wait for it
        (self._exec_root / "containerd/containerd.pid").unlink(missing_ok=True)

    def terminate(self) -> None:
        """SIGTERM to dockerd: it ends its containers and removes its socket."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP: it accepts connections and never answers."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
            self.process.send_signal(number)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def stop(self) -> None:
        """End the engine with all its containers, and remove what it put on this machine."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
            with contextlib.suppress(DockerException, OSError):
                self.clear()
        self.terminate()
        _end_processes(self._exec_root)
        for bridge in self._bridges:
            subprocess.run(["ip", "link", "del", bridge], capture_output=True, timeout=10, check=False)
        for mount in mounts_below(self.directory):
            subprocess.run(["umount", "-l", mount], capture_output=True, timeout=10, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def clear(self) -> None:
        """Remove every container, network, volume and image but the test image, which keeps one tag."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.remove, [found["Id"] for found in self.client.containers(all=True)]))
        for network in self.client.networks():
            if network["Name"] not in {"none", "host", "bridge"}:
                self.client.remove_network(network["Id"])
        for volume in self.client.volumes()["Volumes"] or []:
            self.client.remove_volume(volume["Name"])
        for image in self.client.images():
            tags = image["RepoTags"] or []
            if IMAGE not in tags:
                with contextlib.suppress(APIError):
                    self.client.remove_image(image["Id"], force=True)
            for tag in tags if IMAGE in tags else ():
                if tag != IMAGE:
                    self.client.remove_image(tag)

    def ensure_image(self, tag: str = IMAGE, content: str = "") -> str:
        """The id of image `tag`, made of busybox when it is not there; another `content` gives another image."""
        if not any(tag in (image["RepoTags"] or []) for image in self.client.images()):
            repository, _, name = tag.rpartition(":")
            self.client.import_image_from_data(root_archive(content), repository=repository, tag=name)
        return next(str(image["Id"]) for image in self.client.images() if tag in (image["RepoTags"] or []))

    def network(self, name: str) -> str:
        """A bridge network, gone with `clear` or `stop`."""
        created = self.client.create_network(name)["Id"]
        self._bridges.add(f"br-{created[:12]}")
        return str(created)

    def run_each_state(self, prefix: str = "") -> dict[str, str]:
        """One container in each state, by its word: running, exited, paused, created, unhealthy, restarting."""
        ids = {
            "running": self.run(f"{prefix}running"),
            "exited": self.run(f"{prefix}exited", ["sh", "-c", "exit 3"]),
            "paused": self.run(f"{prefix}paused"),
            "created": self.create(f"{prefix}created"),
            "unhealthy": self.run(
                f"{prefix}unhealthy",
                healthcheck={"test": ["CMD", "false"], "interval": 200_000_000, "retries": 1},
            ),
            "restarting": self.run(f"{prefix}restarting", ["false"], host={"restart_policy": {"Name": "always"}}),
        }
        self.client.pause(ids["paused"])
        wait_until(lambda: self.state(ids["exited"]) == "exited", "the container to exit")
        wait_until(lambda: self.client.inspect_container(ids["unhealthy"])["State"]["Health"]["Status"] == "unhealthy",
                   "the container to be unhealthy")  # fmt: skip
        # Its pauses between restarts double from 100 ms: after a few it is found restarting at any look
        wait_until(lambda: self.client.inspect_container(ids["restarting"])["RestartCount"] >= 5, "some restarts")
        wait_until(lambda: self.state(ids["restarting"]) == "restarting", "the container to be restarting")
        return ids


def root_archive(content: str) -> bytes:
    """A root file system as a tar: busybox and its links, and a file with `content`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("bin", "tmp", "data"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        program = shutil.which("busybox")
        assert program is not None
        archive.add(os.path.realpath(program), "bin/busybox")
        for applet in _APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
        entry = tarfile.TarInfo("content")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def _end_processes(exec_root: Path) -> None:
    """End what a killed dockerd left: the containerd and shims whose command line names its exec root."""
    mark = os.fsencode(exec_root)
    containers: list[str] = []
    for pid in [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            continue
        if mark not in command or not command.split(b"\0")[0].rpartition(b"/")[2].startswith(b"containerd"):
            continue
        shim = b"containerd-shim" in command
        if shim:
            containers.append(command.split(b"\0-id\0")[1].partition(b"\0")[0].decode())
        for victim in [*(map(int, children) if shim else ()), pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
    for container in containers:
        groups = list(Path("/sys/fs/cgroup").glob(f"**/docker/{container}"))
        for group in groups:
            for switch, thawed in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                if (group / switch).exists():
                    (group / switch).write_text(thawed)
        for group in groups:
            wait_until(partial(_remove_group, group), f"{group} to be empty", 20)


def _remove_group(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def mounts_below(directory: Path) -> list[str]:
    prefix = f"{directory}/"
    mounts = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted((mount for mount in mounts if mount.startswith(prefix)), key=len, reverse=True)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[PrivateDocker]:
    """The session's private engine, up and with the test image."""
    for engine in for_session(missing(), PrivateDocker, "bx-"):
        engine.ensure_image()
        yield engine


@pytest.fixture
def docker(docker_engine: PrivateDocker) -> Iterator[PrivateDocker]:
    """The private engine, emptied after the test, and up again where the test ended it."""
    yield docker_engine
    if docker_engine.process is None or docker_engine.process.poll() is not None:
        docker_engine.start()
    docker_engine.thaw()
    docker_engine.clear()


def _fill(engine: PrivateDocker, arguments: argparse.Namespace) -> str:
    engine.ensure_image()
    for index in range(arguments.containers):
        engine.run(f"idle-{index:03}")
    return f"DOCKER_HOST={engine.url}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.engines.docker_engine", description=__doc__)
    parser.add_argument("--containers", type=int, default=0, help="have so many idle containers in it")
    by_hand(parser, missing(), PrivateDocker, "bx-", _fill)


if __name__ == "__main__":
    main()
