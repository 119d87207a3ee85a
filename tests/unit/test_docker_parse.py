"""The engine's listing, as Docker 20.10 to 29 and Podman give it, as model objects."""

from __future__ import annotations

from typing import Any

import pytest

from backends.base import EngineError
from backends.docker.client import agree
from backends.docker.moments import Moments, parse_age
from backends.docker.parse import Parser, image_id, is_anonymous
from backends.docker.stats import StatsRates
from backends.model import Action, Health, Port, State

NOW = 1_800_000_000.0
ID = "ab" * 32
IMAGE = "sha256:" + "cd" * 32


def entry(**changes: Any) -> dict[str, Any]:
    """One container of Docker 28's `GET /containers/json`."""
    return {
        "Id": ID,
        "Names": ["/web"],
        "Image": "nginx:1.27",
        "ImageID": IMAGE,
        "Command": "/docker-entrypoint.sh nginx -g 'daemon off;'",
        "Created": 1_799_000_000,
        "Ports": [
            {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"PrivatePort": 443, "Type": "tcp"},
        ],
        "Labels": {"z": "1", "a": "2"},
        "State": "running",
        "Status": "Up 3 days (healthy)",
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
        "Mounts": [
            {"Type": "volume", "Name": "data", "Source": "", "Destination": "/data", "RW": True},
            {"Type": "bind", "Source": "/etc/x", "Destination": "/x", "Mode": "ro", "RW": False},
        ],
    } | changes


def test_a_running_container() -> None:
    box = Parser("docker").container(entry(), NOW)
    assert (box.ref.id, box.name, box.image, box.image_id) == (ID, "web", "nginx:1.27", IMAGE)
    assert (box.state, box.state_word, box.health) == (State.RUNNING, "running", Health.HEALTHY)
    assert box.started is not None
    assert 3 <= (NOW - box.started) / 86400 < 4
    assert box.ports == (Port(80, "tcp", "0.0.0.0", 8080), Port(443, "tcp"))
    assert box.labels == (("a", "2"), ("z", "1"))
    assert box.networks == (("bridge", "172.17.0.2"),)
    assert [(mount.source, mount.writable) for mount in box.mounts] == [("data", True), ("/etc/x", False)]
    assert box.exit_code is None


@pytest.mark.parametrize(
    ("word", "status", "state", "code"),
    [
        ("running", "Up 2 hours", State.RUNNING, None),
        ("paused", "Up 2 hours (Paused)", State.PAUSED, None),
        ("restarting", "Restarting (1) 5 seconds ago", State.RESTARTING, 1),
        ("exited", "Exited (137) 2 minutes ago", State.EXITED, 137),
        ("exited", "Exited (-1) 2 minutes ago", State.EXITED, -1),
        ("created", "Created", State.CREATED, None),
        ("dead", "Dead", State.CRASHED, None),
        ("removing", "Removal In Progress", State.DELETING, None),
        ("stopped", "Exited (0) 1 second ago", State.EXITED, 0),
        ("bewildered", "", State.UNKNOWN, None),
    ],
)
def test_states(word: str, status: str, state: State, code: int | None) -> None:
    box = Parser("docker").container(entry(State=word, Status=status), NOW)
    assert (box.state, box.exit_code, box.state_word) == (state, code, word)
    assert (box.started is not None) is (state in {State.RUNNING, State.PAUSED})


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("Up 5 minutes (healthy)", Health.HEALTHY),
        ("Up 5 minutes (unhealthy)", Health.UNHEALTHY),
        ("Up 2 seconds (health: starting)", Health.STARTING),
        ("Up 2 seconds (starting)", Health.STARTING),
        ("Up 5 minutes (Paused)", None),
        ("Up 5 minutes", None),
    ],
)
def test_health(status: str, health: Health | None) -> None:
    assert Parser("docker").container(entry(Status=status), NOW).health is health


def test_a_dead_container_can_only_be_deleted() -> None:
    refusals = dict(Parser("docker").container(entry(State="dead", Status="Dead"), NOW).refusals)
    assert set(refusals) == {Action.START, Action.RESTART}


@pytest.mark.parametrize(
    ("status", "low", "high"),
    [
        ("Up Less than a second", 0, 1),
        ("Up 1 second", 1, 2),
        ("Up 59 seconds", 59, 60),
        ("Up About a minute", 60, 120),
        ("Up 45 minutes", 45 * 60, 46 * 60),
        ("Up About an hour", 0.5 * 3600, 1.5 * 3600),
        ("Up 47 hours", 46.5 * 3600, 47.5 * 3600),
        ("Up 13 days", 13 * 86400, 14 * 86400),
        ("Up 8 weeks", 8 * 604800, 9 * 604800),
        ("Up 23 months", 23 * 2592000, 24 * 2592000),
        ("Up 2 years", 2 * 31536000, 3 * 31536000),
    ],
)
def test_ages_in_the_engines_words(status: str, low: float, high: float) -> None:
    age = parse_age(status)
    assert age is not None
    assert low <= age.seconds <= high


def test_no_age_in_other_words() -> None:
    assert parse_age("Created") is None
    assert parse_age("Exited (0)") is None


def test_a_start_stays_while_the_listing_agrees_and_moves_when_it_does_not() -> None:
    moments = Moments()
    first = moments.settle(ID, parse_age("Up 10 seconds"), NOW)
    for seconds, status in (
        (1.0, "Up 11 seconds"),
        (1.9, "Up 12 seconds"),
        (300, "Up 5 minutes"),
        (7200, "Up 2 hours"),
    ):
        assert moments.settle(ID, parse_age(status), NOW + seconds) == first
    again = moments.settle(ID, parse_age("Up 3 seconds"), NOW + 7260)
    assert again == pytest.approx(NOW + 7257, abs=1)


def test_an_events_time_is_exact_and_kept() -> None:
    moments = Moments()
    moments.saw(ID, NOW - 4.25)
    assert moments.settle(ID, parse_age("Up 4 seconds"), NOW) == NOW - 4.25
    moments.keep_only(["other"])
    assert moments.settle(ID, None, NOW) is None


def test_what_podman_leaves_out_or_says_otherwise() -> None:
    """Podman 4.3 has null networks and no HostConfig; 3.4 names without a slash and image ids without a prefix."""
    box = Parser("podman", podman=True).container(
        {
            "Id": ID,
            "Names": ["web"],
            "Image": "docker.io/library/nginx:latest",
            "ImageID": "cd" * 32,
            "Command": ["nginx", "-g"],
            "Created": 1_799_000_000,
            "Ports": None,
            "Labels": None,
            "State": "paused",
            "Status": "Up 4 minutes (Paused)",
            "NetworkSettings": {"Networks": None},
            "Mounts": None,
        },
        NOW,
    )
    assert (box.name, box.image_id, box.command) == ("web", IMAGE, "nginx -g")
    assert (box.ports, box.labels, box.networks, box.mounts) == ((), (), (), ())
    assert {action for action, _ in box.refusals} == {Action.STOP, Action.RESTART}


def test_the_name_is_its_own_not_a_links() -> None:
    assert Parser("docker").container(entry(Names=["/app/db", "/db"]), NOW).name == "db"
    assert Parser("docker").container(entry(Names=[]), NOW).name == ID[:12]
    assert Parser("docker").container(entry(Names=None), NOW).name == ID[:12]


def test_hostile_text_is_made_safe() -> None:
    box = Parser("docker").container(
        entry(Image="a\x1b[2Jb", Command="x\ny\x07", Labels={"k\u202e": "\x9b31m"}, Names=["/n\x1b]0;t\x07"]), NOW
    )
    text = repr((box.image, box.command, box.labels, box.name))
    assert not any(control in text for control in ("\\x1b", "\\n", "\\u202e", "\\x9b", "\\x07"))


def test_images() -> None:
    tagged, dangling, none = Parser("docker").images(
        [
            {"Id": IMAGE, "RepoTags": ["a:1", "b:2"], "RepoDigests": ["a@sha256:1"], "Size": 5, "Created": 7},
            {"Id": "ef" * 32, "RepoTags": None, "RepoDigests": ["a@sha256:2"], "Size": 5, "Created": 7},
            {"Id": IMAGE, "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"], "Size": 0, "Created": 7},
        ]
    )
    assert (tagged.tags, tagged.digests, tagged.dangling, tagged.size) == (("a:1", "b:2"), ("a@sha256:1",), False, 5)
    assert dangling.dangling
    assert dangling.ref.id == "sha256:" + "ef" * 32
    assert (none.tags, none.digests, none.dangling) == ((), (), True)


def test_ids() -> None:
    assert image_id("cd" * 32) == IMAGE
    assert image_id(IMAGE) == IMAGE
    assert is_anonymous("ab" * 32)
    assert not is_anonymous("data")


@pytest.mark.parametrize(
    ("newest", "oldest", "agreed"),
    [("1.41", "1.12", "1.41"), ("1.50", "1.24", "1.50"), ("1.52", "1.44", "1.51"), ("1.70", "1.60", "1.60")],
)
def test_the_api_version_agreed(newest: str, oldest: str, agreed: str) -> None:
    assert agree(newest, oldest, "docker") == agreed


def test_engines_too_old_are_refused_in_words() -> None:
    assert agree("1.40", "1.24", "podman") == "1.40"
    with pytest.raises(EngineError, match="too old") as error:
        agree("1.40", "1.12", "docker")
    assert "20.10" in error.value.remedy


def stats(read: str, cpu: int, received: int, **memory: Any) -> dict[str, Any]:
    return {
        "read": read,
        "cpu_stats": {"cpu_usage": {"total_usage": cpu}},
        "memory_stats": {"usage": 100, "limit": 1000, "stats": {"inactive_file": 30, "file": 45}} | memory,
        "networks": {"eth0": {"rx_bytes": received, "tx_bytes": 0}},
        "blkio_stats": {"io_service_bytes_recursive": [{"op": "read", "value": received}, {"op": "Write", "value": 0}]},
        "pids_stats": {"current": 3},
    }


def test_remote_figures_from_two_answers() -> None:
    rates = StatsRates(machine_memory=1000)
    first = rates.usage(ID, stats("2026-11-23T11:18:58.000000001Z", 1_000_000_000, 0))
    assert first is not None
    assert (first.cpu, first.memory, first.memory_limit, first.pids) == (None, 70, None, 3)
    assert first.memory_cache == 45
    second = rates.usage(ID, stats("2026-11-23T11:19:00.000000001Z", 4_000_000_000, 500, limit=400))
    assert second is not None
    assert second.cpu == pytest.approx(1.5)
    assert (second.network_receive, second.disk_read, second.memory_limit) == (250, 250, 400)
    assert rates.usage(ID, stats("2026-11-23T11:19:00.000000001Z", 4_000_000_000, 500)) == second
    restarted = rates.usage(ID, stats("2026-11-23T11:19:02Z", 1_000, 0))
    assert restarted is not None
    assert restarted.cpu is None
    assert rates.usage(ID, stats("0001-01-01T00:00:00Z", 0, 0)) is None
