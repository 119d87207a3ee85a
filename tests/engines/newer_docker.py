"""A private Docker engine newer than the distribution's: Debian sid's, unpacked into a root of its own.

The programs are unpacked once, to $BOXTOP_TEST_CACHE/docker, else ~/.cache/boxtop-tests/docker. Needs root and unshare.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker_engine import PrivateDocker, missing
from tests.engines.require import need

RECIPES = Path(__file__).parent / "docker"


def newer_missing() -> str:
    """Why a newer Docker engine cannot run here; empty when it can."""
    if reason := missing():
        return reason
    for program in ("apt-get", "dpkg-deb", "unshare", "flock"):
        if not shutil.which(program):
            return f"{program} not found: a newer Docker is unpacked from Debian's packages"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, timeout=10, check=False).returncode:
        return "unshare -m is not permitted here"
    return ""


def install() -> Path:
    """Unpack the programs where they are not yet; their private root."""
    cache = os.environ.get("BOXTOP_TEST_CACHE")
    top = (Path(cache) if cache else Path.home() / ".cache/boxtop-tests") / "docker"
    subprocess.run([str(RECIPES / "install.sh"), str(top)], check=True, timeout=600, stdout=subprocess.DEVNULL)
    return top / "root"


class NewerDocker(PrivateDocker):
    """As PrivateDocker, with sid's programs. `store`: keep images in containerd, as engines from 29 do."""

    def __init__(self, directory: Path, *, store: bool = False) -> None:
        super().__init__(directory)
        self._root = install()
        self._options = ["--feature=containerd-snapshotter=true"] if store else []

    def program(self) -> list[str]:
        inside = [str(RECIPES / "inside.sh"), str(self._root), str(self.directory)]
        return [*inside, "/usr/sbin/dockerd", *self._options]


@pytest.fixture(scope="session")
def newer_docker_engine() -> Iterator[NewerDocker]:
    """The session's private engine, up and with the test image."""
    reason = newer_missing()
    need(not reason, reason)
    engine = NewerDocker(Path(tempfile.mkdtemp(prefix="bn-", dir="/tmp")), store=True)
    try:
        engine.start()
        engine.ensure_image()
        yield engine
    finally:
        engine.stop()


@pytest.fixture
def newer_docker(newer_docker_engine: NewerDocker) -> Iterator[NewerDocker]:
    """The private newer engine, emptied after the test."""
    yield newer_docker_engine
    newer_docker_engine.clear()
