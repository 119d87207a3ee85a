"""The tabs of the details, in the order of the strip.

To add one: a module here with a subclass of `tui.tabs.tab.Tab`, or of `tui.tabs.asking.AskingTab` where the engine is
asked, and its line in TABS; its own keys are commands with `where="tab.<id>"` and methods in an area of `tui.handlers`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from backends.model import Item, Kind

if TYPE_CHECKING:
    from tui.details import Details
    from tui.tabs.tab import Tab

_CONTAINERS = frozenset({Kind.CONTAINER})
_BOXES = frozenset({Kind.CONTAINER, Kind.VM})
_IMAGES = frozenset({Kind.IMAGE})


@dataclass(frozen=True, slots=True)
class TabSpec:
    """A tab. Its module is imported when it is first shown, its widgets are mounted then."""

    id: str
    title: str
    short: str
    """What stands for the title where the strip lacks room."""
    place: str
    """Module and class in this package."""
    kinds: frozenset[Kind] = frozenset(Kind)
    ability: str = ""
    """Name of what the object's engine must offer for it; see `backends.abilities`."""


OVERVIEW = TabSpec("overview", "Overview", "Over", "overview.OverviewTab")

TABS: tuple[TabSpec, ...] = (
    OVERVIEW,
    TabSpec("logs", "Logs", "Logs", "logs.LogsTab", frozenset({Kind.CONTAINER}), "logs.Logs"),
    TabSpec("stats", "Stats", "Stats", "stats.StatsTab", _BOXES),
    TabSpec("processes", "Processes", "Proc", "processes.ProcessesTab", _CONTAINERS, "inside.Processes"),
    TabSpec("changes", "Changes", "Chg", "changes.ChangesTab", _CONTAINERS, "inside.Changes"),
    TabSpec("environment", "Environment", "Env", "environment.EnvironmentTab", _CONTAINERS),
    TabSpec("mounts", "Mounts", "Mnt", "particulars.MountsTab", _CONTAINERS),
    TabSpec("networks", "Networks", "Net", "particulars.NetworksTab", _CONTAINERS),
    TabSpec("ports", "Ports", "Port", "ports.PortsTab", _CONTAINERS),
    TabSpec("health", "Health", "Hlth", "particulars.HealthTab", _CONTAINERS),
    TabSpec("layers", "Layers", "Lay", "layers.LayersTab", _IMAGES, "images.History"),
    TabSpec("hardware", "Hardware", "Hw", "hardware.HardwareTab", frozenset({Kind.VM}), "editing.Editing"),
    TabSpec("snapshots", "Snapshots", "Snap", "snapshots.SnapshotsTab", frozenset({Kind.VM}), "snapshots.Snapshots"),
    TabSpec("inspect", "Inspect", "Insp", "inspect.InspectTab"),
)


def tabs_of(item: Item | None, abilities: Collection[str] = ()) -> tuple[TabSpec, ...]:
    """The tabs an object has on an engine of these abilities; nothing selected has an Overview that says so."""
    if item is None:
        return (OVERVIEW,)
    return tuple(
        spec for spec in TABS if item.ref.kind in spec.kinds and (not spec.ability or spec.ability in abilities)
    )


def make_tab(spec: TabSpec, frame: Details) -> Tab:
    module, _, name = spec.place.partition(".")
    made: Tab = getattr(import_module(f"{__name__}.{module}"), name)(spec, frame)
    return made
