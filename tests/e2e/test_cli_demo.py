"""The command line without any engine: the demo, pipes, odd locales, and how little `--version` starts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.run_cli import COMMAND, ROOT, boxtop, environment

TRACES = ("Traceback", "Error:", "Exception")


def test_version_and_help_start_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys, contextlib\n"
        "from tui.cli import run\n"
        "for option in ('--version', '--help'):\n"
        "    with contextlib.suppress(SystemExit): run([option])\n"
        "print(sorted({'textual', 'rich', 'docker', 'psutil', 'requests', 'asyncio'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("boxtop ")
    assert lines[-1] == "[]"


def test_one_listing_of_everything(tmp_path: Path) -> None:
    done = boxtop(tmp_path, "ls", "--demo")
    assert done.returncode == 0
    heads = [section.split()[0] for section in done.stdout.split("\n\n")]
    assert heads == ["HOST", "CONTAINER", "VM", "IMAGE", "VOLUME", "NETWORK"]
    assert done.stderr == "boxtop: DEMO: what follows is simulated\n"
    assert "\x1b" not in done.stdout


def test_without_a_terminal_it_lists_and_ends_well(tmp_path: Path) -> None:
    done = boxtop(tmp_path, "--demo")
    assert done.returncode == 0
    assert done.stdout.startswith("HOST ")
    assert "\nCONTAINER " in done.stdout


@pytest.mark.parametrize("section", ["containers", "vms", "images", "volumes", "networks", "host"])
def test_json_of_one_section(tmp_path: Path, section: str) -> None:
    done = boxtop(tmp_path, "ls", section, "--json", "--demo")
    assert done.returncode == 0
    data = json.loads(done.stdout)
    assert set(data) == {"engines", section}
    assert data[section]


def test_running_boxes_have_figures_and_others_have_none(tmp_path: Path) -> None:
    data = json.loads(boxtop(tmp_path, "ls", "--json", "--demo").stdout)
    for box in data["containers"] + data["vms"]:
        assert (box["usage"] is not None) == (box["state"] == "running")
    assert all(box["usage"]["cpu"] is not None for box in data["containers"] if box["usage"])


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "ls", "--demo"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait(30) == 141
    assert not [trace for trace in TRACES if trace in errors]
    process.stderr.close()


def test_a_locale_without_unicode_still_prints(tmp_path: Path) -> None:
    plain = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = boxtop(tmp_path, "ls", "--demo", **plain)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert json.loads(boxtop(tmp_path, "ls", "--json", "--demo", **plain).stdout)["containers"]


def test_ascii_is_ascii(tmp_path: Path) -> None:
    assert boxtop(tmp_path, "ls", "--demo", "--ascii").stdout.isascii()
    assert boxtop(tmp_path, "doctor", "--demo", "--ascii").stdout.isascii()


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_are_no_terminal(tmp_path: Path, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" --demo {closed}', "sh", *COMMAND],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("HOST ")


def test_doctor_tells_all_it_looks_at(tmp_path: Path) -> None:
    done = boxtop(tmp_path, "doctor", "--demo", COLORTERM="truecolor", SSH_CONNECTION="a b", TMUX="x", NO_COLOR="1")
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "docker         connected: docker",
        "virtualbox     connected: virtualbox",
        "boxtop         ",
        "Python         3",
        "textual        8",
        "pyvbox         ",
        "psutil         ",
        "TERM           xterm-256color",
        "COLORTERM      truecolor",
        "NO_COLOR       set",
        "over SSH       yes",
        "in tmux        tmux",
        "encoding       utf-8",
        f"none at {tmp_path}/.config/boxtop/config.toml",
        "cgroups        ",
        sys.executable,
    ):
        assert words in done.stdout


def test_doctor_goes_on_with_a_wrong_configuration(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("interval = 0")
    done = boxtop(tmp_path, "doctor", "--demo", "--config", str(file))
    assert done.returncode == 0
    assert f"wrong: {file}: interval: must be a number" in done.stdout


def test_what_print_config_writes_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(boxtop(tmp_path, "--print-config").stdout)
    done = boxtop(tmp_path, "ls", "host", "--demo", "--config", str(file))
    assert done.returncode == 0
