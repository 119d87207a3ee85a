"""The lists boxtop shows: what they hold, their fields and their first order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backends.model import VM, Container, Image, Item, Kind, Network, State, Volume
from tui.formats import size
from tui.rows import belongings, boxes, containers, images, vms
from tui.rows.fields import ENGINE, Field
from tui.selection import Filter
from tui.store import Store


@dataclass(frozen=True, slots=True)
class ListSpec:
    id: str
    digit: str
    title: str
    kinds: tuple[Kind, ...]
    fields: tuple[Field, ...]
    sort: str
    """The id of the column it is first sorted by."""
    large: bool = False
    """It gets twice the room of the others."""

    def fields_for(self, store: Store) -> tuple[Field, ...]:
        """Its fields; which engine an object is on is shown once there are several."""
        if any(field.column.id == "engine" for field in self.fields):
            return self.fields
        engines = {engine.key for kind in self.kinds for engine in store.engines_for(kind) if engine.info}
        return (*self.fields[:2], ENGINE, *self.fields[2:]) if len(engines) > 1 else self.fields

    def objects(self, store: Store) -> list[Item]:
        return [item for kind in self.kinds for item in store.of_kind(kind)]


CONTAINERS = ListSpec("containers", "1", "Containers", (Kind.CONTAINER,), containers.FIELDS, "state", large=True)
VMS = ListSpec("vms", "2", "VMs", (Kind.VM,), vms.FIELDS, "state")
IMAGES = ListSpec("images", "3", "Images", (Kind.IMAGE,), images.FIELDS, "age")
BOXES = ListSpec("boxes", "0", "All boxes", (Kind.CONTAINER, Kind.VM), boxes.FIELDS, "cpu")
VOLUMES = ListSpec("volumes", "6", "Volumes", (Kind.VOLUME,), belongings.VOLUME_FIELDS, "name")
NETWORKS = ListSpec("networks", "7", "Networks", (Kind.NETWORK,), belongings.NETWORK_FIELDS, "name")

PANES = (CONTAINERS, VMS, IMAGES)

VIEWS: Mapping[str, ListSpec] = {"boxes": BOXES, "volumes": VOLUMES, "networks": NETWORKS}
"""Lists that take the place of the panes, by the name of their view."""


def summary(items: Iterable[Item], shown: int, chosen: Filter) -> str:
    """A pane's counts in words: `23 of 41 running`, `38, 12.4G, 4 dangling`, and how many a filter lets through."""
    everything = list(items)
    total = len(everything)
    pictures = [item for item in everything if isinstance(item, Image)]
    if isinstance(next(iter(everything), None), (Volume, Network)):
        text = _belongings(everything)
    elif pictures:
        dangling = sum(image.dangling for image in pictures)
        text = f"{total}, {size(sum(image.size for image in pictures))}"
        text += f", {dangling} dangling" if dangling else ""
    else:
        running = _running(everything)
        text = f"{running} of {total} running" if total else "none"
    if chosen.active and total:
        text += f", {shown} shown"
    return text


def short_summary(items: Iterable[Item]) -> str:
    """As `summary` for a few cells: `23/41`, `38`."""
    everything = list(items)
    if any(not isinstance(item, (Container, VM)) for item in everything):
        return str(len(everything))
    return f"{_running(everything)}/{len(everything)}"


def _running(items: Iterable[Item]) -> int:
    return sum(isinstance(item, (Container, VM)) and item.state is State.RUNNING for item in items)


def _belongings(items: list[Item]) -> str:
    """Counts of volumes or networks: `12, 3 anonymous`, `5, 3 built-in`."""
    anonymous = sum(isinstance(item, Volume) and item.anonymous for item in items)
    builtin = sum(isinstance(item, Network) and item.builtin for item in items)
    more = f", {anonymous} anonymous" if anonymous else f", {builtin} built-in" if builtin else ""
    return f"{len(items)}{more}"
