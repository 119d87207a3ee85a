"""Machines as VirtualBox and VBoxManage describe them, and which interpreter and VBoxManage are used."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from backends.actions import refusal
from backends.model import Action, State
from backends.virtualbox import interpreter
from backends.virtualbox.machines import machine, state_name
from backends.virtualbox.manage import ManageError, VBoxManage


def plain(**changes: Any) -> dict[str, Any]:
    return {
        "id": "6bfa50e2-9f72-41e4-97d6-7a5e6aa6005e",
        "name": "vm",
        "state": "PoweredOff",
        "os_type": "Windows 11 (64-bit)",
        "cpus": 4,
        "memory": 8 << 30,
        "changed": 1000.0,
        "started": None,
        "groups": ["/"],
        "description": "",
        "snapshots": 0,
        "error": "",
    } | changes


@pytest.mark.parametrize(
    ("sdk", "manage", "state", "word"),
    [
        ("PoweredOff", "poweroff", State.OFF, "powered off"),
        ("Running", "running", State.RUNNING, "running"),
        ("Paused", "paused", State.PAUSED, "paused"),
        ("Saved", "saved", State.SAVED, "saved"),
        ("AbortedSaved", "aborted-saved", State.SAVED, "aborted, saved"),
        ("Aborted", "aborted", State.CRASHED, "aborted"),
        ("Stuck", "gurumeditation", State.CRASHED, "guru meditation"),
        ("Starting", "starting", State.STARTING, "starting"),
        ("Restoring", "restoring", State.STARTING, "restoring"),
        ("Stopping", "stopping", State.STOPPING, "stopping"),
        ("Saving", "saving", State.SAVING, "saving"),
        ("DeletingSnapshotOnline", "deletingsnapshotlive", State.RUNNING, "deleting snapshot online"),
        ("SomethingNew", "SomethingNew", State.UNKNOWN, "something new"),
    ],
)
def test_states_and_words(sdk: str, manage: str, state: State, word: str) -> None:
    assert state_name(manage) == sdk
    vm = machine("virtualbox", plain(state=sdk))
    assert (vm.state, vm.state_word) == (state, word)


def test_times_and_texts() -> None:
    running = machine("virtualbox", plain(state="Running", name="a\x1b[31mb\u202e", groups=["/", "/lab"]))
    assert (running.started, running.changed) == (1000.0, 1000.0)
    assert running.name == "ab\ufffd"
    assert running.groups == ("/lab",)
    assert machine("virtualbox", plain(state="Running", started=900.0)).started == 900.0
    assert machine("virtualbox", plain(started=900.0)).started is None


def test_refusals_beyond_the_state() -> None:
    stuck = machine("virtualbox", plain(state="Stuck"))
    assert refusal(Action.KILL, stuck) is None
    assert "power it off" in str(refusal(Action.START, stuck))
    assert "power it off" in str(refusal(Action.DELETE, stuck))
    aborted = machine("virtualbox", plain(state="Aborted"))
    assert refusal(Action.START, aborted) is None
    assert refusal(Action.KILL, aborted)
    assert (
        refusal(Action.START, machine("virtualbox", plain(state="DeletingSnapshot"))) == "a snapshot is being deleted"
    )


def say(folder: Path, answers: dict[str, str], status: int = 0) -> list[str]:
    """A command that answers as VBoxManage did: by its first two arguments, else to stderr with `status`."""
    lines = ["#!/bin/sh", 'case "$1 $2" in']
    for number, (arguments, text) in enumerate(answers.items()):
        (folder / f"{number}.txt").write_text(text)
        lines.append(f"'{arguments}') cat '{folder}/{number}.txt';;")
    (folder / "error.txt").write_text(
        "VBoxManage: error: Could not find a registered machine named 'x'\n"
        "VBoxManage: error: Details: code VBOX_E_OBJECT_NOT_FOUND (0x80bb0001), component VirtualBoxWrap\n"
        'VBoxManage: error: Context: "FindMachine()" at line 2964 of file VBoxManageInfo.cpp\n'
    )
    lines += [f"*) cat '{folder}/error.txt' >&2; exit {status};;", "esac"]
    script = folder / "VBoxManage"
    script.write_text("\n".join(lines) + "\n")
    script.chmod(0o755)
    return [str(script)]


ONE, TWO = "6bfa50e2-9f72-41e4-97d6-7a5e6aa6005e", "f88693c9-72a4-494b-99ca-59b26d2c61c4"


async def test_vboxmanage_listing_with_hostile_names_and_a_description_of_lines(tmp_path: Path) -> None:
    info = (
        'name="say "hi" {x}"\ngroups="/lab/web,/all"\nostype="Windows 11 (64-bit)"\nUUID="' + ONE + '"\n'
        'memory=8192\ncpus=4\nVMState="running"\nVMStateChangeTime="2026-11-23T11:28:23.262000000"\n'
        '"SATA-0-0"="/disks/a b.vdi"\ndescription="first\nsecond=2\nthird"\n'
        'SnapshotName="one"\nSnapshotUUID="1"\nSnapshotName-1="two"\nSnapshotUUID-1="2"\nCurrentSnapshotUUID="2"\n'
    )
    manage = VBoxManage(
        say(
            tmp_path,
            {
                "list vms": f'"say "hi" {{x}}" {{{ONE}}}\n"<inaccessible>" {{{TWO}}}\n',
                "list runningvms": f'"say "hi" {{x}}" {{{ONE}}}\n',
                f"showvminfo {ONE}": info,
            },
            status=1,
        )
    )
    first, second = (machine("virtualbox", data) for data in await manage.machines())
    assert (first.name, first.state, first.cpus, first.memory) == ('say "hi" {x}', State.RUNNING, 4, 8 << 30)
    assert (first.groups, first.snapshots, first.changed) == (("/lab/web", "/all"), 2, 1795433303.262)
    assert first.description == "first\nsecond=2\nthird"
    assert (second.name, second.state) == (TWO, State.UNKNOWN)
    assert second.error == "Could not find a registered machine named 'x'"


async def test_vboxmanage_reasons_are_one_line_in_words(tmp_path: Path) -> None:
    manage = VBoxManage(say(tmp_path, {}, status=1))
    with pytest.raises(ManageError) as error:
        await manage.run("startvm", ONE)
    assert str(error.value) == "Could not find a registered machine named 'x'"
    with pytest.raises(ManageError, match="No such file"):
        await VBoxManage(["/nonexistent/VBoxManage"]).run("--version")


def test_a_named_interpreter_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOXTOP_VIRTUALBOX_PYTHON", raising=False)
    own, *others = interpreter.candidates("")
    assert own.command == (sys.executable,)
    assert len({one.command for one in (own, *others)}) == len(others) + 1
    (configured,) = interpreter.candidates("/opt/vbx 'my python'")
    assert configured.command == ("/opt/vbx", "my python")
    monkeypatch.setenv("BOXTOP_VIRTUALBOX_PYTHON", "/env/python")
    (named,) = interpreter.candidates("/opt/python")
    assert (named.command, named.origin) == (("/env/python",), "BOXTOP_VIRTUALBOX_PYTHON")
    monkeypatch.setenv("BOXTOP_VIRTUALBOX_PYTHON", "'unclosed")
    with pytest.raises(ValueError, match="BOXTOP_VIRTUALBOX_PYTHON"):
        interpreter.candidates("")


def test_where_virtualbox_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BOXTOP_VIRTUALBOX_PYTHON", "BOXTOP_VBOXMANAGE", "VBOX_PROGRAM_PATH", "VBOX_SDK_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    programs = tmp_path / "virtualbox"
    monkeypatch.setattr(interpreter, "PROGRAM_FOLDERS", (str(programs),))
    assert not interpreter.installed("")
    assert interpreter.environment() == {}
    (programs / "sdk").mkdir(parents=True)
    for name in ("VBoxSVC", "VBoxManage"):
        (programs / name).touch()
    assert interpreter.installed("")
    assert interpreter.vboxmanage() == (str(programs / "VBoxManage"),)
    assert interpreter.environment() == {
        "VBOX_PROGRAM_PATH": str(programs),
        "VBOX_SDK_PATH": os.fspath(programs / "sdk"),
    }
    monkeypatch.setenv("BOXTOP_VBOXMANAGE", "/private/vb -q")
    assert interpreter.vboxmanage() == ("/private/vb", "-q")
