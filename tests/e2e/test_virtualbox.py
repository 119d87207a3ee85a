"""The dashboard on a real VirtualBox: what it shows, and what its keys do there, asked from VBoxManage."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Boxtop
from tests.engines.docker_engine import wait_until
from tests.engines.virtualbox_engine import PrivateVirtualBox

pytestmark = pytest.mark.virtualbox


def dashboard(home: Path, virtualbox: PrivateVirtualBox, **changes: str) -> Boxtop:
    return Boxtop(home, "--host", "virtualbox", **(virtualbox.environment() | changes))


@pytest.fixture
def app(tmp_path: Path, virtualbox: PrivateVirtualBox) -> Iterator[Boxtop]:
    with dashboard(tmp_path, virtualbox) as running:
        running.wait_text("virtualbox has no VMs.")
        yield running


def test_every_state_is_shown(tmp_path: Path, virtualbox: PrivateVirtualBox) -> None:
    virtualbox.one_of_each()
    with dashboard(tmp_path, virtualbox) as app:
        app.wait_row("running", "● running", "up ", "32M")
        app.wait_row("off", "○ off")
        app.wait_row("paused", "‖ paused")
        app.wait_row("saved", "◆ saved")
        app.wait_text("1 of 4 running", "virtualbox 7.")


def test_keys_change_the_machine(app: Boxtop, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("guinea")
    app.wait_row("guinea", "○ guinea", "off")
    app.press("s")
    virtualbox.wait_state(machine, "running")
    app.wait_row("guinea", "up ")
    virtualbox.wait_booted(machine)
    app.press("p")
    virtualbox.wait_state(machine, "paused")
    app.wait_row("guinea", "‖ guinea")
    app.wait_text("p resume")
    app.press("p")
    virtualbox.wait_state(machine, "running")
    app.wait_row("guinea", "up ")
    app.wait_text("p pause")
    app.press("w")
    virtualbox.wait_state(machine, "saved")
    app.wait_row("guinea", "◆ guinea")
    app.press("s")
    virtualbox.wait_state(machine, "running")
    app.wait_row("guinea", "up ")
    # VBoxManage leaves the time out while the machine is locked
    started = wait_until(lambda: virtualbox.info(machine).get("VMStateChangeTime"), "the time of the start")
    app.press("r")
    wait_until(lambda: virtualbox.info(machine).get("VMStateChangeTime", started) != started, "the VM to be restarted")
    virtualbox.wait_state(machine, "running")
    app.wait_row("guinea", "up ")
    virtualbox.wait_booted(machine)
    app.press("t")
    virtualbox.wait_state(machine, "poweroff")
    app.wait_row("guinea", "○ guinea")


def test_power_off_is_confirmed(app: Boxtop, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("stubborn", guest="ignores")
    virtualbox.manage("startvm", machine, "--type=headless")
    app.wait_row("stubborn", "up ")
    app.press("K")
    app.wait_text("Power off VM stubborn?")
    app.press("Enter")
    app.wait_gone("Power off VM stubborn?")
    assert virtualbox.state(machine) == "running"
    app.press("K")
    app.wait_text("Power off VM stubborn?")
    app.answer("Power off")
    virtualbox.wait_state(machine, "poweroff")
    app.wait_row("stubborn", "○ stubborn")


def test_disks_go_only_with_the_name_typed(app: Boxtop, virtualbox: PrivateVirtualBox) -> None:
    kept, lost = virtualbox.create("kept"), virtualbox.create("lost")
    app.wait_row("kept", "off")
    app.wait_row("lost", "off")
    app.select("kept")
    app.press("d")
    app.wait_text("Delete VM kept?", f"{kept}.vdi")
    app.answer("Unregister")
    wait_until(lambda: "kept" not in virtualbox.machines(), "the VM to be unregistered")
    app.wait_gone(" kept ")
    assert virtualbox.disk(kept).exists()
    app.wait_for(lambda: app.selected == "lost", "the other VM selected")
    # the cursor came there by the other's end, not by the user: the first press may only say so
    app.press("d")
    app.wait_for(lambda: "Press again" in app.screen() or "Delete VM lost?" in app.screen(), "an answer to d")
    if "Delete VM lost?" not in app.screen():
        app.press("d")
    app.wait_text("Delete VM lost?", f"{lost}.vdi", "Delete with 1 disk")
    app.press("Up")
    app.wait_gone("[>Cancel<]")
    # what is typed wrong unlocks nothing
    app.press("los")
    app.wait_text(" los ", "( Delete with 1 disk")
    app.press("t")
    app.wait_text("[ Delete with 1 disk")
    assert "lost" in virtualbox.machines()
    app.press("Enter")
    app.wait_text("[>Delete with 1 disk")
    app.press("Enter")
    wait_until(lambda: not virtualbox.machines(), "the VM to be deleted")
    wait_until(lambda: not virtualbox.disk(lost).exists(), "its disk to be deleted")
    app.wait_text("virtualbox has no VMs.")


def test_what_others_do_appears(app: Boxtop, virtualbox: PrivateVirtualBox) -> None:
    machine = virtualbox.create("outsider")
    app.wait_row("outsider", "off")
    virtualbox.run(machine)
    app.wait_row("outsider", "up ")
    virtualbox.manage("controlvm", machine, "poweroff")
    app.wait_row("outsider", "off")
    virtualbox.manage("modifyvm", machine, "--name=renamed")
    app.wait_row("renamed", "off")
    virtualbox.manage("unregistervm", machine, "--delete")
    app.wait_text("virtualbox has no VMs.")


def test_rows_outlive_vboxsvc_until_it_is_back(tmp_path: Path, virtualbox: PrivateVirtualBox) -> None:
    virtualbox.create("survivor")
    virtualbox.create("witness")
    away = tmp_path / "away"
    # VirtualBox starts its service by itself for whoever asks: keep it away for a while
    gates = {}
    for name, command in virtualbox.environment().items():
        gate = tmp_path / name
        gate.write_text(f'#!/bin/sh\n[ ! -e {away} ] || {{ echo away >&2; exit 1; }}\nexec {command} "$@"\n')
        gate.chmod(0o755)
        gates[name] = str(gate)
    with dashboard(tmp_path, virtualbox, **gates) as app:
        app.wait_row("survivor", "off")
        app.select("survivor")
        fresh = app.looks("witness")
        away.touch()
        virtualbox.kill()
        app.wait_text("virtualbox unreachable since", "retrying in")
        app.wait_row("survivor", "off")
        app.wait_for(lambda: app.looks("witness") not in ([], fresh), "the rows dimmed")
        app.press("s")
        app.wait_text("does not answer")
        app.press("?")
        app.wait_text("Esc closes", seconds=5)
        app.press("Esc")
        app.wait_gone("Esc closes", seconds=5)
        away.unlink()
        app.wait_gone("unreachable since", seconds=40)
        app.wait_for(lambda: app.looks("witness") == fresh, "the row as before")
        app.press("s")
        virtualbox.wait_state("survivor", "running")
        app.wait_row("survivor", "up ")


@pytest.mark.parametrize("end", ["SIGKILL", "q"])
def test_vms_go_on_without_boxtop(tmp_path: Path, virtualbox: PrivateVirtualBox, end: str) -> None:
    ours, others = virtualbox.create("ours"), virtualbox.create("others")
    virtualbox.run(others)
    with dashboard(tmp_path, virtualbox) as app:
        app.wait_row("others", "up ")
        app.select("ours")
        app.press("s")
        virtualbox.wait_state(ours, "running")
        app.wait_row("ours", "up ")
        before = [virtualbox.pid(ours), virtualbox.pid(others)]
        if end == "q":
            app.press("q")
        else:
            app.signal(signal.SIGKILL)
        app.wait_end()
        wait_until(lambda: not app.left_behind(), "the helper process to be gone")
    assert [virtualbox.state(ours), virtualbox.state(others)] == ["running", "running"]
    assert [virtualbox.pid(ours), virtualbox.pid(others)] == before
