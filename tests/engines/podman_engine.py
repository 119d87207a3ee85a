"""A private Podman API service: own storage, own socket, ended by its own pid. Needs root, podman and busybox."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import APIError, DockerException

from tests.engines.docker_engine import ContainerEngine, free_port, mounts_below, root_archive, wait_until
from tests.engines.private import for_session

PODMAN_IMAGE = "boxtop-test:latest"
"""Podman's import takes no tag."""
_CONFIG = """\
[containers]
# Its default is above what an unprivileged machine allows; Podman 4.3 swaps unequal soft and hard limits
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = "%s"
"""
_REGISTRIES = """\
[[registry]]
location = "{host}"
insecure = true
"""


def podman_missing() -> str:
    """Why a private Podman cannot run here; empty when it can."""
    if os.geteuid() != 0:
        return "a private Podman needs root: run the suite as root"
    for program in ("podman", "runc", "busybox"):
        if not shutil.which(program):
            return f"{program} not found: apt-get install podman runc busybox-static"
    return ""


class PrivatePodman(ContainerEngine):
    """One `podman system service` with everything it owns below `directory`."""

    image = PODMAN_IMAGE

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "podman.sock"
        self.url = f"unix://{self.socket}"
        self.registry_port = free_port()
        """Where on 127.0.0.1 it takes a registry without TLS."""
        self.client = APIClient(base_url=self.url, version="1.41", timeout=60)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "containers.conf"
        config.write_text(_CONFIG % (self.directory / "networks"))
        registries = self.directory / "registries.conf"
        registries.write_text(_REGISTRIES.format(host=f"127.0.0.1:{self.registry_port}"))
        with (self.directory / "podman.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._podman(), "system", "service", "--time=0", self.url],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,
            )
        wait_until(self._answers, "Podman to answer", 60)

    def _podman(self) -> list[str]:
        folders = {"root": "storage", "runroot": "run", "tmpdir": "tmp"}
        options = [f"--{option}={self.directory / folder}" for option, folder in folders.items()]
        return ["podman", *options, "--storage-driver=vfs"]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "CONTAINERS_CONF": str(self.directory / "containers.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(self.directory / "registries.conf"),
        }

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            tail = (self.directory / "podman.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"podman ended with {self._process.returncode}: {tail}")
        try:
            return bool(self.client.ping())
        except (DockerException, OSError):
            return False

    def kill(self) -> None:
        """SIGKILL to the service alone: its containers live on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def stop(self) -> None:
        """End the service and every container, and remove what it put on this machine."""
        if self._process is None or self._process.poll() is not None:
            self.start()
        with contextlib.suppress(DockerException, OSError):
            self.clear()
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self.client.close()
        for mount in mounts_below(self.directory):
            subprocess.run(["umount", "-l", mount], capture_output=True, timeout=10, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def clear(self) -> None:
        for found in self.client.containers(all=True):
            self.remove(found["Id"])
        for network in self.client.networks():
            if network["Name"] not in {"podman", "bridge"}:
                self.client.remove_network(network["Id"])
        for volume in self.client.volumes()["Volumes"] or []:
            self.client.remove_volume(volume["Name"])
        for image in self.client.images():
            tags = image["RepoTags"] or []
            kept = [tag for tag in tags if tag.endswith(PODMAN_IMAGE)]
            if not kept:
                with contextlib.suppress(APIError):
                    self.client.remove_image(image["Id"], force=True)
            for tag in tags if kept else ():
                if tag not in kept:
                    self.client.remove_image(tag)

    def ensure_image(self, repository: str = "boxtop-test", content: str = "") -> str:
        tag = f"{repository}:latest"
        if not any(name.endswith(tag) for image in self.client.images() for name in image["RepoTags"] or []):
            self.client.import_image_from_data(root_archive(content), repository=repository)
        return next(
            str(image["Id"])
            for image in self.client.images()
            if any(name.endswith(tag) for name in image["RepoTags"] or [])
        )


@pytest.fixture(scope="session")
def podman_engine() -> Iterator[PrivatePodman]:
    """The session's private Podman, up and with the test image."""
    for engine in for_session(podman_missing(), PrivatePodman, "bp-"):
        engine.ensure_image()
        yield engine


@pytest.fixture
def podman(podman_engine: PrivatePodman) -> Iterator[PrivatePodman]:
    """The private Podman, emptied after the test."""
    yield podman_engine
    podman_engine.clear()
