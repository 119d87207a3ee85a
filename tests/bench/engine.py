"""A private Docker engine with a known number of containers, and what it costs."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.accounting import cpu_of
from tests.engines.docker_engine import IDLE, PrivateDocker, wait_until

# a little load and a line of log each second, so that figures on the screen move
_LIVELY = [
    "sh",
    "-c",
    "i=0; while :; do j=0; while [ $j -lt 6000 ]; do j=$((j+1)); done; i=$((i+1)); echo tick $i; sleep 1; done",
]
LIVELY = 5
"""So many of the containers do something."""


def name_of(index: int) -> str:
    return f"bn-{index:03}-web"


class BenchEngine:
    """Containers bn-001-web to bn-N-web, all running, the first LIVELY of them with some load."""

    def __init__(self, directory: Path) -> None:
        self.docker = PrivateDocker(directory)
        self._mark = os.fsencode(directory / "exec")

    def start(self) -> None:
        self.docker.start()
        self.docker.ensure_image()

    def have(self, count: int) -> None:
        """Exactly `count` containers, all running."""
        wanted = {name_of(index): index for index in range(1, count + 1)}
        found = {entry["Names"][0].lstrip("/"): entry for entry in self.docker.client.containers(all=True)}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.docker.remove, [name for name in found if name not in wanted]))
            list(pool.map(self._run, [index for name, index in wanted.items() if name not in found]))
        for name, entry in found.items():
            if name in wanted and entry["State"] != "running":
                self.docker.client.start(name)
        wait_until(lambda: len(self.docker.client.containers()) == count, f"{count} containers to run", 120)

    def _run(self, index: int) -> None:
        self.docker.run(name_of(index), _LIVELY if index <= LIVELY else IDLE)

    def cpu(self) -> float:
        """CPU seconds dockerd, its containerd and its shims have used so far."""
        return sum(cpu_of(pid) for pid in self._processes())

    def _processes(self) -> list[int]:
        assert self.docker.process is not None
        pids = [self.docker.process.pid]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if command.split(b"\0")[0].rpartition(b"/")[2].startswith(b"containerd") and self._mark in command:
                    pids.append(int(entry.name))
        return pids

    def load(self, seconds: float) -> float:
        """Cores it uses over so many seconds."""
        before, began = self.cpu(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu() - before) / (time.monotonic() - began)

    def stop(self) -> None:
        self.docker.stop()


class Call:
    """An engine call in a thread; `ended` is the moment the engine answered."""

    def __init__(self, function: object, *arguments: object, **options: object) -> None:
        assert callable(function)
        self.ended = 0.0

        def run() -> None:
            function(*arguments, **options)
            self.ended = time.monotonic()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def join(self) -> float:
        self._thread.join(60)
        return self.ended
