"""A private sshd on loopback, with keys and configuration of its own, whose machine is the private libvirt's."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engines.docker_engine import wait_until
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.require import need

_SERVER = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/key.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
UsePAM no
StrictModes no
"""
_CLIENT = """\
Host *
  UserKnownHostsFile {folder}/known
  GlobalKnownHostsFile /dev/null
  IdentityFile {folder}/key
  IdentitiesOnly yes
  IdentityAgent none
"""
_SSH = '#!/bin/sh\nexec {ssh} -F "{folder}/config" "$@"\n'


def ssh_missing() -> str:
    for program in ("sshd", "ssh", "ssh-keygen", "nsenter"):
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            return f"{program} not found: apt-get install openssh-server openssh-client util-linux"
    return ""


class PrivateSsh:
    """`ssh` in `folder / "bin"` reaches nothing but this server, and the user's own keys and hosts stay out of it."""

    def __init__(self, folder: Path, libvirt: PrivateLibvirt) -> None:
        self.folder = folder
        self._libvirt = libvirt
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        for name in ("host", "key", "other"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, timeout=30
            )
        (folder / "server").write_text(_SERVER.format(folder=folder, port=self.port))
        (folder / "config").write_text(_CLIENT.format(folder=folder))
        (folder / "bin").mkdir()
        program = folder / "bin/ssh"
        program.write_text(_SSH.format(folder=folder, ssh=shutil.which("ssh")))
        program.chmod(0o755)
        self.know("host")

    @property
    def url(self) -> str:
        return f"qemu+ssh://root@127.0.0.1:{self.port}/system"

    def know(self, key: str) -> None:
        """Have the client know the server by this key; by none where it is empty."""
        words = (self.folder / f"{key}.pub").read_text().split()[:2] if key else []
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {' '.join(words)}\n" if words else "")

    def start(self) -> None:
        assert self._libvirt.process is not None
        Path("/run/sshd").mkdir(exist_ok=True)
        server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or "sshd"
        with (self.folder / "log").open("ab") as log:
            # where the daemon's own folders are, so that its machine has other files than this one
            self.process = subprocess.Popen(
                [
                    "nsenter",
                    "-t",
                    str(self._libvirt.process.pid),
                    "-m",
                    server,
                    "-D",
                    "-e",
                    "-f",
                    self.folder / "server",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._listens, "sshd to listen")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def signal(self, number: signal.Signals) -> None:
        """To the server and to what serves each connection."""
        assert self.process is not None
        for pid in [*_below(self.process.pid), self.process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        self.process.wait(10)
        self.process = None


def _below(pid: int) -> list[int]:
    """The processes that descend from one, the furthest first."""
    found = []
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [*_below(int(child)), int(child)]
    return found


@pytest.fixture
def far(libvirt: PrivateLibvirt, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateSsh]:
    """The private libvirt as another machine's, reached by ssh."""
    reason = ssh_missing()
    need(not reason, reason)
    folder = Path(tempfile.mkdtemp(prefix="bs-", dir="/tmp"))
    server = PrivateSsh(folder, libvirt)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
