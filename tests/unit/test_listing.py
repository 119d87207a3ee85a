"""What `ls` prints of known objects: tables that align, JSON with the documented fields, secrets masked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backends.base import EngineError
from backends.model import (
    VM,
    Container,
    EngineInfo,
    FileSystem,
    Health,
    HostUsage,
    Image,
    Kind,
    Mount,
    Port,
    Ref,
    Snapshot,
    State,
    Usage,
)
from tui import listing
from tui.gather import Answer, Gathered

NOW = 1_700_000_000.0
DAY = 86400.0
DOCS = Path(__file__).parent.parent.parent / "docs"

WEB = Container(
    ref=Ref("docker", Kind.CONTAINER, "a" * 64),
    name="web",
    image="nginx:1.27",
    image_id="sha256:" + "b" * 64,
    command="serve --password hunter2",
    state=State.RUNNING,
    state_word="Up 3 days (healthy)",
    created=NOW - 4 * DAY,
    started=NOW - 3 * DAY,
    health=Health.HEALTHY,
    ports=(Port(80, "tcp", "::1", 8080), Port(443, "tcp")),
    labels=(("API_TOKEN", "hunter2"), ("tier", "front")),
    networks=(("bridge", "172.17.0.2"),),
    mounts=(Mount("volume", "data", "/data", writable=True),),
)
JOB = Container(
    ref=Ref("docker", Kind.CONTAINER, "c" * 64),
    name="数据-job",
    image="busybox",
    image_id="sha256:" + "d" * 64,
    command="false",
    state=State.EXITED,
    state_word="Exited (3) 2 hours ago",
    created=NOW - DAY,
    ended=NOW - 7200,
    exit_code=3,
)
LAB = VM(
    ref=Ref("virtualbox", Kind.VM, "11111111-2222"),
    name="lab",
    state=State.SAVED,
    state_word="Saved",
    os_type="Debian (64-bit)",
    cpus=2,
    memory=2 * 1024**3,
    changed=NOW - DAY,
    description="login with password=hunter2",
)
NGINX = Image(
    Ref("docker", Kind.IMAGE, WEB.image_id),
    ("nginx:1.27", "nginx:latest"),
    (),
    438 * 1024**2,
    NOW - DAY,
    dangling=False,
)
LOOSE = Image(Ref("docker", Kind.IMAGE, "sha256:" + "e" * 64), (), (), 1024, -62135596800, dangling=True)
USAGE = Usage(time=NOW, cpu=0.0213, memory=84 * 1024**2, network_receive=10.0, pids=3)
HOST = HostUsage(
    time=NOW,
    name="web-01",
    boot=NOW - 9 * DAY,
    cpu=0.34,
    cores=(0.3, 0.38),
    memory_used=10 * 1024**3,
    memory_total=24 * 1024**3,
    swap_used=0,
    swap_total=0,
    load=(0.41, 0.38, 0.3),
    file_systems=(FileSystem("/", "/dev/sda1", "ext4", 1, 2),),
    temperatures=(("cpu", 51.0),),
)


def docker() -> Answer:
    info = EngineInfo("docker", "docker", "28.5.1", "unix:///run/docker.sock", (Kind.CONTAINER, Kind.IMAGE), "1.51")
    snapshot = Snapshot("docker", NOW, containers=(JOB, WEB), images=(LOOSE, NGINX))
    return Answer("docker", "docker://", "docker", chosen=False, info=info, snapshot=snapshot, usage={WEB.ref: USAGE})


def virtualbox() -> Answer:
    info = EngineInfo("virtualbox", "virtualbox", "7.2", "virtualbox://", (Kind.VM,))
    snapshot = Snapshot("virtualbox", NOW, vms=(LAB,))
    return Answer("virtualbox", "virtualbox://", "virtualbox", chosen=False, info=info, snapshot=snapshot)


def failed(*, absent: bool, chosen: bool = False) -> Answer:
    error = EngineError("nothing listens", "start it", absent=absent)
    return Answer("podman", "podman://", "podman", chosen=chosen, error=error)


FOUND = Gathered(NOW, HOST, (docker(), virtualbox(), failed(absent=False)))


def test_tables_have_one_section_per_kind_with_aligned_columns() -> None:
    sections = listing.tables(FOUND).split("\n\n")
    assert [section.split()[0] for section in sections] == ["HOST", "CONTAINER", "VM", "IMAGE"]
    head, job, web = sections[1].splitlines()[0], *reversed(sections[1].splitlines()[1:])
    assert web.startswith("web")
    assert web.index("nginx:1.27") == head.index("IMAGE")
    # two wide characters take the cells of four
    assert job.index("busybox") == head.index("IMAGE") - 2


def test_every_row_has_every_field() -> None:
    for section in listing.tables(FOUND).split("\n\n"):
        fields = [len(line.split("   ")) - line.split("   ").count("") for line in section.splitlines()]
        assert len(set(fields)) == 1


def test_rows_say_what_matters() -> None:
    text = listing.tables(FOUND)
    assert "exited (3)" in text
    assert "[::1]:8080->80/tcp 443/tcp" in text
    assert "2.1%" in text
    assert "84M" in text
    assert "<dangling>" in text
    assert "10G/24G" in text


def test_one_section_alone() -> None:
    assert listing.tables(FOUND, "vms").startswith("VM ")
    assert set(listing.as_json(FOUND, "vms")) == {"engines", "vms"}


def test_kinds_nobody_serves_are_left_out_unless_asked_for() -> None:
    found = Gathered(NOW, HOST, (docker(),))
    assert "\nVM " not in listing.tables(found)
    assert listing.tables(found, "vms").startswith("VM ")


def test_json_has_numbers_and_utc_times() -> None:
    data = json.loads(json.dumps(listing.as_json(FOUND)))
    web = next(entry for entry in data["containers"] if entry["name"] == "web")
    assert web["created"] == "2023-11-10T22:13:20Z"
    assert web["usage"] == {
        "time": "2023-11-14T22:13:20Z",
        "cpu": 0.0213,
        "cpu_limit": None,
        "memory": 84 * 1024**2,
        "memory_limit": None,
        "network_receive": 10.0,
        "network_transmit": None,
        "disk_read": None,
        "disk_write": None,
        "pids": 3,
    }
    assert [entry["state"] for entry in data["engines"]] == ["connected", "connected", "unreachable"]
    assert data["engines"][2]["remedy"] == "start it"
    assert data["host"]["uptime"] == 9 * DAY
    assert data["images"][1]["used_by"] == ["web"]
    assert data["images"][0]["created"] is None
    assert data["vms"][0]["usage"] is None


def test_secrets_leave_in_no_form() -> None:
    everything = listing.tables(FOUND) + json.dumps(listing.as_json(FOUND))
    assert "hunter2" not in everything
    assert "front" in everything


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        ((docker(), failed(absent=False)), 1),
        ((docker(), failed(absent=True)), 0),
        ((docker(), failed(absent=True, chosen=True)), 1),
        ((failed(absent=True),), 1),
    ],
)
def test_an_absent_engine_is_a_complaint_only_when_it_was_wanted(answers: tuple[Answer, ...], count: int) -> None:
    lines = listing.complaints(Gathered(NOW, HOST, answers))
    assert len(lines) == count
    assert all(line == "podman (podman://): nothing listens – start it" for line in lines)


def fields(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data) | {name for value in data.values() for name in fields(value)}
    if isinstance(data, list):
        return {name for value in data for name in fields(value)}
    return set()


def test_the_documentation_names_every_json_field() -> None:
    data = listing.as_json(FOUND)
    for container in data["containers"]:
        container["labels"] = {}
    text = (DOCS / "json.md").read_text()
    assert not [name for name in sorted(fields(data)) if f"`{name}`" not in text]


def test_the_documentation_names_every_state() -> None:
    text = (DOCS / "json.md").read_text()
    assert not [state for state in State if f"`{state}`" not in text]
