"""One run of one program beside one engine: what it costs, and how soon it shows things."""

from __future__ import annotations

import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.accounting import wait_quiet
from tests.bench.emulator import Emulator
from tests.bench.engine import LIVELY, BenchEngine, Call, name_of
from tests.bench.programs import Subject
from tests.bench.terminal import Terminal

_NAME = re.compile(r"bn-\d{3}")


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long each part takes, seconds; how often things are tried."""

    settle: float = 8.0
    idle: float = 30.0
    presses: int = 20
    changes: int = 4
    patience: float = 60.0


QUICK = Lengths(settle=4.0, idle=6.0, presses=6, changes=1, patience=5.0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, bytes and cores; None where it was not seen."""

    program: str
    containers: int
    shown: int
    """Names of containers on the screen."""
    first_paint: float | None
    own_cpu: float
    engine_cpu: float
    """Over the engine's load without a program; below zero is noise."""
    written: float
    """Bytes per second to the terminal."""
    memory: int
    keys: tuple[float, ...]
    changes: tuple[float, ...]
    foreign: float
    """Cores the rest of the machine used before the run: how quiet it was."""
    screen: str


def measure(subject: Subject, engine: BenchEngine, containers: int, baseline: float, lengths: Lengths) -> Figures:
    """Raises RuntimeError when the program ends by itself."""
    foreign = wait_quiet(patience=lengths.patience)
    with tempfile.TemporaryDirectory(prefix="bx-home-") as home:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "DOCKER_HOST": engine.docker.url,
        }
        terminal = Terminal(subject.command, environment | subject.environment, subject.name)
        try:
            return _figures(terminal, subject, engine, containers, baseline, foreign, lengths)
        finally:
            terminal.close()


def _figures(
    terminal: Terminal, subject: Subject, engine: BenchEngine, containers: int, baseline: float, foreign: float,
    lengths: Lengths,
) -> Figures:  # fmt: skip
    # The emulator runs afterwards: it must not take the CPU from a program that starts
    time.sleep(lengths.settle)
    seen: list[tuple[float, int]] = []
    terminal.replay(lambda screen: _note(seen, terminal, screen))
    shown = max((count for _, count in seen), default=0)
    first_paint = next((moment for moment, count in seen if count == shown), None) if shown else None
    if subject.focus:
        terminal.press(subject.focus)
    time.sleep(1)
    _require_alive(terminal, subject)
    own, engine_before, written, began = terminal.group.cpu(), engine.cpu(), terminal.written, time.monotonic()
    time.sleep(lengths.idle)
    elapsed = time.monotonic() - began
    own, caused = terminal.group.cpu() - own, engine.cpu() - engine_before
    written = terminal.written - written
    memory = terminal.group.memory()
    terminal.replay()
    picture = terminal.screen.text
    keys = _key_latency(terminal, lengths.presses)
    changes = _change_latency(terminal, engine, containers, lengths.changes)
    _require_alive(terminal, subject)
    return Figures(
        program=subject.name,
        containers=containers,
        shown=shown,
        first_paint=first_paint,
        own_cpu=own / elapsed,
        engine_cpu=caused / elapsed - baseline,
        written=written / elapsed,
        memory=memory,
        keys=tuple(keys),
        changes=tuple(changes),
        foreign=foreign,
        screen=picture,
    )


def _note(seen: list[tuple[float, int]], terminal: Terminal, screen: Emulator) -> bool:
    seen.append((terminal.moment - terminal.began, len(set(_NAME.findall(screen.text)))))
    return False


def _require_alive(terminal: Terminal, subject: Subject) -> None:
    if not terminal.alive:
        terminal.replay()
        raise RuntimeError(f"{subject.name} ended; its screen:\n{terminal.screen.text}")


def _key_latency(terminal: Terminal, presses: int) -> list[float]:
    """Seconds from a key to the moved cursor bar: half of the presses down, half up."""
    found = []
    for number in range(presses):
        # away from the program's own ticks
        time.sleep(random.uniform(0.3, 0.7))
        terminal.replay()
        before = terminal.screen.bars()
        pressed = terminal.press("Down" if number < presses // 2 else "Up")
        moved = terminal.wait(lambda screen, before=before: screen.bars() != before, 2.0)  # type: ignore[misc]
        if moved is not None:
            found.append(moved - pressed)
    return found


def _change_latency(terminal: Terminal, engine: BenchEngine, containers: int, times: int) -> list[float]:
    """Seconds from the engine's answer to a stop or a start to its showing on the screen."""
    terminal.replay()
    visible = set(_NAME.findall(terminal.screen.text))
    idle = [name_of(index) for index in range(LIVELY + 1, containers + 1) if name_of(index)[:6] in visible]
    found: list[float] = []
    for number in range(times if idle else 0):
        name = idle[number * len(idle) // times]
        for call in (lambda: engine.docker.client.stop(name, timeout=0), lambda: engine.docker.client.start(name)):  # noqa: B023
            latency = _one_change(terminal, name[:6], call)
            if latency is not None:
                found.append(latency)
    return found


def _one_change(terminal: Terminal, name: str, call: Callable[[], object]) -> float | None:
    usual = set()
    deadline = time.monotonic() + random.uniform(1.2, 2.4)
    while time.monotonic() < deadline:
        terminal.replay()
        usual.add(terminal.screen.shape(name))
        time.sleep(0.1)
    under_way = Call(call)
    shown = terminal.wait(lambda screen: screen.shape(name) not in usual, 15.0)
    answered = under_way.join()
    # an event may be drawn before the engine has answered the call
    return None if shown is None else max(0.0, shown - answered)


def median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def percentile_95(values: Sequence[float]) -> float | None:
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else median(values)
