"""Many VMs: what 40 registered in VirtualBox and 100 simulated by libvirt cost, and how soon a change is shown."""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.accounting import cpu_of, wait_quiet
from tests.bench.emulator import Emulator
from tests.bench.engine import Call
from tests.bench.measure import Lengths
from tests.bench.programs import Subject
from tests.bench.terminal import Terminal
from tests.engines.simulated_domains import write
from tests.engines.virtualbox_engine import PrivateVirtualBox, missing

MACHINES, WITH_DISKS, RUNNING = 40, 8, 4
DOMAINS = 100
SETUPS = (("VirtualBox",), ("libvirt",), ("VirtualBox", "libvirt"))
_COUNTS = re.compile(r"(\d+) of (\d+) running")
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class VmFigures:
    """Seconds, bytes and cores; None where it was not seen."""

    engines: tuple[str, ...]
    listed: float | None
    """From the program's start to the first moment at which all VMs are counted."""
    own_cpu: float
    """Of boxtop and every process it started."""
    service_cpu: float
    """Of VBoxSVC, over its load without a program."""
    written: float
    memory: int
    changes: tuple[tuple[str, float | None], ...]
    """(VBoxManage's command, seconds from its end to its effect on the screen)."""
    foreign: float


def vms_missing() -> str:
    """Why many VMs cannot be measured here; empty when they can."""
    if importlib.util.find_spec("libvirt") is None:
        return "libvirt-python is not installed"
    return missing()


class VmEngines:
    """A VirtualBox of MACHINES VMs, RUNNING of which run, two of these busy; and the address of DOMAINS domains."""

    def __init__(self, directory: Path) -> None:
        """`directory`: its name is like that of no other VirtualBox here, which would be ended with this one."""
        self.box = PrivateVirtualBox(directory)
        self.domains = write(directory / "domains.xml", DOMAINS)

    def start(self) -> None:
        self.box.start()
        for number in range(1, MACHINES + 1):
            if number <= WITH_DISKS:
                machine = self.box.create(f"vm-{number:02}", guest="spins" if number <= 2 else "ignores")
            else:
                group = "web" if number % 2 else "db"
                self.box.manage(
                    *("createvm", f"--name=vm-{number:02}", "--ostype=Debian_64", f"--groups=/{group}", "--register")
                )
            if number <= RUNNING:
                self.box.manage("modifyvm", machine, "--nic1=nat")
                self.box.run(machine)
        self.box.manage("snapshot", f"vm-{WITH_DISKS:02}", "take", "first")

    def urls(self, engines: Sequence[str]) -> list[str]:
        return ["virtualbox://" if engine == "VirtualBox" else self.domains for engine in engines]

    def service_cpu(self) -> float:
        """CPU seconds VBoxSVC has used so far."""
        return sum(cpu_of(pid) for pid in self.box.services())

    def load(self, seconds: float) -> float:
        """Cores VBoxSVC uses over so many seconds."""
        before, began = self.service_cpu(), time.monotonic()
        time.sleep(seconds)
        return (self.service_cpu() - before) / (time.monotonic() - began)

    def stop(self) -> None:
        self.box.stop()


def measure_vms(subject: Subject, engines: VmEngines, runs: int, lengths: Lengths) -> list[VmFigures]:
    found = []
    wait_quiet(patience=lengths.patience)
    baseline = engines.load(lengths.idle)
    for _ in range(runs):
        for setup in SETUPS:
            foreign = wait_quiet(patience=lengths.patience)
            found.append(_measure(subject, engines, setup, (baseline, foreign), lengths))
    return found


def _measure(
    subject: Subject, engines: VmEngines, setup: tuple[str, ...], before: tuple[float, float], lengths: Lengths
) -> VmFigures:
    with tempfile.TemporaryDirectory(prefix="bx-home-") as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment |= {"LANG": "C.UTF-8"} | engines.box.environment()
        hosts = [argument for url in engines.urls(setup) for argument in ("--host", url)]
        terminal = Terminal([*subject.command, *hosts], environment, "vms")
        try:
            return _figures(terminal, engines, setup, before, lengths)
        finally:
            terminal.close()


def _figures(
    terminal: Terminal, engines: VmEngines, setup: tuple[str, ...], before: tuple[float, float], lengths: Lengths
) -> VmFigures:
    running = RUNNING * ("VirtualBox" in setup) + DOMAINS * ("libvirt" in setup)
    total = MACHINES * ("VirtualBox" in setup) + DOMAINS * ("libvirt" in setup)
    time.sleep(lengths.settle)
    shown = terminal.replay(lambda screen: (running, total) in counts(screen))
    shown = shown or terminal.wait(lambda screen: (running, total) in counts(screen), _PATIENCE)
    time.sleep(lengths.settle)
    own, service, written, began = terminal.group.cpu(), engines.service_cpu(), terminal.written, time.monotonic()
    time.sleep(lengths.idle)
    elapsed = time.monotonic() - began
    own, service = terminal.group.cpu() - own, engines.service_cpu() - service
    written = terminal.written - written
    memory = terminal.group.memory()
    terminal.replay()
    if not terminal.alive:
        raise RuntimeError(f"boxtop ended; its screen:\n{terminal.screen.text}")
    return VmFigures(
        engines=setup,
        listed=None if shown is None else shown - terminal.began,
        own_cpu=own / elapsed,
        service_cpu=service / elapsed - before[0],
        written=written / elapsed,
        memory=memory,
        changes=tuple(_changes(terminal, engines.box, running, total)) if "VirtualBox" in setup else (),
        foreign=before[1],
    )


def counts(screen: Emulator) -> set[tuple[int, int]]:
    """(running, all) of each list that says so."""
    return {(int(found[1]), int(found[2])) for found in _COUNTS.finditer(screen.text)}


def _changes(terminal: Terminal, box: PrivateVirtualBox, running: int, total: int) -> list[tuple[str, float | None]]:
    """Each change by VBoxManage, one after the other; at the end all is as it was."""
    name = f"vm-{RUNNING + 1:02}"
    # Else a renamed one is out of sight, as those that run come first
    for key in ("/", "vm-", "Enter"):
        terminal.press(key)
        time.sleep(0.5)
    steps: list[tuple[str, tuple[str, ...], Callable[[Emulator], bool]]] = [
        ("startvm", (name, "--type=headless"), lambda screen: (running + 1, total) in counts(screen)),
        ("controlvm pause", (name,), lambda screen: (running, total) in counts(screen)),
        ("controlvm resume", (name,), lambda screen: (running + 1, total) in counts(screen)),
        ("controlvm poweroff", (name,), lambda screen: (running, total) in counts(screen)),
        ("modifyvm", (name, "--name=vm-00-renamed"), lambda screen: "vm-00-renamed" in screen.text),
        ("modifyvm", ("vm-00-renamed", f"--name={name}"), lambda screen: "vm-00-renamed" not in screen.text),
        ("createvm", ("--name=vm-99", "--register"), lambda screen: (running, total + 1) in counts(screen)),
        ("unregistervm", ("vm-99", "--delete"), lambda screen: (running, total) in counts(screen)),
    ]
    found = []
    for command, arguments, see in steps:
        words = command.split()
        call = Call(box.manage, words[0], *arguments[:1], *words[1:], *arguments[1:])
        shown = terminal.wait(see, _PATIENCE)
        answered = call.join()
        found.append((command, None if shown is None else max(0.0, shown - answered)))
        time.sleep(1)
        terminal.replay()
    return found
