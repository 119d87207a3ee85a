"""The helper process: its program, its lines, and its ends, without a VirtualBox."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backends.virtualbox import helper
from backends.virtualbox.helper.connection import Connection
from backends.virtualbox.helper.faults import OBJECT_NOT_FOUND, Lost
from backends.virtualbox.helper.machines import Machines
from backends.virtualbox.helper.media import unused
from backends.virtualbox.process import HelperGone, HelperProcess, HelperRefused

TIMEOUT = 30.0


def test_the_program_needs_only_itself_and_the_standard_library_of_python_3_8() -> None:
    imported: set[str] = set()
    for path in Path(*helper.__path__).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 8))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                imported.add(module if module.startswith("backends") else module.split(".")[0])
    own = {name for name in imported if name.startswith("backends.virtualbox.helper.")}
    assert imported - own - set(sys.stdlib_module_names) == {"virtualbox", "vboxapi"}


async def test_an_interpreter_without_the_binding_says_so(tmp_path: Path) -> None:
    # -S: without site-packages, whatever is installed there
    process = HelperProcess([sys.executable, "-S"], {"PYTHONPATH": str(tmp_path)})
    await process.start()
    try:
        with pytest.raises(HelperRefused, match="no module vboxapi") as refused:
            await process.ask("hello", TIMEOUT, site="", listen=True)
        assert refused.value.kind == "binding"
        with pytest.raises(HelperRefused, match="hello comes first"):
            await process.ask("list_all", TIMEOUT)
    finally:
        await process.end()


async def test_a_binding_without_pyvbox_and_one_that_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "vboxapi.py").write_text(
        "print('noise on stdout')\n"
        "class VirtualBoxManager:\n"
        "    def __init__(self, *_):\n"
        "        raise ImportError('version GLIBC_2.38 not found')\n"
    )
    process = HelperProcess([sys.executable, "-S"], {"PYTHONPATH": str(tmp_path)})
    await process.start()
    try:
        with pytest.raises(HelperRefused, match="cannot import pyvbox") as refused:
            await process.ask("hello", TIMEOUT, site="/nonexistent", listen=True)
        assert refused.value.kind == "library"
        import virtualbox

        site = str(Path(virtualbox.__file__).parent.parent)
        with pytest.raises(HelperRefused, match=r"native library.*GLIBC_2\.38") as refused:
            await process.ask("hello", TIMEOUT, site=site, listen=True)
        assert refused.value.kind == "binding"
    finally:
        await process.end()


async def test_it_ends_by_itself_when_its_stdin_ends() -> None:
    process = HelperProcess([sys.executable], {})
    await process.start()
    await asyncio.wait_for(process.end(), TIMEOUT)
    await until_gone(process.pid)
    with pytest.raises(HelperGone, match="closed"):
        await process.ask("list_all", TIMEOUT)
    with pytest.raises(HelperGone, match="closed"):
        await process.next_event()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; sys.exit(7)", "status 7"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("print('not JSON', flush=True); import time; time.sleep(60)", "cannot be read"),
        ("print('[1]', flush=True); import time; time.sleep(60)", "cannot be read"),
        ("print('x' * 40_000_000, flush=True); import time; time.sleep(60)", "cannot be read"),
    ],
)
async def test_a_program_that_is_no_helper_is_told_from_one(program: str, reason: str, tmp_path: Path) -> None:
    # Stands where the interpreter stands: it ignores the helper's program and speaks for itself.
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{program}\n")
    script.chmod(0o755)
    process = HelperProcess([str(script)], {})
    await process.start()
    try:
        with pytest.raises(HelperGone, match=reason):
            await process.ask("hello", TIMEOUT, site="", listen=True)
        with pytest.raises(HelperGone, match=reason):
            await process.next_event()
    finally:
        await asyncio.wait_for(process.end(), TIMEOUT)


async def test_a_program_that_never_answers_runs_into_the_timeout_and_is_ended() -> None:
    process = HelperProcess(["/bin/sh", "-c", "exec sleep 1000"], {})
    await process.start()
    with pytest.raises(TimeoutError):
        await process.ask("hello", 0.2, site="", listen=True)
    await asyncio.wait_for(process.end(), TIMEOUT)
    await until_gone(process.pid)


async def test_no_such_program() -> None:
    process = HelperProcess(["/nonexistent/python"], {})
    with pytest.raises(HelperGone, match="No such file"):
        await process.start()
    await process.end()


def gone(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def until_gone(pid: int | None) -> None:
    """Wait until a process has ended, and its end was taken note of."""
    deadline = time.monotonic() + TIMEOUT
    while not gone(pid):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def deaf_helper() -> HelperProcess:
    """One that says something and then neither reads nor ends."""
    program = "echo '{\"event\": []}'; exec sleep 4"
    process = HelperProcess(["/bin/sh", "-c", program], {})
    await process.start()
    assert await asyncio.wait_for(process.next_event(), TIMEOUT) == ()
    return process


async def test_an_end_that_is_cancelled_says_so_and_still_kills() -> None:
    process = await deaf_helper()
    ending = asyncio.create_task(process.end())
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    await until_gone(process.pid)
    assert process._process is not None
    assert process._process.returncode == -signal.SIGKILL


async def test_one_that_is_spared_is_left_to_end_by_itself() -> None:
    process = await deaf_helper()
    process.spared = True
    await process.end()
    assert not gone(process.pid)
    await until_gone(process.pid)
    assert process._process is not None
    assert process._process.returncode == 0


class Status(Exception):
    def __init__(self, value: int) -> None:
        super().__init__("no")
        self.value = value


class Machine(SimpleNamespace):
    """What VBoxSVC says of a machine; every read fails while `failure` is set."""

    def __getattribute__(self, name: str) -> Any:
        failure = super().__getattribute__("__dict__").get("failure")
        if failure is not None and not name.startswith("__") and name not in {"failure", "found"}:
            raise failure
        return super().__getattribute__(name)


def connected(machines: dict[str, Machine]) -> Machines:
    def find(machine_id: str) -> Machine:
        if machine_id not in machines:
            raise Status(OBJECT_NOT_FOUND)
        return machines[machine_id]

    def values(enum: str) -> dict[str, int]:
        return {"PoweredOff": 1, "Running": 6} if enum == "MachineState" else {"Unlocked": 1}

    box = SimpleNamespace(findMachine=find, getGuestOSType=lambda _: SimpleNamespace(description="Other"))
    manager = SimpleNamespace(manager=SimpleNamespace(constants=SimpleNamespace(all_values=values)))
    virtualbox = SimpleNamespace(Manager=lambda: manager, VirtualBox=lambda manager: SimpleNamespace(_i=box))
    return Machines(Connection(virtualbox))


def vm(name: str) -> Machine:
    return Machine(
        name=name,
        accessible=True,
        lastStateChange=0,
        OSTypeId="Other",
        CPUCount=1,
        memorySize=32,
        sessionPID=0,
        getGroups=lambda: ["/"],
        description="",
        snapshotCount=0,
        autostartEnabled=False,
        sessionState=1,
        state=6,
        failure=None,
    )


def test_only_a_machine_that_is_not_found_is_gone() -> None:
    found = {"a": vm("first"), "b": vm("second")}
    machines = connected(found)
    assert [data["name"] for data in machines.list_some(["a", "b"])["updated"]] == ["first", "second"]
    found["a"].failure = Status(0x8000FFFF)  # E_UNEXPECTED, while a VM ends
    found["c"] = vm("never seen")
    found["c"].failure = Status(0x8000FFFF)
    del found["b"]
    answer = machines.list_some(["a", "b", "c"])
    assert [data["name"] for data in answer["updated"]] == ["first"]
    assert answer["removed"] == ["b"]
    found["a"].failure = None
    found["a"].name = "renamed"
    assert [data["name"] for data in machines.list_some(["a"])["updated"]] == ["renamed"]
    found["a"].failure = Status(0x80004004)
    with pytest.raises(Lost):
        machines.list_some(["a"])


def test_disk_images_that_came_into_use_elsewhere_stay_with_what_they_stand_on() -> None:
    def medium(key: str, users: list[str], children: list[Any]) -> Any:
        return SimpleNamespace(id=key, getMachineIds=lambda: users, getChildren=lambda: children)

    free, used = medium("free", [], []), medium("used", ["another"], [])
    below = medium("below", [], [used])
    base = medium("base", [], [below])
    grown = medium("grown", [], [medium("new child", [], [])])
    chain = medium("chain", [], [free])
    assert [one.id for one in unused([base, below, used, grown, chain, free])] == ["chain", "free"]
