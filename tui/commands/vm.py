"""The commands of VMs' snapshots, clones, autostart and saved states."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from backends.model import VM, Item, Kind, State
from tui.commands.declare import Command, Scope

if TYPE_CHECKING:
    from tui.subjects import SnapshotsRow

PLACE = "snapshots"
_VMS = frozenset({Kind.VM})


def _readable(item: Item) -> str | None:
    return f"{item.name} is inaccessible" if isinstance(item, VM) and item.error else None


def _starts(item: Item) -> str | None:
    return f"{item.name} starts with its host already" if isinstance(item, VM) and item.autostart else _readable(item)


def _starts_not(item: Item) -> str | None:
    return _readable(item) or (None if isinstance(item, VM) and item.autostart else "it does not start with its host")


def _saved(item: Item) -> str | None:
    if isinstance(item, VM) and item.state is not State.SAVED:
        return f"{item.name} has no saved state: it is {item.state}"
    return None


def _refuses(what: str) -> Callable[[SnapshotsRow], str | None]:
    """Why this cannot be done to the snapshot that is selected."""

    def refuse(row: SnapshotsRow) -> str | None:
        from backends.abilities.snapshots import Op, refusal  # who is asked has the view open, and this in memory

        op = Op(what)
        if row.busy and op in {Op.TAKE, Op.RESTORE, Op.DELETE}:
            return f"{row.busy} is under way: wait for its end"
        if op is not Op.TAKE and row.snapshot is None:
            return "choose a snapshot: this is the present state" if row.tree.snapshots else "there is none"
        return refusal(op, row.tree, None if op is Op.TAKE else row.snapshot)

    return refuse


COMMANDS: tuple[Command, ...] = (
    Command(
        "snapshots.open",
        ("S",),
        "snapshots",
        "The tree of a VM's snapshots: take, restore, delete, rename, clone from one",
        Scope.ITEM,
        kinds=_VMS,
        footer=15,
        ability="snapshots.Snapshots",
        refuse=_readable,
        many=False,
    ),
    Command(
        "vm.clone",
        ("y",),
        "clone",
        "Copy a VM, in full or linked, as it is now or from a snapshot",
        Scope.ITEM,
        kinds=_VMS,
        footer=17,
        ability="cloning.Cloning",
        refuse=_readable,
        changes=True,
        many=False,
    ),
    Command(
        "vm.autostart_on",
        (),
        "autostart on",
        "Have the VM start with its host",
        Scope.ITEM,
        kinds=_VMS,
        ability="vm_settings.Autostart",
        refuse=_starts,
        changes=True,
    ),
    Command(
        "vm.autostart_off",
        (),
        "autostart off",
        "Have the VM start with its host no longer",
        Scope.ITEM,
        kinds=_VMS,
        ability="vm_settings.Autostart",
        refuse=_starts_not,
        changes=True,
    ),
    Command(
        "vm.discard",
        (),
        "discard saved state",
        "Throw away the memory a VM was saved with; asks first",
        Scope.ITEM,
        kinds=_VMS,
        ability="vm_settings.SavedState",
        refuse=_saved,
        changes=True,
    ),
    Command(
        "snapshots.take",
        ("+", "t"),
        "take",
        "Take a snapshot",
        Scope.VIEW,
        changes=True,
        footer=1,
        where=PLACE,
        refuse=_refuses("take"),
    ),
    Command(
        "snapshots.restore",
        ("r",),
        "restore",
        "Take the VM back to the snapshot; asks first and says what is lost",
        Scope.VIEW,
        changes=True,
        footer=2,
        where=PLACE,
        refuse=_refuses("restore"),
    ),
    Command(
        "snapshots.delete",
        ("d", "delete"),
        "delete",
        "Delete the snapshot; asks first and says what stays",
        Scope.VIEW,
        changes=True,
        footer=3,
        where=PLACE,
        refuse=_refuses("delete"),
    ),
    Command(
        "snapshots.describe",
        ("M",),
        "rename",
        "Change the snapshot's name and description",
        Scope.VIEW,
        changes=True,
        footer=4,
        where=PLACE,
        refuse=_refuses("describe"),
    ),
    Command(
        "snapshots.clone",
        ("y",),
        "clone",
        "Copy the VM from the snapshot, or as it is now",
        Scope.VIEW,
        changes=True,
        footer=5,
        where=PLACE,
    ),
)
