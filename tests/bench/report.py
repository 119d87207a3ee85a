"""The table: every figure of each program beside the budget of boxtop."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.bench.engine import LIVELY
from tests.bench.logs import LINES, RATE, SOURCES, LogFigures
from tests.bench.measure import Figures, median, percentile_95
from tests.bench.vms import DOMAINS, MACHINES, RUNNING, SETUPS, VmFigures

Several = Sequence[Figures]
_NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: how it is had from the runs, its unit, and boxtop's budget at 10 and at 200 containers."""

    label: str
    unit: str
    budgets: tuple[float, float]
    value: Callable[[Several], float | None]
    digits: int = 1

    def budget(self, containers: int) -> float | None:
        return {10: self.budgets[0], 200: self.budgets[1]}.get(containers)


def _median_of(take: Callable[[Figures], float | None]) -> Callable[[Several], float | None]:
    return lambda runs: median([value for run in runs if (value := take(run)) is not None])


ROWS = (
    Row("own CPU, idle screen, live usage on", "% of a core", (2, 4), _median_of(lambda run: run.own_cpu * 100)),
    Row("engine CPU it causes, over baseline", "% of a core", (0.3, 0.5), _median_of(lambda run: run.engine_cpu * 100)),
    Row("written to the terminal, idle", "KB/s", (1.5, 5), _median_of(lambda run: run.written / 1000)),
    Row("first full paint", "s", (0.6, 0.8), _median_of(lambda run: run.first_paint), 2),
    Row("memory (PSS)", "MB", (70, 85), _median_of(lambda run: run.memory / 1e6), 0),
    Row("outside change to screen, median", "ms", (100, 150), lambda runs: _pooled(runs, median, "changes"), 0),
    Row("key to screen, median", "ms", (10, 12), lambda runs: _pooled(runs, median, "keys")),
    Row("key to screen, 95th percentile", "ms", (30, 40), lambda runs: _pooled(runs, percentile_95, "keys")),
)


def _pooled(runs: Several, of: Callable[[Sequence[float]], float | None], what: str) -> float | None:
    value = of([sample for run in runs for sample in getattr(run, what)])
    return None if value is None else value * 1000


def table(runs: Sequence[Figures], names: Sequence[str], counts: Sequence[int]) -> str:
    """Markdown: a line for each figure and count, a column for each program, boxtop's budget and its verdict."""
    head = ["figure", "containers", *names, "budget", "boxtop against it"]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in ROWS:
        for count in counts:
            values = {
                name: row.value([run for run in runs if (run.program, run.containers) == (name, count)])
                for name in names
            }
            budget = row.budget(count)
            lines.append(
                _line(
                    [
                        f"{row.label}, {row.unit}",
                        str(count),
                        *(_shown(values[name], row.digits) for name in names),
                        f"≤ {budget:g}" if budget is not None else "",
                        _verdict(values["boxtop"], budget, row) if "boxtop" in values else "",
                    ]
                )
            )
    return "\n".join(lines) + "\n"


def log_table(figures: LogFigures) -> str:
    """Markdown: what floods of log lines do to boxtop, beside its budgets."""
    burst = f"{LINES:,} lines at once"
    merged = f"{SOURCES} logs merged, {RATE:,} lines/s each"
    shown: list[tuple[str, str, float | None, float]] = [
        (f"{burst}: the last one on the screen, after the engine took it in", "s", figures.burst, 1),
        (f"{burst}: memory (PSS) more", "MB", figures.memory / 1e6, 20),
        (f"{merged}: the last one on the screen", "s", figures.merged, 1),
        (f"{merged}: key to screen, median", "ms", _thousandfold(median(figures.keys)), 50),
        (f"{merged}: key to screen, 95th percentile", "ms", _thousandfold(percentile_95(figures.keys)), 100),
    ]
    lines = [_line(["figure", "boxtop", "budget", "against it"]), _line(["---"] * 4)]
    for label, unit, value, budget in shown:
        row = Row(label, unit, (budget, budget), lambda _: None, 2 if unit == "s" else 0)
        cells = [f"{label}, {unit}", _shown(value, row.digits), f"≤ {budget:g}", _verdict(value, budget, row)]
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def vm_table(runs: Sequence[VmFigures]) -> str:
    """Markdown: what many VMs cost boxtop and VirtualBox's service, medians of the runs, beside the budgets."""
    setups = [setup for setup in SETUPS if any(run.engines == setup for run in runs)]
    lines = [_line(["figure", *(_vms_of(setup) for setup in setups), "budget", "against it"])]
    lines.append(_line(["---"] * (len(setups) + 3)))
    for label, unit, digits, budget, take in _VM_ROWS:
        values = [median([value for run in runs if run.engines == setup for value in take(run)]) for setup in setups]
        worst = max((value for value in values if value is not None), default=None)
        row = Row(label, unit, (0, 0), lambda _: None, digits)
        cells = [_shown(value, digits) for value in values]
        allowed = f"≤ {budget:g}" if budget is not None else ""
        lines.append(_line([f"{label}, {unit}", *cells, allowed, _verdict(worst, budget, row)]))
    return "\n".join(lines) + "\n"


def _seen(run: VmFigures) -> list[tuple[str, float]]:
    return [(what, _NEVER if late is None else late) for what, late in run.changes]


def _vms_of(setup: Sequence[str]) -> str:
    return " + ".join(f"{MACHINES if engine == 'VirtualBox' else DOMAINS} in {engine}" for engine in setup)


_VmRow = tuple[str, str, int, float | None, Callable[[VmFigures], list[float]]]
_VM_ROWS: tuple[_VmRow, ...] = (
    ("VMs: own CPU, idle screen, live usage on", "% of a core", 1, 4, lambda run: [run.own_cpu * 100]),
    ("VMs: VBoxSVC's CPU, over baseline", "% of a core", 1, 3, lambda run: [run.service_cpu * 100]),
    ("VMs: written to the terminal, idle", "KB/s", 1, None, lambda run: [run.written / 1000]),
    ("VMs: memory (PSS), helper included", "MB", 0, None, lambda run: [run.memory / 1e6]),
    ("VMs: start to all of them listed", "s", 2, None, lambda run: [run.listed or _NEVER]),
    ("VMs: outside change to screen, median", "s", 2, None, lambda run: [late for _, late in _seen(run)]),
    (
        "VMs: outside change to screen, slowest",
        "s",
        2,
        2,
        lambda run: [max(late for _, late in _seen(run))] if run.changes else [],
    ),
)


def _thousandfold(value: float | None) -> float | None:
    return None if value is None else value * 1000


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: float | None, digits: int) -> str:
    return "–" if value is None or value == _NEVER else f"{value:.{digits}f}"


def _verdict(value: float | None, budget: float | None, row: Row) -> str:
    if budget is None:
        return ""
    if value is None or value == _NEVER:
        return "not seen"
    return "met" if value <= budget else f"over by {value - budget:.{row.digits or 1}f} {row.unit}"


def document(
    runs: Sequence[Figures],
    programs: Sequence[tuple[str, str]],
    counts: Sequence[int],
    engine: str,
    notes: Sequence[str],
    more: str = "",
) -> str:
    """The whole of docs/benchmarks.md. `programs` are (name, version); `more` are further tables."""
    quiet = median([run.foreign for run in runs]) or 0.0
    names = [name for name, _ in programs]
    versions = ", ".join(f"{name} {number}".strip() for name, number in programs)
    remarks = "".join(f"- {note}\n" for note in notes)
    return f"""\
# Benchmarks

Written by `make bench` on {time.strftime("%Y-%m-%d", time.gmtime())}.

- Machine: {_machine()}
- Programs: {versions}; Python {platform.python_version()}, Textual {version("textual")}, Docker {engine}
- Runs: {max(_repeats(runs), default=0)} of each program with each number of containers, in turn; medians.
  The rest of the machine used {quiet:.2f} cores before a run.
{remarks}
{table(runs, names, counts)}{more}
How it is measured: a private Docker engine, its containers without a network, {LIVELY} of them with a little load;
a terminal of 160x48. CPU is counted by a cgroup v2 leaf, the engine's from dockerd, its containerd and its shims, less
what they use with no program watching: below zero is noise. First full paint: from the program's start to the first
moment all names are shown that its screen holds. A change is a stop or a start by the engine's API, from its answer to
the change of the row. A key is the cursor's, to the moved bar; in logs the one that shows or hides the lines' times.
VMs: {RUNNING} of VirtualBox's run, without a kernel module, 2 of them busy; libvirt's are those of its test driver, all
running. boxtop's CPU and memory are those of every process it started. A change is VBoxManage's, from its end to the
screen.
"""


def _repeats(runs: Sequence[Figures]) -> list[int]:
    keys = [(run.program, run.containers) for run in runs]
    return [keys.count(key) for key in set(keys)]


def _machine() -> str:
    processor, cores, memory = "unknown processor", 0, ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            cores += 1
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal"):
            memory = f"{int(line.split()[1]) / 1024**2:.0f} GiB"
    return f"{cores or 1} cores of {processor}, {memory}, {platform.system()} {platform.release()}"
