"""What the lists of VMs and of all boxes tell at each width, and that it can be sorted by."""

from __future__ import annotations

import pytest

from backends.model import Usage
from tests.unit.objects import NOW, container, vm
from tui.facts import facts_of
from tui.rows import boxes, vms
from tui.rows.fields import Field, Look, row_of
from tui.rows.marks import UNICODE
from tui.store import Failure, Store
from widgets.columns import arrange
from widgets.facts import Fact
from widgets.glyphs import BRAILLE

_GUTTER = 1
ALWAYS = {"name", "state", "cpus", "size", "cpu", "cpu_history"}


def shown(fields: tuple[Field, ...], width: int) -> set[str]:
    return {fields[slot.index].column.id for slot in arrange([field.column for field in fields], width - _GUTTER)}


@pytest.mark.parametrize(
    ("width", "more"),
    [
        (80, {"network", "disk", "snapshots"}),
        (95, {"network", "disk", "snapshots", "address"}),
        (100, {"network", "disk", "snapshots", "address"}),
        (120, {"network", "disk", "snapshots", "address", "os_type", "memory"}),
        (160, {"receive", "transmit", "read", "write", "snapshots", "address", "os_type", "memory"}),
    ],
)
def test_a_vms_rates_and_snapshots_are_told_at_each_width(width: int, more: set[str]) -> None:
    """95 is what the list has beside the details on a screen of 160."""
    assert shown(vms.FIELDS, width) - {"autostart"} == ALWAYS | more


def test_all_boxes_tell_rates_beside_the_details_and_everything_without_them() -> None:
    assert {"engine", "state", "cpu", "memory", "network", "disk"} <= shown(boxes.FIELDS, 95)
    every = {field.column.id for field in boxes.FIELDS}
    assert shown(boxes.FIELDS, 160) == every - {"network", "disk"}


def test_a_sum_tells_what_is_known_and_sorts() -> None:
    store = Store()
    machine, box = vm(snapshots=3, addresses=("10.0.2.15", "fe80::1")), container(networks=(("front", "172.20.0.4"),))
    store.add_engine("virtualbox", "virtualbox://", (), read_only=False)
    store.usage[machine.ref] = Usage(NOW, network_receive=1000.0, network_transmit=48.0, disk_write=5.0)
    look = Look(store, NOW, UNICODE, BRAILLE)
    cells = {
        field.column.id: cell.text
        for field, cell in zip(vms.FIELDS, row_of(machine, vms.FIELDS, look).cells, strict=True)
    }
    assert (cells["network"], cells["disk"], cells["snapshots"], cells["address"]) == ("1.0K", "5B", "3", "10.0.2.15+")
    sorts = {field.column.id: field.sort for field in boxes.FIELDS}
    assert sorts["network"](machine, look) == 1048.0
    assert sorts["network"](box, look) is None
    assert sorts["snapshots"](machine, look) == 3
    assert sorts["address"](box, look) == ("172.20.0.4",)


@pytest.mark.parametrize(
    ("used", "limit", "share", "told"),
    [
        (8 << 20, 16 << 20, "50%", "8.0 MiB of 16 MiB"),
        (42 << 20, 16 << 20, "100%", "42 MiB of the host's, the engine's own part included"),
        (42 << 20, None, "", "42 MiB of the host's, the engine's own part included"),
    ],
)
def test_a_guest_has_no_more_memory_in_use_than_it_was_given(
    used: int, limit: int | None, share: str, told: str
) -> None:
    """The engine's process, which is what is measured, needs some for itself."""
    store, machine = Store(), vm()
    store.add_engine("libvirt", "libvirt://", (), read_only=False)
    store.usage[machine.ref] = Usage(NOW, memory=used, memory_limit=limit)
    look = Look(store, NOW, UNICODE, BRAILLE)
    cells = dict(
        zip((field.column.id for field in boxes.FIELDS), row_of(machine, boxes.FIELDS, look).cells, strict=True)
    )
    assert cells["memory_share"].text == share
    assert told in [fact.value for fact in facts_of(machine, look) if isinstance(fact, Fact)]


def test_a_state_too_long_for_its_column_begins_with_that_it_failed() -> None:
    machine = vm("a")
    store = Store()
    for verb, told in (("autostart on", "failed: autostart on"), ("start", "start failed")):
        store.fail(Failure(machine.ref, "a", verb, "no"))
        cells = row_of(machine, vms.FIELDS, Look(store, NOW, UNICODE, BRAILLE)).cells
        assert told in [cell.text for cell in cells]
