"""A private libvirt daemon with QEMU: own configuration, own domains, ended by its own pid. Needs root and unshare.

The daemon sees folders of its own where the system's have /etc/libvirt, /run/libvirt, /var/lib/libvirt and the like.
Outside of pytest, `python -m tests.engines.libvirt_engine --dir DIR` starts one with a few domains, prints its URI and
stays until SIGTERM or Ctrl-C. Guests are interpreted: no KVM is needed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest

from tests.engines import guests
from tests.engines.docker_engine import mounts_below, wait_until
from tests.engines.private import by_hand, for_session

INSIDE = Path(__file__).parent / "libvirt" / "inside.sh"
_QEMU = """\
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""
_DAEMON = 'auth_unix_rw = "none"\nunix_sock_group = "root"\n'
# Boot sectors. Enables the power button at the chipset's ACPI ports, halts, and powers off when it is pressed
_OBEYS = bytes.fromhex("ba0206b80001effbba0006edf6c4017407ba0406b80020eff4ebed")
_IGNORES = bytes.fromhex("fbf4ebfd")
_SPINS = bytes.fromhex("ebfe")
GUESTS = {"obeys": _OBEYS, "ignores": _IGNORES, "spins": _SPINS, "echoes": guests.ECHOES}
"""What a guest does: powers off on the ACPI button, halts and ignores it, keeps its CPU busy, shows what is typed."""


def libvirt_missing() -> str:
    """Why a private libvirt cannot run here; empty when it can."""
    if os.geteuid() != 0:
        return "a private libvirt needs root: run the suite as root"
    for program in ("libvirtd", "virsh", "qemu-system-x86_64", "unshare"):
        if not shutil.which(program):
            return f"{program} not found: apt-get install libvirt-daemon-system libvirt-clients qemu-system-x86"
    if importlib.util.find_spec("libvirt") is None:
        return "libvirt-python is not installed: boxtop[libvirt], built against the package libvirt-dev"
    return ""


class PrivateLibvirt:
    """One libvirtd with everything it owns below `directory`, whose path must be short (a socket's may have 107)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"qemu+unix:///system?socket={self.directory / 'run/libvirt-sock'}"

    def start(self) -> None:
        """Start the daemon, also again after `kill`, and wait until it answers."""
        for name in ("etc", "run", "disks"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        (self.directory / "etc/qemu.conf").write_text(_QEMU)
        (self.directory / "etc/libvirtd.conf").write_text(_DAEMON)
        daemon = ["/usr/sbin/libvirtd", "-p", f"{self.directory}/libvirtd.pid"]
        with (self.directory / "libvirtd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(INSIDE), str(self.directory), *daemon, "-f", f"{self.directory}/etc/libvirtd.conf"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, "libvirtd to answer", 60)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            tail = (self.directory / "libvirtd.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"libvirtd ended with {self.process.returncode}: {tail}")
        return self._virsh("list").returncode == 0

    def _virsh(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["virsh", "-q", "-c", self.url, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def virsh(self, *arguments: str, check: bool = True) -> str:
        """What virsh prints: the engine asked directly, not through boxtop."""
        done = self._virsh(*arguments)
        if check and done.returncode:
            raise RuntimeError(f"virsh {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def define(self, name: str, guest: str = "obeys", *, start: bool = False, extra: str = "", head: str = "") -> str:
        """Define a domain with a bootable disk; its UUID. `extra` goes to its devices, `head` before them."""
        disk = self.directory / "disks" / f"{len(list((self.directory / 'disks').iterdir()))}.img"
        disk.write_bytes(GUESTS[guest].ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 16))
        xml = f"""<domain type="qemu"><name>{escape(name)}</name>{head}<memory unit="MiB">16</memory><vcpu>1</vcpu>
          <os><type arch="x86_64" machine="pc">hvm</type><boot dev="hd"/></os><features><acpi/></features>
          <devices><emulator>{shutil.which("qemu-system-x86_64")}</emulator>
          <disk type="file" device="disk"><driver name="qemu" type="raw"/><source file={quoteattr(str(disk))}/>
          <target dev="hda" bus="ide"/></disk>{extra}</devices></domain>"""
        file = self.directory / "domain.xml"
        file.write_text(xml)
        self.virsh("define", str(file))
        uuid = self.virsh("domuuid", "--domain", name)
        if start:
            self.virsh("start", "--domain", uuid)
        return uuid

    def state(self, identity: str) -> str:
        """The engine's own word for a domain's state; empty when there is no such domain."""
        return self.virsh("domstate", identity, check=False)

    def wait_booted(self, identity: str) -> None:
        """Wait until the guest's own code runs: one that still starts never hears the power button."""
        wait_until(lambda: self._booted(identity), f"the guest of {identity} to be up", 60)

    def _booted(self, identity: str) -> bool:
        registers = self.virsh("qemu-monitor-command", identity, "--hmp", "info registers", check=False)
        return re.search(r"\b[ER]IP=0{4,12}7[cd]\w\w\b.*\bHLT=1", registers, re.S) is not None

    def disk(self, identity: str) -> Path:
        """The file of the domain's first disk."""
        return Path(self.virsh("domblklist", identity).split()[1])

    def kill(self) -> None:
        """SIGKILL to the daemon: its domains run on."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
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
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process = None

    def clear(self) -> None:
        """End and undefine every domain, and delete its files."""
        for uuid in self.virsh("list", "--all", "--uuid").split():
            self.virsh("destroy", uuid, check=False)
            self.virsh("undefine", uuid, "--managed-save", "--snapshots-metadata", "--nvram", check=False)
        shutil.rmtree(self.directory / "disks", ignore_errors=True)
        (self.directory / "disks").mkdir()

    def clear_pools(self) -> None:
        """Undefine every storage pool; what lies in them stays."""
        for name in self.virsh("pool-list", "--all", "--name").split():
            self.virsh("pool-destroy", name, check=False)
            self.virsh("pool-undefine", name)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
                self.clear()
        self._end(signal.SIGTERM)
        for entry in Path("/proc").iterdir():
            # a domain that outlived a killed daemon
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
                if b"qemu-system" in command and os.fsencode(self.directory) in command:
                    os.kill(int(entry.name), signal.SIGKILL)
        for mount in mounts_below(self.directory):
            subprocess.run(["umount", "-l", mount], capture_output=True, timeout=10, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def libvirt_engine() -> Iterator[PrivateLibvirt]:
    yield from for_session(libvirt_missing(), PrivateLibvirt, "bl-")


@pytest.fixture
def libvirt(libvirt_engine: PrivateLibvirt) -> Iterator[PrivateLibvirt]:
    """The private daemon, emptied after the test, and up again where the test ended it."""
    yield libvirt_engine
    if libvirt_engine.process is None or libvirt_engine.process.poll() is not None:
        libvirt_engine.start()
    libvirt_engine.thaw()
    libvirt_engine.clear()


def _fill(engine: PrivateLibvirt, _: argparse.Namespace) -> str:
    for name, start in (("halting", True), ("off", False)):
        engine.define(name, start=start)
    engine.define("busy", "spins", start=True)
    return f"boxtop --host '{engine.url}'"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.engines.libvirt_engine", description=__doc__)
    by_hand(parser, libvirt_missing(), PrivateLibvirt, "bl-", _fill)


if __name__ == "__main__":
    main()
