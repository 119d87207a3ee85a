"""What the details' tabs show: pure parts of them."""

from __future__ import annotations

import pytest

from backends.model import Container, Kind, Ref, State
from backends.particulars import Check, HealthLog, MountPoint
from backends.secrets import MASK
from tui.tabs import TABS, tabs_of
from tui.tabs.environment import EnvironmentTab
from tui.tabs.particulars import health_facts, mount_facts, network_facts
from tui.tabs.processes import sort_key
from tui.words import matcher
from widgets.facts import Fact


def test_numbers_and_times_sort_by_what_they_mean():
    times = ["1-00:00:00", "00:00:02", "23:59:59", "00:10", "9"]
    assert sorted(times, key=sort_key) == ["00:00:02", "9", "00:10", "23:59:59", "1-00:00:00"]
    assert sorted(["10", "9.5", "b", "A", "-"], key=sort_key) == ["9.5", "10", "-", "A", "b"]


def test_a_tab_is_there_only_where_the_engine_can_do_it():
    box = Container(Ref("docker", Kind.CONTAINER, "1"), "a", "i", "", "", State.RUNNING, "running", 0.0)
    able = {spec.ability for spec in TABS if spec.ability}
    all_of_them = [spec.id for spec in tabs_of(box, able)]
    assert {"overview", "stats", "processes", "changes", "environment", "health", "inspect"} <= set(all_of_them)
    assert "processes" not in [spec.id for spec in tabs_of(box)]
    assert [spec.id for spec in tabs_of(None)] == ["overview"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("PLAIN=1", None),
        ("DB_PASSWORD=x", f"DB_PASSWORD={MASK}"),
        ("URL=postgres://a:b@c/d", f"URL=postgres://a:{MASK}@c/d"),
        ("EMPTY_PASSWORD=", None),
        ("odd", None),
    ],
)
def test_which_variables_are_masked(line, shown):
    assert EnvironmentTab.masked(line) == shown


def texts(facts):
    return {
        fact.label: fact.value if isinstance(fact.value, str) else fact.value.text
        for fact in facts
        if isinstance(fact, Fact)
    }


def test_health_in_words():
    log = HealthLog(
        ("CMD", "probe", "--password", "hunter2", "a b"),
        interval=1.5,
        retries=1,
        status="unhealthy",
        streak=2,
        checks=(Check(1000.0, 0.25, 1, "no\n" * 50), Check(None, None, 0, "")),
    )
    shown = texts(health_facts(log, 1010.0))
    assert shown["check"] == f"probe --password {MASK} 'a b'"
    assert shown["every"] == "1.5 s"
    assert shown["unhealthy after"] == "1 failure in a row"
    assert shown["failures in a row"] == "2"
    assert shown[""] == "10 more lines: see Inspect"
    assert shown["result"] == "passed"
    assert "No health check" in texts(health_facts(HealthLog(), 0.0))[""]
    assert (
        texts(health_facts(HealthLog(("CMD-SHELL", "true"), status="starting"), 0.0))[""] == "The engine has none yet."
    )


def test_mounts_and_networks_in_words():
    shown = texts(mount_facts([MountPoint("tmpfs", "", "/tmp", False, mode="ro")]))
    assert (shown["source"], shown["access"], shown["mode"]) == ("memory", "read only", "ro")
    assert "Nothing is mounted" in texts(mount_facts([]))[""]
    assert "engine's machine" in texts(network_facts({"HostConfig": {"NetworkMode": "host"}}))[""]
    assert "that container" in texts(network_facts({"HostConfig": {"NetworkMode": "container:abc"}}))[""]
    assert "no network" in texts(network_facts({"HostConfig": {"NetworkMode": "none"}}))[""]


def test_the_filter_of_words():
    assert matcher("  ") is None
    both = matcher("Etc -passwd")
    assert both is not None
    assert both("/etc/hosts")
    assert not both("/etc/passwd")
    dash = matcher("-")
    assert dash is not None and dash("a-b") and not dash("ab")
