from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from backends.base import ActionError, EngineError
from backends.progress import Part, Progress, Report
from tests.ui.boxtop import FROZEN
from tui import journal
from tui.rows.tasks import amount, heads_of, indicator, lines_of, row_of
from tui.tasks import AT_ONCE, KEPT, WHOLE, Task, Tasks, TaskState
from widgets.glyphs import ASCII


class Clock:
    now = FROZEN

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tasks(tmp_path: Path, clock: Clock) -> Tasks:
    return Tasks(tmp_path / "journal.jsonl", noted=lambda: None, clock=clock)


async def ended(*tasks: Task) -> None:
    async with asyncio.timeout(30):
        await asyncio.wait([task.running for task in tasks if task.running])


async def good(report: Report) -> str:
    report.progress(Progress("at it", 3, 4))
    report.line("a line")
    return "fine"


async def forever(report: Report) -> str:
    del report
    await asyncio.sleep(3600)
    return "never"


def failing(error: Exception):
    async def work(report: Report) -> str:
        raise error

    return work


async def entries(file: Path, count: int) -> list[journal.Entry]:
    async with asyncio.timeout(30):
        while len(journal.tail(file)) < count:
            await asyncio.sleep(0.01)
    return journal.tail(file)


async def test_a_task_is_done_told_and_written_down(tasks, tmp_path):
    told: list[TaskState] = []
    tasks.listen_ends(lambda task: told.append(task.state))
    task = tasks.start("pull", "nginx", "docker", good)
    assert tasks.under_way == [task]
    await ended(task)
    assert (task.state, task.result, task.share, list(task.lines)) == (TaskState.DONE, "fine", 1.0, ["a line"])
    assert told == [TaskState.DONE]
    entry = (await entries(tmp_path / "journal.jsonl", 1))[0]
    assert (entry.action, entry.name, entry.engine, entry.result) == ("pull", "nginx", "docker", "done")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ActionError("no space left"), "no space left"),
        (EngineError("docker is gone", "start it"), "docker is gone: start it"),
        (ActionError("get https://ada:hunter2@x/ failed"), "get https://ada:••••••@x/ failed"),
        (ValueError("odd\nthing"), "ValueError: odd thing"),
    ],
)
async def test_a_failure_is_told_in_one_line_without_secrets(tasks, error, reason):
    task = tasks.start("push", "x", "docker", failing(error))
    await ended(task)
    assert (task.state, task.result) == (TaskState.FAILED, reason)


async def test_so_many_are_at_work_and_the_others_wait_and_can_be_cancelled(tasks):
    started = [tasks.start("pull", str(number), "docker", forever) for number in range(AT_ONCE + 2)]
    await asyncio.sleep(0.01)
    assert [task.state for task in started].count(TaskState.RUNNING) == AT_ONCE
    tasks.cancel(started[-1])
    tasks.cancel(started[0])
    await ended(started[-1], started[0])
    await asyncio.sleep(0.01)
    assert started[-1].state is started[0].state is TaskState.CANCELLED
    assert started[AT_ONCE].state is TaskState.RUNNING
    await tasks.close()
    assert not tasks.under_way


async def test_a_retry_is_a_task_of_its_own(tasks):
    task = tasks.start("pull", "x", "docker", failing(ActionError("no")))
    await ended(task)
    again = tasks.retry(task)
    await ended(again)
    assert [found.id for found in tasks.all] == [1, 2]
    tasks.forget(task)
    assert tasks.all == [again]
    tasks.forget_ended()
    assert tasks.all == []


async def test_what_is_under_way_is_never_forgotten(tasks):
    running = tasks.start("pull", "x", "docker", forever)
    tasks.forget(running)
    tasks.forget_ended()
    for _ in range(KEPT + 5):
        await ended(tasks.start("pull", "y", "docker", good))
    assert running in tasks.all
    assert len(tasks.all) <= KEPT + 2
    await tasks.close()


async def test_one_listener_that_fails_ends_nothing(tasks):
    told: list[Task] = []

    def broken(task: Task) -> None:
        raise RuntimeError("broken")

    tasks.listen_ends(broken)
    tasks.listen_ends(told.append)
    task = tasks.start("pull", "x", "docker", good)
    await ended(task)
    assert (task.state, told) == (TaskState.DONE, [task])


async def test_output_is_bounded(tasks):
    async def flood(report: Report) -> str:
        for number in range(6000):
            report.line(f"{number} " + "x" * 10_000)
        return "fine"

    task = tasks.start("build", "x", "docker", flood)
    await ended(task)
    assert len(task.lines) == 5000
    assert task.dropped == 1000
    assert len(task.lines[-1]) <= 4096
    assert lines_of(task, ASCII)[1][0][0] == "1000 earlier lines are no longer kept"


async def test_of_what_ended_long_ago_only_the_end_of_the_output_is_kept(tasks):
    async def wordy(report: Report) -> str:
        for number in range(1000):
            report.line(str(number))
        return "fine"

    for _ in range(WHOLE + 1):
        await ended(tasks.start("build", "x", "docker", wordy))
    await ended(tasks.start("build", "x", "docker", good))
    assert [len(task.lines) for task in tasks.all] == [200] + [1000] * WHOLE + [1]
    assert (tasks.all[0].dropped, tasks.all[0].lines[-1]) == (800, "999")


async def test_no_path_or_result_reaches_the_screen_as_it_comes(tasks):
    async def hostile(report: Report) -> str:
        return "to a\u202e\x1b]0;title\x07\udcff"

    task = tasks.start("load", "/srv/x\x1b[2J\udcff.tar", "docker", hostile)
    await ended(task)
    assert (task.target, task.result) == ("/srv/x\ufffd.tar", "to a\ufffd\ufffd")


async def test_rows_and_lines_say_how_far_it_is(tasks, clock):
    task = tasks.start("pull", "nginx:1.27", "docker", forever)
    await asyncio.sleep(0)
    parts = (Part("abc", "Downloading", 5 << 20, 10 << 20), Part("def", "Waiting"))
    task.progress(Progress("pulling", 30 << 20, 120 << 20, parts=parts))
    clock.now += 83
    row = row_of(task, clock.now, ASCII)
    assert [cell.runs for cell in row.cells] == [
        (("running", "accent"),),
        (("pull ", "dim"), ("nginx:1.27", "")),
        (("docker", "dim"),),
        (("##........", "accent"), ("  25%", "")),
        (("30M/120M", "dim"),),
        (("1m 23s", "dim"),),
    ]
    assert heads_of(task, clock.now) == [
        ("running for 1m 23s, on docker", "accent"),
        ("pulling, 30M/120M", ""),
    ]
    texts = ["".join(text for text, _ in line) for line in lines_of(task, ASCII)]
    assert texts[1] == "abc            ########........  5.0M/10M   Downloading"
    assert texts[2].split() == ["def", "Waiting"]
    assert "".join(part.text for part in indicator([task], ASCII)) == " 1 task ##.... 25% "
    assert indicator([], ASCII) == []
    await tasks.close()


async def test_a_build_that_ended_has_done_every_step(tasks, clock):
    async def build(report: Report) -> str:
        report.progress(Progress("step 5/5: CMD", 4, 5, bytes=False))
        return "built"

    task = tasks.start("build", "app:1", "docker", build)
    await ended(task)
    assert row_of(task, clock.now, ASCII).cells[4].runs == (("5/5", "dim"),)


def test_amounts():
    assert amount(Progress()) == ""
    assert amount(Progress("", 3, 7, bytes=False)) == "3/7"
    assert amount(Progress("", 2048)) == "2.0K"
