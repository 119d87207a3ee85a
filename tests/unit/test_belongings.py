"""Volumes and networks in the model, the store, the forms and the listing; events in their rings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backends.actions import refusal
from backends.docker import belongings as docker
from backends.docker import told
from backends.docker.events import refs_of
from backends.docker.moments import Moments
from backends.events import EngineEvent, EventRing
from backends.model import Action, Change, Kind, Loss, Mount, Network, Ref, Snapshot, State, Subnet, Volume
from backends.watch import Connected
from tests.unit.objects import NOW, container, info, vm
from tests.unit.test_listing import FOUND, fields
from tui import listing, pruning
from tui.belonging_forms import join_check, network_check, network_line, volume_check, volume_line
from tui.confirmations import confirmation, differs
from tui.events_view import matches, row_of
from tui.happened import Happened
from tui.pruning import Going, Lot
from tui.selection import Filter
from tui.store import Store

ID = "0123456789abcdef" * 4
DATA = Volume(Ref("docker", Kind.VOLUME, "data"), "data", "local", "/srv/data", NOW - 60)
LOOSE = replace(DATA, ref=Ref("docker", Kind.VOLUME, ID), name=ID, anonymous=True)
FRONT = Network(
    Ref("docker", Kind.NETWORK, "front-id"), "front", "bridge", "local", NOW, (Subnet("10.1.0.0/24", "10.1.0.1"),)
)
BRIDGE = Network(Ref("docker", Kind.NETWORK, "bridge-id"), "bridge", "bridge", "local", builtin=True)
WEB = container(mounts=(Mount("volume", "data", "/data", True),), networks=(("front", "10.1.0.2"),))


def known() -> Store:
    store = Store()
    store.add_engine("docker", "docker://", tuple(Kind), read_only=False)
    store.apply(Connected(info()))
    store.apply(Snapshot("docker", NOW, (WEB,), volumes=(DATA, LOOSE), networks=(FRONT, BRIDGE)))
    return store


def test_only_deletion_applies_and_not_to_what_the_engine_made() -> None:
    for item in (DATA, FRONT):
        assert refusal(Action.DELETE, item) is None
        assert refusal(Action.START, item) == f"{item.ref.kind}s do not run"
    assert "engine's own" in str(refusal(Action.DELETE, BRIDGE))


def test_users_come_from_the_containers_and_change_with_them() -> None:
    store = known()
    assert store.users_of(DATA) == store.users_of(FRONT) == ("web",)
    assert store.users_of(LOOSE) == ()
    left = replace(WEB, networks=())
    delta = store.apply(Snapshot("docker", NOW, (left,), volumes=(DATA, LOOSE), networks=(FRONT, BRIDGE)))
    assert FRONT.ref in delta.refs
    assert store.users_of(FRONT) == ()


def test_an_engine_that_does_not_tell_its_volumes_this_time_loses_none() -> None:
    store = known()
    store.apply(Snapshot("docker", NOW, (WEB,), volumes=None, networks=(BRIDGE,)))
    assert {item.ref for item in store.of_kind(Kind.VOLUME)} == {DATA.ref, LOOSE.ref}
    assert {item.ref for item in store.of_kind(Kind.NETWORK)} == {BRIDGE.ref}


def test_a_size_stays_until_its_volume_goes() -> None:
    store = known()
    store.apply_volume_sizes({DATA.ref: 5, Ref("docker", Kind.VOLUME, "unknown"): 7})
    assert store.volume_sizes == {DATA.ref: 5}
    store.apply(Snapshot("docker", NOW, (WEB,), volumes=(LOOSE,)))
    assert store.volume_sizes == {}


def test_a_volume_goes_only_when_its_name_is_typed() -> None:
    losses = {DATA.ref: (Loss("all files in it", size=2048),)}
    asked = confirmation(Action.DELETE, [DATA], losses)
    assert asked.typed == "data"
    assert all(choice.needs_typed for choice in asked.choices if choice.id != "cancel")
    assert any("2.0 KiB" in text for text, _ in asked.lines)
    assert confirmation(Action.DELETE, [DATA, LOOSE], losses).typed == "delete 2 volumes"
    assert confirmation(Action.DELETE, [FRONT], {}).typed == ""


def test_a_volume_made_anew_under_its_name_is_another() -> None:
    assert differs(DATA, DATA) is None
    assert differs(DATA, replace(DATA, created=NOW)) == "was made anew meanwhile"


def test_filters_look_into_what_a_row_tells() -> None:
    assert Filter("anonymous").matches(LOOSE)
    assert Filter("10.1.0. front").matches(FRONT)
    assert not Filter("-bridge").matches(FRONT)
    assert Filter("", only_running=True).matches(DATA)


def test_each_lot_goes_with_those_before_it_and_named_data_is_typed_for() -> None:
    lots = [Lot("anonymous", "A", (Going(LOOSE, size=10),)), Lot("named", "N", (Going(DATA),), typed=True)]
    assert [going.item for going in pruning.chosen(lots, "anonymous")] == [LOOSE]
    assert [going.item for going in pruning.chosen(lots, "named")] == [LOOSE, DATA]
    assert pruning.chosen(lots, "cancel") == []


# -- forms ---------------------------------------------------------------------------------------------------------


def network_values(**changes: object) -> dict[str, object]:
    empty = {"name": "back", "driver": "bridge", "subnet": "", "gateway": "", "range": ""}
    return {**empty, "internal": False, "attachable": False, "options": (), "labels": (), **changes}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, set()),
        ({"name": ""}, {"name"}),
        ({"name": "front"}, {"name"}),
        ({"name": "-x"}, {"name"}),
        ({"gateway": "10.2.0.1"}, {"gateway"}),
        ({"subnet": "10.2.0.0"}, {"subnet"}),
        ({"subnet": "10.2.0.5/24"}, {"subnet"}),
        ({"subnet": "10.1.0.128/25"}, {"subnet"}),
        ({"subnet": "10.2.0.0/24", "gateway": "10.3.0.1", "range": "10.2.0.0/16"}, {"gateway", "range"}),
        ({"subnet": "10.2.0.0/24", "gateway": "fd00::1", "range": "fd00::/64"}, {"gateway", "range"}),
        ({"subnet": "10.2.0.0/24", "gateway": "10.2.0.9", "range": "10.2.0.128/25"}, set()),
        ({"subnet": "fd00:5::/64"}, set()),
        ({"options": ("mtu",), "labels": ("=x",)}, {"options", "labels"}),
    ],
)
def test_a_network_form_says_what_is_wrong(changes: dict[str, object], wrong: set[str]) -> None:
    assert set(network_check([FRONT, BRIDGE])(network_values(**changes))) == wrong


def test_forms_show_the_command_they_stand_for() -> None:
    values = network_values(subnet="fd00:5::/64", internal=True, labels=("team=a b",))
    assert network_line(values) == (
        "docker network create --subnet fd00:5::/64 --internal --ipv6 --label 'team=a b' back"
    )
    volume = {"name": "v1", "driver": "nfs", "options": ("o=addr=10.0.0.1",), "labels": ()}
    assert volume_line(volume) == "docker volume create --driver nfs --opt o=addr=10.0.0.1 v1"


@pytest.mark.parametrize(("name", "right"), [("", True), ("new", True), ("data", False), ("a", False), ("a b", False)])
def test_a_volumes_name(name: str, right: bool) -> None:
    values = {"name": name, "driver": "local", "options": (), "labels": ()}
    assert (not volume_check({"data"})(values)) is right


@pytest.mark.parametrize(
    ("aliases", "address", "wrong"),
    [
        ("", "", set()),
        ("db db-1", "10.1.0.9", set()),
        ("a/b", "10.9.0.1", {"aliases", "address"}),
        ("", "x", {"address"}),
    ],
)
def test_joining_a_network(aliases: str, address: str, wrong: set[str]) -> None:
    assert set(join_check(FRONT)({"aliases": aliases, "address": address})) == wrong


# -- what engines answer -------------------------------------------------------------------------------------------


def test_a_listing_of_volumes_is_read_whatever_is_in_it() -> None:
    entries = [
        {"Name": "a\x1b[31m", "Driver": "local", "CreatedAt": "2026-01-02T03:04:05+01:00", "Labels": {"k\n": "v"}},
        {"Name": ID, "Driver": None, "CreatedAt": "0001-01-01T00:00:00Z", "Labels": None, "Options": []},
        {"Name": "x", "CreatedAt": 7, "Labels": {"com.docker.volume.anonymous": ""}},
        {"Driver": "nameless"},
        "nonsense",
    ]
    first, second, third = docker.volumes({"Volumes": entries}, "docker")
    assert first.name == "a"
    assert first.created == 1767319445.0
    assert first.labels == (("k ", "v"),)
    assert (second.anonymous, second.created, third.anonymous, third.labels) == (True, None, True, ())
    assert docker.volumes(None, "docker") == ()


def test_podmans_default_network_has_the_name_its_containers_know() -> None:
    answer = {"Id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9", "Name": "bridge", "IPAM": None}
    found = docker.network(answer, "podman")
    assert (found.name, found.builtin, found.subnets) == ("podman", True, ())


@pytest.mark.parametrize(
    ("event", "refs"),
    [
        ({"Type": "volume", "Action": "create", "Actor": {"ID": "v"}}, {Ref("e", Kind.VOLUME, "v")}),
        (
            {"Type": "volume", "Action": "remove", "Actor": {"ID": "", "Attributes": {"name": "v"}}},
            {Ref("e", Kind.VOLUME, "v")},
        ),
        ({"Type": "volume", "Action": "mount", "Actor": {"ID": "v"}}, None),
        ({"Type": "network", "Action": "destroy", "Actor": {"ID": "n"}}, {Ref("e", Kind.NETWORK, "n")}),
        (
            {
                "Type": "network",
                "Action": "connect",
                "Actor": {"ID": "n", "Attributes": {"container": "c", "type": "b"}},
            },
            {Ref("e", Kind.CONTAINER, "c")},
        ),
        (
            {"Type": "network", "Action": "connect", "Actor": {"ID": "c", "Attributes": {"name": "web"}}},
            {Ref("e", Kind.CONTAINER, "c")},
        ),
        ({"Type": "network", "Action": "create", "Actor": "nonsense"}, None),
    ],
)
def test_events_name_volumes_and_networks(event: dict[str, object], refs: set[Ref] | None) -> None:
    assert refs_of(event, "e", Moments(), Moments()) == refs


# -- events --------------------------------------------------------------------------------------------------------


def test_an_event_is_told_clean_with_its_command_apart() -> None:
    event = told.record(
        {
            "Type": "container",
            "Action": "exec_create: sh -c 'curl --password=hunter2'",
            "Actor": {"ID": "c1", "Attributes": {"name": "web\x1b[2J", "exitCode": "0", "a.label": "x" * 9000}},
            "timeNano": 1_700_000_000_500_000_000,
        },
        "docker",
    )
    assert (event.time, event.action, event.name, event.chatter) == (1_700_000_000.5, "exec_create", "web", True)
    assert dict(event.attributes)["command"].startswith("sh -c")
    assert max(len(value) for _, value in event.attributes) == 300
    row = row_of(("docker", 1), event, NOW)
    assert not any("hunter2" in cell.text for cell in row.cells)


@pytest.mark.parametrize("event", [{}, {"Actor": []}, {"Actor": {"Attributes": 3}, "timeNano": "x", "Action": None}])
def test_a_strange_event_ends_nothing(event: dict[str, object]) -> None:
    assert told.record(event, "docker").engine == "docker"


def test_a_ring_keeps_the_last_ones_and_counts_the_rest() -> None:
    ring = EventRing(kept=3, kept_chatter=1)
    for number in range(5):
        ring.add(EngineEvent(number, "docker", "container", "start", f"c{number}"))
        ring.add(EngineEvent(number, "docker", "container", "exec_die", f"c{number}", chatter=True))
    found, dropped = ring.read()
    assert [event.name for _, event in found] == ["c2", "c3", "c4"]
    assert dropped == 2
    found, dropped = ring.read(chatter=True)
    assert [event.chatter for _, event in found] == [False, False, False, True]
    assert dropped == 6
    assert [event.name for _, event in ring.read(after=7)[0]] == ["c4"]


def test_events_are_found_by_words() -> None:
    event = EngineEvent(NOW, "docker", "container", "die", "web", attributes=(("exitCode", "3"),))
    assert matches(event, "")
    assert matches(event, "WEB exitcode=3")
    assert not matches(event, "web -die")


def test_an_engine_without_events_has_its_vms_states_noted() -> None:
    store = Store()
    store.add_engine("virtualbox", "virtualbox://", (Kind.VM,), read_only=False)
    happened = Happened(store, lambda _: None)
    off = vm(state=State.OFF, state_word="PoweredOff")
    updates = [
        Connected(info("virtualbox", Kind.VM)),
        Snapshot("virtualbox", NOW, vms=(off,)),
        Change("virtualbox", NOW + 1, (replace(off, state=State.RUNNING, state_word="Running"),)),
        Snapshot("virtualbox", NOW + 2),
    ]
    for update in updates:
        happened.observe(update)
        store.apply(update)
    told = [(event.action, event.name) for _, event in happened.rings()["virtualbox"].read()[0]]
    assert told == [("state: Running", "build"), ("unregistered", "build")]


# -- listing -------------------------------------------------------------------------------------------------------


def test_the_command_line_lists_them_and_the_document_names_each_field() -> None:
    answer = next(answer for answer in FOUND.answers if answer.snapshot)
    assert answer.snapshot is not None
    users = tuple(replace(box, mounts=WEB.mounts, networks=WEB.networks) for box in answer.snapshot.containers[:1])
    snapshot = replace(answer.snapshot, containers=users, volumes=(DATA,), networks=(FRONT,))
    found = replace(FOUND, answers=(replace(answer, snapshot=snapshot),))
    data = listing.as_json(found, "volumes") | listing.as_json(found, "networks")
    assert data["volumes"][0]["used_by"] == [users[0].name]
    text = (Path(__file__).parents[2] / "docs/json.md").read_text()
    assert not [name for name in sorted(fields(data)) if f"`{name}`" not in text]
    assert "data" in listing.tables(found, "volumes")
    assert "10.1.0.0/24" in listing.tables(found, "networks")
