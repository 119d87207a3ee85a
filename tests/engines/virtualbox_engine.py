"""A private VirtualBox: its programs in a root of their own, its machines in a session folder. Needs root and unshare.

Outside of pytest, `python -m tests.engines.virtualbox_engine` starts one, prints BOXTOP_VIRTUALBOX_PYTHON and
BOXTOP_VBOXMANAGE for the shell and stays until SIGTERM or Ctrl-C; `--machines` has one VM in each state in it.

The programs (540 MB) are unpacked once, to $VBOX_TOP, else $BOXTOP_TEST_CACHE/virtualbox, else
~/.cache/boxtop-tests/virtualbox. VMs run without a kernel module: the guest's code is interpreted.
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
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.engines import guests
from tests.engines.private import by_hand, for_session

RECIPES = Path(__file__).parent / "virtualbox"
PROGRAMS = "/usr/lib/virtualbox"
# Boot sector of the guests: finds the power management device's port, then halts, and powers off on the ACPI button.
_OBEYS = bytes.fromhex("fbba0040eda900017407ba0440b80034eff4ebed")
_IGNORES = bytes.fromhex("fbf4ebfd")
_SPINS = bytes.fromhex("ebfe")
GUESTS = {"obeys": _OBEYS, "ignores": _IGNORES, "spins": _SPINS, "echoes": guests.ECHOES}
"""What a guest does: powers off on the ACPI button, halts and ignores it, keeps its CPU busy, shows what is typed."""


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """The first true answer of `condition`, asked often until the deadline."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)
    return answer


def missing() -> str:
    """Why a private VirtualBox cannot run here; empty when it can."""
    if os.geteuid() != 0:
        return "a private VirtualBox needs root: run the suite as root"
    for program in ("apt-get", "dpkg-deb", "unshare", "flock"):
        if not shutil.which(program):
            return f"{program} not found: a private VirtualBox is unpacked from Debian's packages"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, timeout=10, check=False).returncode:
        return "unshare -m is not permitted here"
    return ""


def top() -> Path:
    """The folder of the unpacked programs."""
    if given := os.environ.get("VBOX_TOP"):
        return Path(given)
    cache = os.environ.get("BOXTOP_TEST_CACHE")
    return (Path(cache) if cache else Path.home() / ".cache/boxtop-tests") / "virtualbox"


def install() -> Path:
    """Unpack VirtualBox where it is not yet, and add boxtop's own copy of pyvbox; the private root."""
    subprocess.run([str(RECIPES / "install.sh"), str(top())], check=True, timeout=600, stdout=subprocess.DEVNULL)
    root = top() / "root"
    target = root / "opt/py/virtualbox"
    if not target.exists():
        found = importlib.util.find_spec("virtualbox")
        assert found is not None and found.origin is not None, "pyvbox is not installed"
        partial = target.with_name(f"virtualbox.{os.getpid()}")
        shutil.copytree(Path(found.origin).parent, partial, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            partial.rename(target)
        except OSError:  # another session was first
            shutil.rmtree(partial)
    return root


class PrivateVirtualBox:
    """One VBoxSVC with everything it owns below `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None
        self._root = install()
        self._inside = [str(RECIPES / "inside.sh"), str(self._root), str(directory)]
        for name in ("home", "tmp"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "tmp").chmod(0o1777)
        self._wrapper("vbx", '"$@"')
        self._wrapper("vb", f'{PROGRAMS}/VBoxManage -q "$@"')

    def _wrapper(self, name: str, command: str) -> None:
        script = self.directory / name
        script.write_text(f"#!/bin/sh\nexec {' '.join(self._inside)} {command}\n")
        script.chmod(0o755)

    @property
    def python(self) -> str:
        """Command line of the interpreter that can load the binding."""
        return f"{self.directory / 'vbx'} python3"

    @property
    def vboxmanage(self) -> str:
        """Command line of VBoxManage."""
        return str(self.directory / "vb")

    def environment(self) -> dict[str, str]:
        """What tells boxtop to use this VirtualBox and no other."""
        return {"BOXTOP_VIRTUALBOX_PYTHON": self.python, "BOXTOP_VBOXMANAGE": self.vboxmanage}

    def manage(self, *arguments: str, check: bool = True) -> str:
        """What VBoxManage prints: the engine asked directly, not through boxtop."""
        call = partial(
            subprocess.run,
            [self.vboxmanage, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        try:
            # One in some hundred clients of VBoxSVC 7.2.22 sits out a timeout of 10 s when it connects: ask again.
            done = call(timeout=3 if arguments[0] in {"list", "showvminfo"} else 120)
        except subprocess.TimeoutExpired:
            done = call(timeout=120)
        if check and done.returncode:
            raise RuntimeError(f"VBoxManage {' '.join(arguments)}: {done.stderr or done.stdout}")
        return done.stdout

    def start(self) -> None:
        """Start VBoxSVC, also again after `kill`, and wait until it answers."""
        with (self.directory / "svc.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self._inside, f"{PROGRAMS}/VBoxSVC"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: self.manage("list", "vms", check=False) is not None and self._answers(), "VBoxSVC to answer")
        self.manage("setextradata", "global", "VBoxInternal/HM/FallbackToIEM", "1")
        for name, code in GUESTS.items():
            disk = self.directory / "home" / f"{name}.vdi"
            if not disk.exists():
                raw = disk.with_suffix(".img")
                raw.write_bytes((code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
                self.manage("convertfromraw", f"/root/{name}.img", f"/root/{name}.vdi", "--format", "VDI")

    def _answers(self) -> bool:
        return "API version" in self.manage("list", "systemproperties", check=False)

    def services(self) -> list[int]:
        """Pids of this session's VBoxSVC processes, however they were started."""
        return [pid for pid, command in self._processes() if command.startswith(f"{PROGRAMS}/VBoxSVC")]

    def kill(self) -> None:
        """SIGKILL to VBoxSVC, also to one that a client has just started anew."""

        def gone() -> bool:
            services = self.services()
            for pid in services:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not services

        gone()
        if self.process is not None:
            self.process.wait(10)
            self.process = None
        wait_until(gone, "VBoxSVC to be gone")

    def stop(self) -> None:
        """End VBoxSVC and all VMs of this session, and remove what it put on this machine."""
        for pid, _command in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)
            self.process = None
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not self._processes(), "this session's processes to be gone", 10)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _processes(self) -> list[tuple[int, str]]:
        """(pid, command line) of every process that sees this session's home mounted."""
        home = f"{self.directory}/home"
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdecimal() and int(process.name) != os.getpid():
                with contextlib.suppress(OSError):
                    if any(_mounted(line, home) for line in (process / "mountinfo").read_text().splitlines()):
                        command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                        found.append((int(process.name), command))
        return found

    def machines(self) -> dict[str, str]:
        """UUIDs of the registered VMs by name."""
        listed = self.manage("list", "vms").splitlines()
        return {line.rpartition(" ")[0][1:-1]: line.rpartition(" ")[2][1:-1] for line in listed if line}

    def info(self, machine: str) -> dict[str, str]:
        """What `showvminfo --machinereadable` says."""
        pairs = re.findall(
            r'^"?([^"=\n]+)"?=(.*)$', self.manage("showvminfo", machine, "--machinereadable", check=False), re.M
        )
        return {key: value.strip('"') for key, value in pairs}

    def state(self, machine: str) -> str:
        """VBoxManage's word for the state, e.g. `poweroff`, `running`, `saved`."""
        return self.info(machine).get("VMState", "")

    def wait_state(self, machine: str, *states: str) -> None:
        wait_until(lambda: self.state(machine) in states, f"{machine} to be {' or '.join(states)}")

    def pid(self, machine: str) -> int:
        """The pid of a running VM's own process."""
        uuid = self.info(machine)["UUID"]
        return next(pid for pid, line in self._processes() if uuid in line and "VBoxHeadless" in line)

    def create(self, name: str, *, guest: str = "obeys", memory: int = 32, disk: bool = True) -> str:
        """Register a VM with a small disk of its own; its UUID."""
        made = self.manage("createvm", f"--name={name}", "--ostype=Other", "--register")
        uuid = re.search(r"UUID: ([0-9a-f-]{36})", made)
        assert uuid is not None, made
        machine = uuid.group(1)
        self.manage(
            *("modifyvm", machine, f"--memory={memory}", "--cpus=1", "--vram=9", "--graphicscontroller=vmsvga"),
            *("--audio-enabled=off", "--nic1=none", "--boot1=disk", "--boot2=none", "--boot3=none", "--boot4=none"),
            *("--firmware-logo-fade-in=off", "--firmware-logo-fade-out=off", "--firmware-logo-display-time=0"),
            "--firmware-boot-menu=disabled",
        )
        if disk:
            self.manage("storagectl", machine, "--name=SATA", "--add=sata", "--portcount=4")
            medium = f"/root/{machine}.vdi"
            self.manage("clonemedium", "disk", f"/root/{guest}.vdi", medium)
            self.attach(machine, medium)
        return machine

    def attach(self, machine: str, medium: str, port: int = 0) -> None:
        self.manage(
            *("storageattach", machine, "--storagectl=SATA", f"--port={port}", "--device=0", "--type=hdd"),
            f"--medium={medium}",
        )

    def disk(self, machine: str) -> Path:
        """Where a VM's own disk lies on this machine."""
        return self.directory / "home" / f"{machine}.vdi"

    def run(self, machine: str) -> None:
        """Start a VM that has a disk and wait until its guest is up."""
        self.manage("startvm", machine, "--type=headless")
        self.wait_state(machine, "running")
        self.wait_booted(machine)

    def wait_booted(self, machine: str) -> None:
        """Wait until the guest's own code runs. One saved or told to stop before never hears the power button."""
        wait_until(lambda: self._booted(machine), f"the guest of {machine} to be up")

    def _booted(self, machine: str) -> bool:
        registers = self.manage("debugvm", machine, "getregisters", "rip", "cs", check=False)
        return re.search(r"rip = 0x0{12}7[cd]\w\w\s+cs = 0x0000", registers) is not None

    def clear(self) -> None:
        """Power off and unregister every VM, with its files."""
        wait_until(self._unregistered, "every VM to be gone")
        home = self.directory / "home"
        guests = {f"/root/{name}.vdi" for name in GUESTS}
        media = re.findall(r"^Location: +(.+)$", self.manage("list", "hdds"), re.M)
        # Children are listed after their parents, and go first.
        for medium in reversed(media):
            if medium not in guests:
                self.manage("closemedium", "disk", medium, check=False)
        shutil.rmtree(home / "VirtualBox VMs", ignore_errors=True)
        for path in home.glob("*.vdi"):
            if path.stem not in GUESTS:
                path.unlink()

    def _unregistered(self) -> bool:
        machines = self.machines()
        live = self.manage("list", "runningvms") if machines else ""
        for machine in machines.values():
            if machine in live:
                self.manage("controlvm", machine, "poweroff", check=False)
            self.manage("unregistervm", machine, "--delete", check=False)
        return not machines

    def one_of_each(self) -> dict[str, str]:
        """UUIDs of VMs off, running, paused and saved, by those names."""
        made = {name: self.create(name) for name in ("off", "running", "paused", "saved")}
        for name in ("running", "paused", "saved"):
            self.run(made[name])
        self.manage("controlvm", made["paused"], "pause")
        self.manage("controlvm", made["saved"], "savestate")
        self.wait_state(made["saved"], "saved")
        return made


def _mounted(line: str, home: str) -> bool:
    # mountinfo(5): the fourth field is the mounted folder within its file system, the fifth where it is mounted
    fields = line.split(" ")
    return len(fields) > 4 and fields[4] == "/root" and fields[3].endswith("/home") and home.endswith(fields[3])


@pytest.fixture(scope="session")
def virtualbox_engine() -> Iterator[PrivateVirtualBox]:
    """A private VirtualBox for the whole run."""
    yield from for_session(missing(), PrivateVirtualBox, "bt-vbox-")


@pytest.fixture
def virtualbox(virtualbox_engine: PrivateVirtualBox) -> Iterator[PrivateVirtualBox]:
    """The private VirtualBox, without machines, running."""
    if not virtualbox_engine.services():
        virtualbox_engine.start()
    virtualbox_engine.clear()
    yield virtualbox_engine


def _fill(engine: PrivateVirtualBox, arguments: argparse.Namespace) -> str:
    if arguments.machines:
        engine.one_of_each()
    return "\n".join(f"export {name}='{value}'" for name, value in engine.environment().items())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.engines.virtualbox_engine", description=__doc__)
    parser.add_argument("--machines", action="store_true", help="have VMs off, running, paused and saved in it")
    by_hand(parser, missing(), PrivateVirtualBox, "bt-vbox-", _fill)


if __name__ == "__main__":
    main()
