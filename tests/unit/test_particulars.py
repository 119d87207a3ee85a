"""What is read from inspect answers: real shapes of Docker 20.10 and Podman 4.3, and broken ones."""

from __future__ import annotations

import pytest

from backends.particulars import (
    Attachment,
    MountPoint,
    PortEntry,
    attachments,
    environment,
    health_log,
    mount_points,
    network_mode,
    port_entries,
)

NANOS = 1_000_000_000


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"Config": None, "HostConfig": [], "NetworkSettings": "x", "Mounts": {}, "State": 3},
        {"Config": {"Env": None, "Healthcheck": []}, "NetworkSettings": {"Networks": {"a": None}, "Ports": {"x": 1}}},
        {"State": {"Health": {"Log": [None, {"Start": 5, "ExitCode": "x"}]}}, "Mounts": [None, {}]},
    ],
)
def test_whatever_an_engine_answers_nothing_breaks(answer):
    environment(answer)
    mount_points(answer)
    attachments(answer)
    port_entries(answer)
    health_log(answer)
    assert network_mode(answer) == ""


def test_published_ports_of_both_addresses_and_exposed_ones():
    answer = {
        "Config": {"ExposedPorts": {"80/tcp": {}, "9000/udp": {}}},
        "NetworkSettings": {
            "Ports": {
                "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
                "9000/udp": None,
            }
        },
    }
    assert port_entries(answer) == (
        PortEntry(80, "tcp", "0.0.0.0", 8080),
        PortEntry(80, "tcp", "::", 8080),
        PortEntry(9000, "udp"),
    )


def test_ports_of_a_stopped_container_are_those_it_will_have():
    answer = {
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "81/tcp": [{"HostPort": ""}]}},
        "NetworkSettings": {"Ports": {}},
    }
    assert port_entries(answer) == (
        PortEntry(80, "tcp", "", 8080, live=False),
        PortEntry(81, "tcp", "", 0, live=False),
    )


def test_mounts_of_every_kind():
    answer = {
        "Mounts": [
            {
                "Type": "volume",
                "Name": "data",
                "Source": "/var/lib/docker/volumes/data/_data",
                "Destination": "/data",
                "Driver": "local",
                "Mode": "z",
                "RW": True,
                "Propagation": "",
            },
            {"Type": "bind", "Source": "/etc", "Destination": "/a", "Mode": "ro", "RW": False, "Propagation": "rslave"},
        ],
        "HostConfig": {"Tmpfs": {"/scratch": "rw,size=64m", "/seed": "ro"}},
    }
    assert mount_points(answer) == (
        MountPoint("bind", "/etc", "/a", False, mode="ro", propagation="rslave"),
        MountPoint("volume", "/var/lib/docker/volumes/data/_data", "/data", True, "data", "local", "z"),
        MountPoint("tmpfs", "", "/scratch", True, mode="rw,size=64m"),
        MountPoint("tmpfs", "", "/seed", False, mode="ro"),
    )


def test_networks_with_addresses_aliases_and_links():
    answer = {
        "NetworkSettings": {
            "Networks": {
                "podman": {
                    "Aliases": ["04b1276fb5fb"],
                    "Links": None,
                    "Gateway": "10.88.0.1",
                    "IPAddress": "10.88.0.2",
                    "IPPrefixLen": 16,
                    "GlobalIPv6Address": "fd00::2",
                    "GlobalIPv6PrefixLen": 64,
                    "IPv6Gateway": "fd00::1",
                    "MacAddress": "86:52:48:0d:05:f9",
                },
                "back": {"IPAddress": "", "Links": ["db:database"]},
            }
        }
    }
    assert attachments(answer) == (
        Attachment("back", links=("db:database",)),
        Attachment(
            "podman",
            "10.88.0.2/16",
            "10.88.0.1",
            "fd00::2/64",
            "fd00::1",
            "86:52:48:0d:05:f9",
            ("04b1276fb5fb",),
        ),
    )


@pytest.mark.parametrize("key", ["Health", "Healthcheck"])
def test_the_health_log_is_newest_first(key):
    answer = {
        "Config": {"Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 2 * NANOS, "Timeout": 0, "Retries": 3}},
        "State": {
            key: {
                "Status": "unhealthy",
                "FailingStreak": 4,
                "Log": [
                    {
                        "Start": "2026-11-23T14:57:26.500000000Z",
                        "End": "2026-11-23T14:57:27.000000000Z",
                        "ExitCode": 0,
                        "Output": "ok\n",
                    },
                    {
                        "Start": "2026-11-23T15:57:28.5+01:00",
                        "End": "2026-11-23T15:57:28.75+01:00",
                        "ExitCode": 1,
                        "Output": "no\nroute",
                    },
                    {"Start": "0001-01-01T00:00:00Z", "End": "0001-01-01T00:00:00Z", "ExitCode": -1, "Output": ""},
                ],
            }
        },
    }
    log = health_log(answer)
    assert (log.test, log.interval, log.timeout, log.retries) == (("CMD-SHELL", "true"), 2.0, None, 3)
    assert (log.status, log.streak) == ("unhealthy", 4)
    assert [(check.exit_code, check.output, check.seconds) for check in log.checks] == [
        (1, "no\nroute", pytest.approx(0.25)),
        (0, "ok", pytest.approx(0.5)),
        (-1, "", None),
    ]


def test_a_check_that_was_switched_off_is_none():
    assert health_log({"Config": {"Healthcheck": {"Test": ["NONE"]}}}).test == ()
