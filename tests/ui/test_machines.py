"""VMs made and changed on the demo: as pictures, and by the keys an operator presses."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.model import VM, Kind, State
from tests.ui.boxtop import TestApp, listed, until
from widgets.form import Form

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestApp:
    for name in ("NO_COLOR", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    return TestApp(tmp_path / "journal.jsonl")


def machines(app: TestApp) -> dict[str, VM]:
    return {item.name: item for item in app.store.of_kind(Kind.VM) if isinstance(item, VM)}


def said(app: TestApp) -> str:
    return "\n".join(text for _, text, _ in app.main.notices.entries)


async def press(pilot: Pilot[object], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def asked(pilot: Pilot[object], kind: type) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind), f"a {kind.__name__}")
    await pilot.pause()


async def typed(pilot: Pilot[object], text: str) -> None:
    await pilot.press(*("space" if char == " " else char for char in text))
    await pilot.pause()


def form(app: TestApp) -> Form:
    assert isinstance(app.screen, Form)
    return app.screen


# -- a new VM ------------------------------------------------------------------------------------------------------


@SIZES
def test_the_form_of_a_new_vm(app: TestApp, size: tuple[int, int], snap_compare) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await typed(pilot, "lab-fedora")
        await pilot.pause(0.4)

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_a_vm_is_made_by_the_form_and_its_defaults_follow_the_system(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await typed(pilot, "new one")
        form(app).set_values({"memory": "3g"})
        await pilot.pause()
        form(app).set_values({"os": "Windows11_64"})
        await until(pilot, lambda: form(app).values["size"] == "80g", "the disk of Windows 11")
        assert form(app).values["memory"] == "3g", "the user's own value stays"
        assert form(app).values["firmware"] == "uefi"
        form(app).set_values({"start": True, "cpus": "99"})
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, Form), "the host has fewer CPUs"
        form(app).set_values({"cpus": "4"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "new one" in machines(app), "the VM")
        await until(pilot, lambda: machines(app)["new one"].state is State.RUNNING, "its start")
        made = machines(app)["new one"]
        assert (made.cpus, made.memory, made.os_type) == (4, 3 << 30, "Windows 11 (64-bit)")


async def test_a_new_vm_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    hosts = TestApp(tmp_path / "journal.jsonl")
    async with hosts.run_test(size=(120, 40)) as pilot:
        app = await listed(pilot)
        await press(pilot, "2", "plus")
        await asked(pilot, Form)
        await typed(pilot, "regretted")
        form(app).set_values({"disk": "linked"})
        await until(pilot, lambda: isinstance(app.screen, Form), "the form")
        form(app).set_values({"disk": "copy", "image": "/srv/vms/base/debian-12.vdi"})
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.tasks.under_way, "the task")
        await until(pilot, lambda: app.tasks.all[-1].at.done, "the copying")
        app.tasks.cancel(app.tasks.all[-1])
        await until(pilot, lambda: not app.tasks.under_way, "its end")
        await app.sample()
        assert "regretted" not in machines(app)
        assert "undone: the VM regretted" in "\n".join(app.tasks.all[-1].lines)
