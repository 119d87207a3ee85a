"""The VirtualBox backend on a real VirtualBox, checked with VBoxManage."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from backends import bases
from backends.base import ActionError, EngineError, EngineSettings
from backends.model import VM, Action, ActionOptions, Kind, Ref, Snapshot, State, Usage
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.virtualbox_engine import PrivateVirtualBox

pytestmark = pytest.mark.virtualbox

KEEP = ActionOptions()


def vm_ref(machine: str) -> Ref:
    return Ref("virtualbox", Kind.VM, machine)


def by_name(snapshot: Snapshot) -> dict[str, VM]:
    return {vm.name: vm for vm in snapshot.vms}


def alive(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        await asyncio.sleep(0.05)


@pytest.fixture
def environment(virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch) -> PrivateVirtualBox:
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    return virtualbox


@pytest.fixture
async def backend(environment: PrivateVirtualBox) -> AsyncIterator[VirtualBoxBackend]:
    """A connected backend, through the binding."""
    connection = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    info = await connection.connect()
    assert (info.version, info.api_version, info.notes) == ("7.2.22", "7_2", ())
    yield connection
    await connection.close()


@pytest.fixture
async def fallback(environment: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VirtualBoxBackend]:
    """A connected backend without a binding."""
    monkeypatch.setenv("BOXTOP_VIRTUALBOX_PYTHON", "/bin/false")
    connection = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    info = await connection.connect()
    assert info.version == "7.2.22"
    assert any("VBoxManage stands in" in note for note in info.notes)
    yield connection
    await connection.close()


@pytest.fixture(params=["binding", "VBoxManage"])
def either(request: pytest.FixtureRequest) -> VirtualBoxBackend:
    name = "backend" if request.param == "binding" else "fallback"
    connection: VirtualBoxBackend = request.getfixturevalue(name)
    return connection


async def test_lists_every_state_with_facts_and_quitting_harms_no_vm(
    backend: VirtualBoxBackend, fallback: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    began = time.time()
    made = virtualbox.one_of_each()
    virtualbox.manage("modifyvm", made["off"], "--groups=/lab/web", "--description=first\nsecond", "--memory=48")
    virtualbox.manage("snapshot", made["off"], "take", "base")
    for connection in (backend, fallback):
        _check_facts(by_name(await connection.list_all()), made, began)
    pids = {name: virtualbox.pid(made[name]) for name in ("running", "paused")}
    assert backend._helper is not None and backend._helper.pid is not None
    helper = backend._helper.pid
    await backend.close()
    await until(_no_helper(helper), "the helper to be gone")
    assert {name: virtualbox.state(machine) for name, machine in made.items()} == {
        "off": "poweroff",
        "running": "running",
        "paused": "paused",
        "saved": "saved",
    }
    assert {name: virtualbox.pid(made[name]) for name in pids} == pids


def _check_facts(vms: dict[str, VM], made: dict[str, str], began: float) -> None:
    assert {name: (vm.ref.id, vm.state) for name, vm in vms.items()} == {
        "off": (made["off"], State.OFF),
        "running": (made["running"], State.RUNNING),
        "paused": (made["paused"], State.PAUSED),
        "saved": (made["saved"], State.SAVED),
    }
    off, running = vms["off"], vms["running"]
    assert (off.os_type, off.cpus, off.memory) == ("Other/Unknown", 1, 48 << 20)
    assert (off.groups, off.description, off.snapshots, off.started) == (("/lab/web",), "first\nsecond", 1, None)
    assert off.state_word == "powered off"
    assert running.started is not None
    assert began - 60 < running.started < time.time() + 60


async def test_actions_do_what_vboxmanage_then_sees(either: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("worker")
    await either.list_all()
    steps = [
        (Action.START, "running"),
        (Action.PAUSE, "paused"),
        (Action.RESUME, "running"),
        (Action.PAUSE, "paused"),
        (Action.START, "running"),
        (Action.RESET, "running"),
        (Action.SAVE, "saved"),
        (Action.START, "running"),
        (Action.KILL, "poweroff"),
        (Action.START, "running"),
    ]
    for action, state in steps:
        await either.perform(action, vm_ref(machine), KEEP)
        virtualbox.wait_state(machine, state)
    before = virtualbox.pid(machine)
    await either.perform(Action.RESTART, vm_ref(machine), KEEP)
    virtualbox.wait_state(machine, "running")
    assert virtualbox.pid(machine) != before
    await either.perform(Action.STOP, vm_ref(machine), KEEP)
    virtualbox.wait_state(machine, "poweroff")


async def test_a_refused_action_says_why_in_one_line(either: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("still")
    with pytest.raises(ActionError, match=r"not running|not currently running") as refused:
        await either.perform(Action.PAUSE, vm_ref(machine), KEEP)
    assert "\n" not in str(refused.value)
    with pytest.raises(ActionError, match="Could not find a registered machine"):
        await either.perform(Action.START, vm_ref("00000000-0000-0000-0000-000000000001"), KEEP)
    virtualbox.disk(machine).unlink()
    with pytest.raises(ActionError, match=r"VERR_FILE_NOT_FOUND|Could not open the medium") as failed:
        await either.perform(Action.START, vm_ref(machine), KEEP)
    assert "\n" not in str(failed.value)
    assert virtualbox.state(machine) in {"poweroff", "aborted"}


async def test_stop_says_that_the_guest_ignores_the_button(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.virtualbox.backend._PATIENCE", {Action.STOP: 1.0, Action.RESTART: 1.0})
    machine = virtualbox.create("deaf", guest="ignores")
    virtualbox.run(machine)
    with pytest.raises(ActionError, match="does not handle ACPI"):
        await backend.perform(Action.STOP, vm_ref(machine), KEEP)
    with pytest.raises(ActionError, match="power it off or reset it"):
        await backend.perform(Action.RESTART, vm_ref(machine), KEEP)
    assert virtualbox.state(machine) == "running"


async def test_delete_unregisters_and_keeps_every_file(
    either: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("kept")
    virtualbox.manage("snapshot", machine, "take", "one")
    virtualbox.run(machine)
    virtualbox.manage("controlvm", machine, "savestate")
    virtualbox.wait_state(machine, "saved")
    home = virtualbox.directory / "home"
    files = {path for path in home.rglob("*") if path.suffix in {".vdi", ".vbox", ".sav"}}
    await either.list_all()
    await either.perform(Action.DELETE, vm_ref(machine), KEEP)
    assert machine not in virtualbox.machines().values()
    assert all(path.exists() for path in files)
    assert (await either.list_some([vm_ref(machine)])).removed == (vm_ref(machine),)
    virtualbox.manage("registervm", "/root/VirtualBox VMs/kept/kept.vbox")
    assert virtualbox.state(machine) == "saved"


async def test_delete_takes_exactly_the_chosen_disks(either: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("doomed")
    other = virtualbox.create("neighbour", disk=False)
    virtualbox.manage("storagectl", other, "--name=SATA", "--add=sata", "--portcount=4")
    extra, shared = "/root/doomed extra.vdi", '/root/-shared "disk".vdi'
    for path in (extra, shared):
        virtualbox.manage("clonemedium", "disk", "/root/obeys.vdi", path, "--variant=Fixed")
    virtualbox.manage("modifymedium", "disk", shared, "--type=shareable")
    virtualbox.attach(machine, extra, port=1)
    for owner in (machine, other):
        virtualbox.attach(owner, shared, port=2)
    losses = {loss.id: loss for loss in await either.losses(Action.DELETE, vm_ref(machine))}
    own = f"/root/{machine}.vdi"
    assert {own, extra, shared} <= set(losses)
    assert (losses[own].kept, losses[extra].kept) == ("", "")
    assert losses[own].size
    assert losses[shared].kept
    with pytest.raises(ActionError, match=r"shared.*(attached|parent)"):
        await either.perform(Action.DELETE, vm_ref(machine), ActionOptions(disks=(own, shared)))
    with pytest.raises(ActionError, match="does not belong"):
        await either.perform(Action.DELETE, vm_ref(machine), ActionOptions(disks=("/root/ignores.vdi",)))
    assert machine in virtualbox.machines().values()
    late = "/root/attached later.vdi"
    virtualbox.manage("clonemedium", "disk", "/root/obeys.vdi", late)
    virtualbox.attach(machine, late, port=3)
    await either.perform(Action.DELETE, vm_ref(machine), ActionOptions(disks=(own, extra)))
    home = virtualbox.directory / "home"
    assert machine not in virtualbox.machines().values()
    assert not virtualbox.disk(machine).exists()
    assert not (home / "doomed extra.vdi").exists()
    assert (home / "attached later.vdi").exists()
    assert (home / '-shared "disk".vdi').exists()
    assert (home / "ignores.vdi").exists()
    assert virtualbox.state(other) == "poweroff"


async def test_delete_with_snapshots_takes_the_whole_chain_or_refuses(
    either: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("layers")
    virtualbox.manage("snapshot", machine, "take", "one")
    virtualbox.manage("snapshot", machine, "take", "two")
    losses = await either.losses(Action.DELETE, vm_ref(machine))
    assert len(losses) == 3
    assert not any(loss.kept for loss in losses)
    with pytest.raises(ActionError, match="parent of a disk image that would stay"):
        await either.perform(Action.DELETE, vm_ref(machine), ActionOptions(disks=(f"/root/{machine}.vdi",)))
    files = [virtualbox.directory / "home" / loss.id.removeprefix("/root/") for loss in losses]
    assert all(path.exists() for path in files)
    await either.perform(Action.DELETE, vm_ref(machine), ActionOptions(disks=tuple(loss.id for loss in losses)))
    assert not any(path.exists() for path in files)
    assert machine not in virtualbox.machines().values()


async def test_a_disk_attached_after_the_confirmation_stays_when_snapshots_go(
    either: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("late")
    virtualbox.manage("snapshot", machine, "take", "one")
    confirmed = tuple(loss.id for loss in await either.losses(Action.DELETE, vm_ref(machine)))
    assert len(confirmed) == 2
    virtualbox.manage("clonemedium", "disk", "/root/obeys.vdi", "/root/unconfirmed.vdi")
    virtualbox.attach(machine, "/root/unconfirmed.vdi", port=1)
    deleting = either.perform(Action.DELETE, vm_ref(machine), ActionOptions(disks=confirmed))
    home = virtualbox.directory / "home"
    if either._manage is None:
        await deleting
        assert not any((home / path.removeprefix("/root/")).exists() for path in confirmed)
        assert machine not in virtualbox.machines().values()
    else:
        with pytest.raises(ActionError, match=r"not chosen: /root/unconfirmed\.vdi"):
            await deleting
        assert all((home / path.removeprefix("/root/")).exists() for path in confirmed)
        assert machine in virtualbox.machines().values()
    assert (home / "unconfirmed.vdi").exists()


async def test_a_disk_that_a_linked_clone_stands_on_stays(
    either: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("origin")
    virtualbox.manage("snapshot", machine, "take", "one")
    virtualbox.manage("clonevm", machine, "--snapshot=one", "--options=link", "--name=clone", "--register")
    base = f"/root/{machine}.vdi"
    losses = {loss.id: loss.kept for loss in await either.losses(Action.DELETE, vm_ref(machine))}
    assert losses.pop(base) == "parent of other disk images"
    assert list(losses.values()) == [""]
    with pytest.raises(ActionError, match="parent of other disk images"):
        await either.perform(Action.DELETE, vm_ref(machine), ActionOptions(disks=(base, *losses)))
    assert machine in virtualbox.machines().values()
    clone = {loss.id: loss.kept for loss in await either.losses(Action.DELETE, vm_ref(virtualbox.machines()["clone"]))}
    assert clone.pop(base) == "also attached to origin"
    assert list(clone.values()) == [""]


async def test_a_base_image_stays_when_its_last_linked_copy_goes(
    either: VirtualBoxBackend, virtualbox: PrivateVirtualBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "file", lambda: tmp_path / "base-images.json")
    machine = virtualbox.create("copy")
    base = f"/root/{machine}.vdi"
    assert [loss.kept for loss in await either.losses(Action.DELETE, vm_ref(machine))] == [""]
    bases.mark(either.url, base, base=True)
    losses = {loss.id: loss.kept for loss in await either.losses(Action.DELETE, vm_ref(machine))}
    assert losses == {base: bases.KEPT}


async def test_names_that_would_break_a_command_line(either: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    names = ['say "hi"', "-rf", "仮想マシン", "x" * 200, "a {b} $(c) 'd'", "=[x]"]
    made = {name: virtualbox.create(name, disk=False) for name in names}
    assert {vm.name: vm.ref.id for vm in (await either.list_all()).vms} == made
    await either.perform(Action.START, vm_ref(made["-rf"]), KEEP)
    virtualbox.wait_state(made["-rf"], "running")
    await either.perform(Action.KILL, vm_ref(made["-rf"]), KEEP)
    for machine in made.values():
        await either.perform(Action.DELETE, vm_ref(machine), KEEP)
    assert virtualbox.machines() == {}


async def test_an_inaccessible_machine_is_listed_with_its_reason_and_can_be_removed(
    either: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("broken", disk=False)
    settings = virtualbox.directory / "home/VirtualBox VMs/broken/broken.vbox"
    virtualbox.kill()
    settings.write_text("no settings")
    virtualbox.start()
    await either.connect()
    (vm,) = (await either.list_all()).vms
    assert (vm.ref.id, vm.state) == (machine, State.UNKNOWN)
    assert vm.error
    assert "\n" not in vm.error
    await either.perform(Action.DELETE, vm.ref, KEEP)
    assert virtualbox.machines() == {}
    assert settings.exists()


async def test_an_aborted_vm_reads_crashed_and_starts_again(
    either: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("fallen")
    virtualbox.run(machine)
    await either.list_all()
    os.kill(virtualbox.pid(machine), signal.SIGKILL)
    virtualbox.wait_state(machine, "aborted")

    async def crashed() -> bool:
        (vm,) = (await either.list_all()).vms
        return vm.state is State.CRASHED

    await until(crashed, "the VM to read crashed")
    (vm,) = (await either.list_all()).vms
    assert vm.state_word == "aborted"
    await either.perform(Action.START, vm.ref, KEEP)
    virtualbox.wait_state(machine, "running")


async def test_inspect_gives_json_or_says_that_it_is_gone(
    either: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("seen")
    answer = await either.inspect(vm_ref(machine))
    assert answer["name"] == "seen"
    assert any(f"{machine}.vdi" in str(value) for value in answer.values())
    with pytest.raises(ActionError, match="Could not find a registered machine"):
        await either.inspect(vm_ref("00000000-0000-0000-0000-000000000001"))


async def test_events_name_the_vm_that_changed_outside(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    machine = virtualbox.create("watched")
    await backend.list_all()
    seen: list[frozenset[Ref]] = []

    async def watch() -> None:
        async for refs in backend.events():
            seen.append(refs)

    watching = asyncio.create_task(watch())

    async def outside(*arguments: str) -> None:
        seen.clear()
        await asyncio.to_thread(virtualbox.manage, *arguments)

    async def change() -> VM:
        async def told() -> bool:
            return any(vm_ref(machine) in refs for refs in seen)

        await until(told, "an event")
        (vm,) = (await backend.list_some([vm_ref(machine)])).updated
        assert isinstance(vm, VM)
        return vm

    await outside("modifyvm", machine, "--name=renamed")
    assert (await change()).name == "renamed"
    await outside("startvm", machine, "--type=headless")
    assert (await change()).state in {State.STARTING, State.RUNNING}
    await asyncio.to_thread(virtualbox.wait_state, machine, "running")
    await outside("controlvm", machine, "pause")

    async def paused() -> bool:
        return by_name(await backend.list_all())["renamed"].state is State.PAUSED

    await until(paused, "the listing to show the pause")
    await outside("controlvm", machine, "poweroff")
    await until(lambda: _is(backend, machine, State.OFF), "the listing to show the power off")
    await outside("unregistervm", machine)
    await until(lambda: _gone(backend, machine), "the VM to be gone")
    watching.cancel()


async def _asked(backend: VirtualBoxBackend, doing: asyncio.Future[None]) -> None:
    """Wait until an action's own helper has greeted and was given its action; looked at often, as it may end soon."""
    while not any(helper.spared for helper in backend._acting):
        assert not doing.done(), "the action ended before it was seen under way"
        await asyncio.sleep(0.002)


def _no_helper(pid: int | None) -> Callable[[], Awaitable[bool]]:
    assert pid is not None

    async def ended() -> bool:
        return not alive(pid)

    return ended


async def _among(backend: VirtualBoxBackend, machine: str, states: set[State]) -> bool:
    return any(vm.ref.id == machine and vm.state in states for vm in (await backend.list_all()).vms)


async def _is(backend: VirtualBoxBackend, machine: str, state: State) -> bool:
    return await _among(backend, machine, {state})


async def _gone(backend: VirtualBoxBackend, machine: str) -> bool:
    return bool((await backend.list_some([vm_ref(machine)])).removed)


async def test_no_events_from_vboxmanage(fallback: VirtualBoxBackend) -> None:
    with pytest.raises(NotImplementedError):
        await anext(fallback.events())
    assert await fallback.usage([]) == {}


async def test_load_of_a_busy_vm_agrees_with_the_kernel(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    busy, idle = virtualbox.create("busy", guest="spins"), virtualbox.create("idle")
    for machine in (busy, idle):
        virtualbox.run(machine)
    refs = [vm.ref for vm in (await backend.list_all()).vms]
    first = await backend.usage(refs)
    assert first[vm_ref(busy)].cpu is None
    process = Path(f"/proc/{virtualbox.pid(busy)}/stat")

    def look() -> tuple[float, float]:
        """The moment, and the CPU seconds the VM's process has spent."""
        ticks = sum(map(int, process.read_text().rpartition(") ")[2].split()[11:13]))
        return time.monotonic(), ticks / os.sysconf("SC_CLK_TCK")

    async def sampled() -> tuple[tuple[float, float], Mapping[Ref, Usage], tuple[float, float]]:
        """Figures, between a look before and one after."""
        before = look()
        return before, await backend.usage(refs), look()

    async def shows_its_load() -> bool:
        nonlocal figures
        early, _, first = await sampled()
        await asyncio.sleep(2)
        last, figures, late = await sampled()
        cpu, rest = figures[vm_ref(busy)].cpu, figures[vm_ref(idle)].cpu
        assert cpu is not None and rest is not None
        # however long an answer takes: it was sampled between the looks around it
        least, most = (last[1] - first[1]) / (late[0] - early[0]), (late[1] - early[1]) / (last[0] - first[0])
        assert least * 0.95 - 0.02 <= cpu <= most * 1.05 + 0.02
        return cpu > 0.1 and rest < cpu / 2

    figures: Mapping[Ref, Usage] = {}
    await until(shows_its_load, "the busy VM to have more of the machine than the idle one")
    memory = figures[vm_ref(busy)].memory
    resident = int(process.with_name("statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert memory == pytest.approx(resident, rel=0.1)


async def test_vboxsvc_killed_is_told_at_once_and_connect_recovers(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    virtualbox.create("survivor")
    await backend.list_all()
    events = backend.events()

    async def drain() -> None:
        async for _ in events:
            pass

    draining = asyncio.create_task(drain())
    virtualbox.kill()
    with pytest.raises(EngineError, match="VBoxSVC"):
        await asyncio.wait_for(draining, 60)
    with pytest.raises(EngineError):
        await backend.list_all()
    await backend.connect()
    assert list(by_name(await backend.list_all())) == ["survivor"]
    await backend.perform(Action.START, (await backend.list_all()).vms[0].ref, KEEP)
    assert (await backend.list_all()).vms[0].state is State.RUNNING


async def test_a_frozen_vboxsvc_does_not_hang_the_connection(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.virtualbox.backend.QUERY_TIMEOUT", 1.0)
    monkeypatch.setattr("backends.virtualbox.backend.HELLO_TIMEOUT", 2.0)
    (service,) = virtualbox.services()
    os.kill(service, signal.SIGSTOP)
    try:
        with pytest.raises(EngineError, match="does not answer"):
            await backend._query("list_all", seconds=1.0)
        with pytest.raises(EngineError, match="does not answer"):
            await backend.connect()
    finally:
        os.kill(service, signal.SIGCONT)
    monkeypatch.setattr("backends.virtualbox.backend.HELLO_TIMEOUT", 20.0)
    await backend.connect()
    assert (await backend.list_all()).vms == ()


async def test_a_killed_helper_is_told_and_harms_no_vm(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    assert backend._helper is not None and backend._helper.pid is not None
    os.kill(backend._helper.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="signal 9"):
        await backend.list_all()
    await backend.connect()
    # Killed in the middle of an action: while it holds a session of a running VM, or starts one.
    for delay in (0.005, 0.03, 0.08):
        for action in (Action.SAVE, Action.START):
            # another each time: what a killed helper has begun may go on for a while
            machine = virtualbox.create(f"{action.value} {delay}")
            if action is Action.SAVE:
                virtualbox.run(machine)
            doing = asyncio.ensure_future(backend.perform(action, vm_ref(machine), KEEP))
            await _asked(backend, doing)
            await asyncio.sleep(delay)
            for helper in tuple(backend._acting):
                helper._kill()
            # of one that was saving it may be told that it is not saved, or not yet
            with contextlib.suppress(EngineError, ActionError):
                await doing
            wanted = {State.RUNNING, State.SAVED} if action is Action.SAVE else {State.RUNNING, State.OFF}
            await until(partial(_among, backend, machine, wanted), "the VM to come to rest")
            virtualbox.wait_state(machine, "running", "saved", "poweroff")


async def test_a_hung_vm_process_blocks_its_own_action_only(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.virtualbox.backend._ACTION_TIMEOUT", 3.0)
    hung, other = virtualbox.create("hung"), virtualbox.create("other")
    virtualbox.run(hung)
    process = virtualbox.pid(hung)
    os.kill(process, signal.SIGSTOP)
    try:
        doing = asyncio.ensure_future(backend.perform(Action.PAUSE, vm_ref(hung), KEEP))
        await _asked(backend, doing)
        (asked,) = (helper.pid for helper in backend._acting)
        await backend.perform(Action.START, vm_ref(other), KEEP)
        assert by_name(await backend.list_all())["other"].state is State.RUNNING
        with pytest.raises(ActionError, match="hangs"):
            await doing
        assert by_name(await backend.list_all())["hung"].state is State.RUNNING
        await until(_no_helper(asked), "the helper that hangs to end by itself")
    finally:
        os.kill(process, signal.SIGCONT)
    virtualbox.wait_state(hung, "running", "paused")
    assert backend._acting == set()


QUITTER = """
import asyncio, sys, time
from backends.base import EngineSettings
from backends.model import Action, ActionOptions, Kind, Ref
from backends.virtualbox.backend import VirtualBoxBackend

async def main():
    backend = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    await backend.connect()
    ref = (await backend.list_all()).vms[0].ref
    doing = asyncio.create_task(backend.perform(Action.RESTART, ref, ActionOptions()))
    while not any(helper.spared for helper in backend._acting):
        await asyncio.sleep(0.01)
    (helper,) = backend._acting
    began = time.monotonic()
    await backend.close()
    print(helper.pid, time.monotonic() - began, flush=True)

asyncio.run(main())
"""


async def test_an_action_begun_is_finished_after_boxtop_has_quit(environment: PrivateVirtualBox) -> None:
    machine = environment.create("restarted")
    environment.run(machine)
    before = environment.pid(machine)
    # held, so that the action cannot be done before boxtop has quit
    os.kill(before, signal.SIGSTOP)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", QUITTER, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        helper, seconds = output.split()
        assert process.returncode == 0
        assert float(seconds) < 15
        assert alive(int(helper))
    finally:
        os.kill(before, signal.SIGCONT)
    await until(_no_helper(int(helper)), "the helper to finish the restart and end")
    assert environment.state(machine) == "running"
    assert environment.pid(machine) != before


BOXTOP = """
import asyncio, sys, time
from backends.base import EngineSettings
from backends.model import Action, ActionOptions, Kind, Ref
from backends.virtualbox.backend import VirtualBoxBackend

async def main():
    backend = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    await backend.connect()
    for vm in (await backend.list_all()).vms:
        await backend.perform(Action.START, vm.ref, ActionOptions())
    print(backend._helper.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_vboxsvc_and_vm_that_boxtop_started_outlive_its_sigkill(
    environment: PrivateVirtualBox,
) -> None:
    machine = environment.create("orphan")
    environment.kill()  # VirtualBox now starts its service below the helper
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOXTOP, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    helper = int(await asyncio.wait_for(process.stdout.readline(), 60))
    services, vm = environment.services(), environment.pid(machine)
    os.killpg(process.pid, signal.SIGKILL)
    await process.wait()

    await until(_no_helper(helper), "the helper to end by itself")
    assert environment.services() == services
    assert environment.pid(machine) == vm
    assert environment.state(machine) == "running"
    environment.manage("controlvm", machine, "pause")
    assert environment.state(machine) == "paused"


async def test_absent_virtualbox_and_a_wrong_interpreter_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("BOXTOP_VIRTUALBOX_PYTHON", "BOXTOP_VBOXMANAGE", "VBOX_PROGRAM_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("backends.virtualbox.interpreter.PROGRAM_FOLDERS", ())
    with pytest.raises(EngineError, match="not installed") as absent:
        await VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings()).connect()
    assert absent.value.absent
    assert absent.value.remedy
    for command in ("/nonexistent/python", "/bin/false", sys.executable, "'unclosed"):
        with pytest.raises(EngineError) as wrong:
            await VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings(command)).connect()
        assert not wrong.value.absent
        assert "virtualbox.python" in wrong.value.reason
        assert wrong.value.remedy
