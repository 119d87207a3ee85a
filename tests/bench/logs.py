"""Logs under load: how soon the last line of a flood is on the screen, what it takes, and how keys fare meanwhile."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tests.bench.emulator import Emulator
from tests.bench.programs import Subject
from tests.bench.terminal import Terminal
from tests.engines.docker_engine import PrivateDocker, wait_until

LINES = 200_000
SOURCES, RATE, SECONDS = 10, 10_000, 8
TEXT = "a line of a log of usual length, GET /index.html 200 0.003"
_READY = "ready"
_TIMES = re.compile(rb"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ")
_CALM = 0.35


@dataclass(frozen=True, slots=True)
class LogFigures:
    """Seconds and bytes; None where it was not seen."""

    burst: float | None
    """From the engine's stamp of a burst's last line to its showing."""
    memory: int
    """PSS more than before the burst."""
    merged: float | None
    """As `burst`, with all sources writing at their rates, merged."""
    keys: tuple[float, ...]
    """From a key to its effect while they write."""


def script(work: str, last: str) -> list[str]:
    """Does `work` when it is sent SIGUSR1, then writes the line `last`."""
    wait = "go=; trap 'go=1' USR1; trap 'exit 0' TERM; echo ready; while [ -z \"$go\" ]; do sleep 1000 & wait; done"
    stay = "while :; do sleep 1000 & wait; done"
    return ["sh", "-c", f"{wait}; {work}; echo {last}; {stay}"]


def burst(lines: int = LINES) -> str:
    return f"yes '{TEXT}' | head -n {lines}"


def steady(rate: int = RATE, seconds: int = SECONDS) -> str:
    return f"k=0; while [ $k -lt {seconds * 5} ]; do yes '{TEXT}' | head -n {rate // 5}; sleep 0.2; k=$((k+1)); done"


def stamp_of_last(docker: PrivateDocker, container: str) -> float:
    """Unix time at which the engine took the container's last line in."""
    line = docker.client.logs(container, tail=1, timestamps=True).decode()
    return datetime.fromisoformat(line.split()[0][:26] + "+00:00").timestamp()


def measure_logs(subject: Subject, docker: PrivateDocker) -> LogFigures:
    docker.clear()
    with tempfile.TemporaryDirectory(prefix="bx-home-") as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment |= {"LANG": "C.UTF-8", "DOCKER_HOST": docker.url}
        first, memory = _burst(subject, environment, docker)
        docker.clear()
        merged, keys = _merged(subject, environment, docker)
    docker.clear()
    return LogFigures(first, memory, merged, tuple(keys))


def _burst(subject: Subject, environment: dict[str, str], docker: PrivateDocker) -> tuple[float | None, int]:
    box = docker.run("flood", script(burst(), "LAST-LINE"))
    terminal = Terminal(subject.command, environment, "logs")
    try:
        _open(terminal, "flood", "l")
        time.sleep(2)
        before = terminal.group.memory()
        docker.client.kill(box, "SIGUSR1")
        shown = terminal.wait(lambda screen: "LAST-LINE" in screen.text, 60)
        late = None if shown is None else _wall(shown) - stamp_of_last(docker, box)
        time.sleep(1)
        return late, terminal.group.memory() - before
    finally:
        terminal.close()


def _merged(subject: Subject, environment: dict[str, str], docker: PrivateDocker) -> tuple[float | None, list[float]]:
    names = [f"source-{number}" for number in range(SOURCES)]
    boxes = [docker.run(name, script(steady(), f"LAST-{name}")) for name in names]
    terminal = Terminal(subject.command, environment, "logs")
    try:
        _open(terminal, names[-1], "*", "l")
        for box in boxes:
            docker.client.kill(box, "SIGUSR1")
        keys = []
        end = time.monotonic() + SECONDS - 1
        while time.monotonic() < end:
            # The emulator is too slow for a flood: the times' coming is looked for in what is written
            keys.append(_show_times(terminal))
            time.sleep(_CALM)
            terminal.press("t")
            time.sleep(_CALM)
        wait_until(lambda: all(b"LAST" in docker.client.logs(box, tail=1) for box in boxes), "all sources to end", 120)
        latest = max((stamp_of_last(docker, box), name) for box, name in zip(boxes, names, strict=True))
        shown = terminal.wait(lambda screen: f"LAST-{latest[1]}" in screen.text, 60)
        return (None if shown is None else _wall(shown) - latest[0]), [key for key in keys if key is not None]
    finally:
        terminal.close()


def _open(terminal: Terminal, name: str, *keys: str) -> None:
    """Wait for the list and open the log view with these keys."""
    _see(terminal, lambda screen: name in screen.text)
    for key in keys:
        time.sleep(0.5)
        terminal.press(key)
    _see(terminal, lambda screen: "following" in screen.text and _READY in screen.text)


def _see(terminal: Terminal, see: Callable[[Emulator], bool]) -> None:
    if terminal.wait(see, 30) is None:
        raise RuntimeError(f"not seen; the screen:\n{terminal.screen.text}")


def _show_times(terminal: Terminal) -> float | None:
    """Seconds from the key to the first lines with their times."""
    pressed = terminal.press("t")
    seen = terminal.wait_bytes(_TIMES, pressed, 5)
    return None if seen is None else seen - pressed


def _wall(moment: float) -> float:
    return moment - time.monotonic() + time.time()
