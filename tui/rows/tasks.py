"""Background tasks as rows, as lines beside them, and as the few words in the top line: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backends.progress import Part as WorkPart
from backends.progress import Progress
from tui.formats import duration, percent, size
from tui.tasks import Task, TaskState
from widgets.charts import meter
from widgets.glyphs import Glyphs
from widgets.line import Part
from widgets.table import Cell, Column, Row
from widgets.tones import Tone

COLUMNS = (
    Column("state", "STATE", 9),
    Column("task", "TASK", 28, flex=3),
    Column("engine", "ENGINE", 10, priority=4),
    Column("progress", "PROGRESS", 15, flex=2, priority=1),
    Column("amount", "DONE", 11, align="right", priority=3),
    Column("elapsed", "TIME", 7, align="right", priority=2),
)
_TONES: Mapping[TaskState, Tone] = {
    TaskState.WAITING: "dim",
    TaskState.RUNNING: "accent",
    TaskState.DONE: "ok",
    TaskState.FAILED: "error",
    TaskState.CANCELLED: "warn",
}
_BAR = 10
_NAME = 14
_PART_BAR = 16


def row_of(task: Task, now: float, glyphs: Glyphs) -> Row:
    share = task.share
    if task.state is TaskState.DONE:
        progress = Cell(task.result, "dim")
    elif task.state in {TaskState.FAILED, TaskState.CANCELLED}:
        progress = Cell(task.result, "error" if task.state is TaskState.FAILED else "dim")
    elif share is not None:
        bar = meter(share, _BAR, glyphs)
        progress = Cell(spans=((bar, "accent"), (f" {percent(share, cores=False):>4}", "")))
    else:
        progress = Cell(task.at.text, "dim")
    return Row(
        task.id,
        (
            Cell(str(task.state), _TONES[task.state]),
            Cell(spans=((f"{task.verb} ", "dim"), (task.target, ""))),
            Cell(task.engine, "dim"),
            progress,
            Cell(amount(_ended(task.at) if task.state is TaskState.DONE else task.at), "dim"),
            Cell(duration(task.took(now)) if task.state is not TaskState.WAITING else "", "dim"),
        ),
    )


def amount(at: Progress) -> str:
    """How far it is, in bytes or steps: `12M/40M`, `3/7`."""
    if at.done is None:
        return ""
    figure = size if at.bytes else str
    return f"{figure(at.done)}/{figure(at.total)}" if at.total is not None else figure(at.done)


def _ended(at: Progress) -> Progress:
    """What is told as a step begins ends a step short."""
    return replace(at, done=at.total) if not at.bytes and at.total is not None else at


def heads_of(task: Task, now: float) -> list[tuple[str, Tone]]:
    """What is said of a task before its parts and its output; long texts are wrapped."""
    when = f"for {duration(task.took(now))}" if task.open else f"after {duration(task.took(now))}"
    state = f"{task.state} {when}" if task.state is not TaskState.WAITING else "waiting for others to end"
    heads: list[tuple[str, Tone]] = [(f"{state}, on {task.engine}", _TONES[task.state])]
    if task.result and task.state is not TaskState.CANCELLED:
        heads.append((task.result, "error" if task.state is TaskState.FAILED else ""))
    elif task.open and task.at.text:
        done = amount(task.at)
        heads.append((f"{task.at.text}{f', {done}' if done else ''}", ""))
    return heads


def lines_of(task: Task, glyphs: Glyphs) -> list[Sequence[tuple[str, Tone]]]:
    """Its parts with a bar each, then its output."""
    lines: list[Sequence[tuple[str, Tone]]] = []
    if task.at.parts:
        lines.append(())
        lines += [_part_line(part, task, glyphs) for part in task.at.parts]
    if task.lines:
        lines.append(())
    if task.dropped:
        lines.append([(f"{task.dropped} earlier lines are no longer kept", "dim")])
    lines += [[(line, "")] for line in task.lines]
    return lines


def _part_line(part: WorkPart, task: Task, glyphs: Glyphs) -> list[tuple[str, Tone]]:
    name = part.name if len(part.name) <= _NAME else part.name[: _NAME - 1] + glyphs.ellipsis
    runs: list[tuple[str, Tone]] = [(f"{name:<{_NAME}} ", "dim")]
    if part.done is not None and part.total:
        share = part.done / part.total
        runs.append((meter(share, _PART_BAR, glyphs), "ok" if share >= 1 else "accent"))
        figure = size if task.at.bytes else str
        runs.append((f" {figure(part.done):>5}/{figure(part.total):<5}", ""))
    else:
        runs.append((" " * (_PART_BAR + 12), ""))
    runs.append((f" {part.text}", "dim"))
    return runs


def indicator(under_way: Sequence[Task], glyphs: Glyphs) -> list[Part]:
    """For the top line: how many tasks are at work, and how far those are that know; nothing when there are none."""
    if not under_way:
        return []
    name = f"{len(under_way)} task{'' if len(under_way) == 1 else 's'}"
    shares = [task.share for task in under_way if task.share is not None]
    parts = [Part(f" {name} ", "accent", priority=1, id="tasks")]
    if shares:
        mean = sum(shares) / len(shares)
        parts.append(Part(f"{meter(mean, 6, glyphs)} ", "accent", priority=5, id="tasks"))
        parts.append(Part(f"{percent(mean, cores=False)} ", "accent", priority=1, id="tasks"))
    return parts
