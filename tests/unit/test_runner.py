from __future__ import annotations

import asyncio

from backends.base import ActionError, Backend, EngineError
from backends.model import Action, ActionOptions, Change, Kind, Snapshot, State
from backends.watch import Connected
from tests.unit.objects import NOW, container, info, vm
from tui.journal import tail
from tui.runner import AT_ONCE, Runner
from tui.store import Store


class Scripted(Backend):
    """Holds each action until it is let go, then answers as told."""

    engine, url = "docker", "docker://"

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0
        self.go = asyncio.Event()
        self.error: Exception | None = None
        self.answer = Change("docker", NOW)

    async def perform(self, action, ref, options):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.go.wait()
            if self.error:
                raise self.error
        finally:
            self.under_way -= 1

    async def list_some(self, refs):
        return self.answer

    async def connect(self): ...
    async def list_all(self): ...
    def events(self): ...
    async def usage(self, refs): ...
    async def inspect(self, ref): ...
    async def losses(self, action, ref): ...
    async def close(self): ...


class Bench:
    def __init__(self, tmp_path, *items, patience=60.0):
        self.store = Store()
        self.store.add_engine("docker", "docker://", tuple(Kind), read_only=False)
        self.store.apply(Connected(info()))
        containers = tuple(item for item in items if item.ref.kind is Kind.CONTAINER)
        vms = tuple(item for item in items if item.ref.kind is Kind.VM)
        self.store.apply(Snapshot("docker", NOW, containers=containers, vms=vms))
        self.backend = Scripted()
        self.failed: list[tuple[str, Action, str]] = []
        self.reminded: list[str] = []
        self.file = tmp_path / "journal.jsonl"
        self.runner = Runner(
            self.store,
            lambda engine: self.backend if engine == "docker" else None,
            lambda item, action, reason: self.failed.append((item.name, action, reason)),
            lambda item, seconds: self.reminded.append(item.name),
            self.file,
            shutdown_patience=patience,
        )

    async def settled(self):
        async with asyncio.timeout(30):
            while not self.runner.idle:
                await asyncio.sleep(0.01)


async def test_the_transition_shows_at_once_and_what_the_engine_says_after(tmp_path):
    web = container()
    bench = Bench(tmp_path, web)
    bench.backend.answer = Change("docker", NOW, updated=(container(state=State.EXITED),))
    bench.runner.start(Action.STOP, web, ActionOptions())
    assert bench.store.shown_state(web) is State.STOPPING
    bench.backend.go.set()
    await bench.settled()
    assert bench.store.get(web.ref).state is State.EXITED
    assert not bench.store.pending
    assert [(entry.action, entry.name, entry.result) for entry in tail(bench.file)] == [("stop", "web", "done")]


async def test_at_most_four_at_once_each_with_its_own_result(tmp_path):
    items = [container(f"web-{number}") for number in range(10)]
    bench = Bench(tmp_path, *items)
    for item in items:
        bench.runner.start(Action.STOP, item, ActionOptions())
    async with asyncio.timeout(30):
        while bench.backend.under_way < AT_ONCE:
            await asyncio.sleep(0.01)
    assert len(bench.store.pending) == 10
    bench.backend.go.set()
    await bench.settled()
    assert bench.backend.most == AT_ONCE
    assert len(tail(bench.file)) == 10


async def test_a_failure_stays_with_the_engines_reason(tmp_path):
    web = container()
    bench = Bench(tmp_path, web)
    bench.backend.error = ActionError("port is already allocated")
    bench.backend.go.set()
    bench.runner.start(Action.START, web, ActionOptions())
    await bench.settled()
    assert bench.failed == [("web", Action.START, "port is already allocated")]
    assert bench.store.failures[web.ref].reason == "port is already allocated"
    assert tail(bench.file)[0].result == "port is already allocated"


async def test_a_lost_engine_and_a_fault_of_a_backend_are_failures_in_words(tmp_path):
    web = container()
    bench = Bench(tmp_path, web)
    bench.backend.go.set()
    for error in (EngineError("connection refused", "start the daemon"), RuntimeError("odd\nthing")):
        bench.backend.error = error
        bench.runner.start(Action.STOP, web, ActionOptions())
        await bench.settled()
    assert [reason for _, _, reason in bench.failed] == [
        "connection refused; whether it was done is not known",
        "RuntimeError: odd thing",
    ]


async def test_a_second_action_waits_for_the_first_to_end(tmp_path):
    web = container()
    bench = Bench(tmp_path, web)
    bench.runner.start(Action.STOP, web, ActionOptions())
    bench.runner.start(Action.DELETE, web, ActionOptions())
    assert bench.failed == [("web", Action.DELETE, "stop is still under way")]
    bench.backend.go.set()
    await bench.settled()
    assert bench.store.failures == {}


async def test_a_guest_that_ignores_its_power_button_is_reported(tmp_path):
    machine = vm(engine="docker")
    bench = Bench(tmp_path, machine, patience=0.3)
    bench.backend.go.set()
    bench.runner.start(Action.STOP, machine, ActionOptions())
    await bench.settled()
    assert bench.reminded == ["build"]
    assert not bench.store.pending


async def test_a_guest_that_shuts_down_is_not(tmp_path):
    machine = vm(engine="docker")
    bench = Bench(tmp_path, machine, patience=30)
    bench.backend.answer = Change("docker", NOW, updated=(vm(engine="docker", state=State.OFF),))
    bench.backend.go.set()
    bench.runner.start(Action.STOP, machine, ActionOptions())
    await bench.settled()
    assert bench.reminded == []
    assert bench.failed == []


async def test_a_journal_that_cannot_be_written_does_not_stop_the_action(tmp_path):
    web = container()
    bench = Bench(tmp_path, web)
    bench.file.mkdir()
    bench.backend.go.set()
    bench.runner.start(Action.STOP, web, ActionOptions())
    await bench.settled()
    assert bench.failed == []


async def test_a_kill_takes_the_place_of_a_stop_that_hangs(tmp_path):
    items = [container(f"web-{number}") for number in range(AT_ONCE + 1)]
    bench = Bench(tmp_path, *items)
    for item in items[:AT_ONCE]:
        bench.runner.start(Action.STOP, item, ActionOptions())
    async with asyncio.timeout(30):
        while bench.backend.under_way < AT_ONCE:
            await asyncio.sleep(0.01)
    bench.runner.start(Action.KILL, items[0], ActionOptions())
    bench.runner.start(Action.KILL, items[-1], ActionOptions())
    async with asyncio.timeout(30):
        while bench.backend.under_way < AT_ONCE + 2:
            await asyncio.sleep(0.01)
    assert bench.failed == []
    assert bench.store.pending[items[0].ref] is Action.KILL
    bench.backend.go.set()
    await bench.settled()
    assert not bench.store.pending
    assert sorted(entry.action for entry in tail(bench.file)) == ["kill"] * 2 + ["stop"] * AT_ONCE


async def test_what_is_done_is_done_though_the_listing_after_it_fails(tmp_path):
    web = container()
    bench = Bench(tmp_path, web)
    bench.backend.go.set()

    async def broken(refs):
        raise EngineError("gone")

    bench.backend.list_some = broken
    bench.runner.start(Action.DELETE, web, ActionOptions())
    await bench.settled()
    assert bench.failed == []
    assert tail(bench.file)[0].result == "done"


async def test_what_quitting_interrupts_is_in_the_journal(tmp_path):
    items = [container(f"web-{number}") for number in range(AT_ONCE + 1)]
    bench = Bench(tmp_path, *items)
    for item in items:
        bench.runner.start(Action.STOP, item, ActionOptions())
    assert len(bench.runner.under_way) == AT_ONCE + 1
    await bench.runner.close()
    entries = tail(bench.file)
    assert {entry.name for entry in entries} == {item.name for item in items}
    assert all("quit" in entry.result for entry in entries)


async def test_secrets_in_a_reason_are_masked(tmp_path):
    web = container()
    bench = Bench(tmp_path, web)
    bench.backend.error = ActionError("exec failed: app --password=hunter2")
    bench.backend.go.set()
    bench.runner.start(Action.START, web, ActionOptions())
    await bench.settled()
    assert "hunter2" not in bench.failed[0][2]
    assert "hunter2" not in bench.file.read_text()
