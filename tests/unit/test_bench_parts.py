"""The benchmark's own parts: bytes cut anywhere give the same screen, and the table tells budgets met from missed."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.bench.emulator import Emulator
from tests.bench.measure import Figures
from tests.bench.report import table, vm_table
from tests.bench.vms import VmFigures

STREAM = (
    "\x1b[?1049h\x1b[H\x1b[2J\x1b]0;a title\x07\x1b[?2026$p\x1b[>1u\x1b[1;1H┌ bn-001-web ┐"
    "\x1b[2;3H\x1b[7mbar\x1b[0m\x1b[3;1H数据 \x1bP+q544e\x1b\\\x1b[38;2;1;2;3m●\x1b[0m done"
).encode()


def test_a_stream_cut_anywhere_gives_the_same_screen() -> None:
    whole = Emulator(40, 5)
    whole.feed(STREAM)
    assert whole.lines[0].startswith("┌ bn-001-web ┐")
    assert "● done" in whole.lines[2]
    chance = random.Random(1)
    for _ in range(50):
        parts, rest = Emulator(40, 5), STREAM
        while rest:
            cut = chance.randint(1, 9)
            parts.feed(rest[:cut])
            rest = rest[cut:]
        assert parts.text == whole.text
        assert parts.bars() == whole.bars()


def test_a_row_keeps_its_shape_while_only_its_figures_move() -> None:
    screen = Emulator(60, 3)
    screen.feed(b"\x1b[1;1H* bn-001-web  Up 3s  2.1% 84M")
    shape = screen.shape("bn-001")
    screen.feed(b"\x1b[1;1H* bn-001-web  Up 4s 12.4% 1.2G")
    assert screen.shape("bn-001") == shape
    screen.feed(b"\x1b[1;1H\x1b[31m*\x1b[0m bn-001-web  Exited            ")
    assert screen.shape("bn-001") != shape
    assert screen.shape("bn-002") is None


def figures(program: str, containers: int, own_cpu: float) -> Figures:
    return Figures(program, containers, 10, 0.5, own_cpu, 0.001, 1000.0, 60_000_000, (0.004, 0.006), (), 0.1, "")


def test_the_table_says_which_budgets_are_met() -> None:
    runs = [figures("boxtop", 10, 0.01), figures("boxtop", 200, 0.06), figures("lazydocker", 10, 0.02)]
    lines = table(runs, ["boxtop", "lazydocker"], [10, 50, 200]).splitlines()
    own = [line for line in lines if line.startswith("| own CPU")]
    assert own[0].endswith("| 10 | 1.0 | 2.0 | ≤ 2 | met |")
    assert own[1].endswith("| 50 | – | – |  |  |")
    assert own[2].endswith("| 200 | 6.0 | – | ≤ 4 | over by 2.0 % of a core |")
    assert any("outside change" in line and line.endswith("not seen |") for line in lines)


def test_a_change_of_a_vm_that_was_never_shown_is_no_budget_met() -> None:
    changes = (("startvm", 0.1), ("createvm", 0.3))
    run = VmFigures(("VirtualBox",), 1.5, 0.011, 0.035, 300.0, 60_000_000, changes, 0.1)
    lines = vm_table([run]).splitlines()
    assert lines[0].startswith("| figure | 40 in VirtualBox | budget |")
    assert next(line for line in lines if "own CPU" in line).endswith("| 1.1 | ≤ 4 | met |")
    assert next(line for line in lines if "VBoxSVC" in line).endswith("| 3.5 | ≤ 3 | over by 0.5 % of a core |")
    assert next(line for line in lines if "slowest" in line).endswith("| 0.30 | ≤ 2 | met |")
    missed = vm_table([replace(run, changes=(*changes, ("modifyvm", None)))]).splitlines()
    assert next(line for line in missed if "slowest" in line).endswith("| – | ≤ 2 | not seen |")
