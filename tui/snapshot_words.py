"""What the questions before a snapshot is restored or deleted say. Pure."""

from __future__ import annotations

from backends.abilities.snapshots import SnapshotTree, VmSnapshot
from backends.model import VM, State
from tui.formats import local_time, size_long
from tui.snapshot_rows import named
from widgets.tones import Tone

_LIVE = {State.RUNNING, State.PAUSED}


def restore_lines(vm: VM, tree: SnapshotTree, snapshot: VmSnapshot) -> list[tuple[str, Tone]]:
    """What going back to a snapshot means: what is lost, what stays, how the VM is then."""
    lines = _about(vm, snapshot)
    lost: list[str] = []
    if vm.state in _LIVE:
        lost.append(f"what runs in it now: it is {vm.state}, and is ended as if its power failed")
    elif vm.state is State.SAVED:
        lost.append("the memory it was saved with")
    current = named(tree, tree.current)
    if tree.modified is not False or vm.state in _LIVE:
        since = f"since {current.name}{_at(current)} was taken or restored" if current else "since it was made"
        lost.append(f"everything written to its disks {since}")
    lines += [
        ("", ""),
        ("Lost for good:" if lost else "Nothing is lost: it is unchanged since.", "warn" if lost else ""),
    ]
    lines += [(f"  {text}", "warn") for text in lost]
    then = "it is off"
    if snapshot.memory:
        then = "it runs on from the snapshot's memory" if tree.restore_starts else "it is saved until it is started"
    count = len(tree.snapshots)
    stay = {1: "The snapshot stays", 2: "Both snapshots stay"}.get(count, f"All {count} snapshots stay")
    lines += [("", ""), (f"{stay}. Then {then}.", "")]
    return lines


def delete_lines(vm: VM, tree: SnapshotTree, snapshot: VmSnapshot) -> list[tuple[str, Tone]]:
    """What a snapshot's end means: what goes, what stays."""
    lines = [*_about(vm, snapshot), ("", "")]
    memory = ", and the memory it holds" if snapshot.memory else ""
    lines.append((f"Lost for good: the way back to this state{memory}.", "warn"))
    below = [one.name for one in tree.snapshots if one.parent == snapshot.id]
    if tree.current == snapshot.id:
        below.append("the present state" if below else "The present state")
    if below:
        above = named(tree, snapshot.parent)
        who = f"{len(below)} states go" if len(below) > 2 else f"{' and '.join(below)} go{'es' * (len(below) == 1)}"
        lines.append((f"{who} on from {above.name if above else 'no snapshot any more'} then.", ""))
    others = len(tree.snapshots) - 1
    stay = "" if not others else " and its other snapshot" if others == 1 else f" and its {others} other snapshots"
    lines.append((f"The present state of {vm.name}{stay} stay{'' if others else 's'}.", ""))
    if tree.delete_note:
        lines.append((tree.delete_note, "dim"))
    return lines


def _about(vm: VM, snapshot: VmSnapshot) -> list[tuple[str, Tone]]:
    size = f", {size_long(snapshot.size)}" if snapshot.size is not None else ""
    memory = ", with its memory" if snapshot.memory else ""
    return [
        (f"{snapshot.name}  of {vm.name}  on {vm.ref.engine}", "strong"),
        (f"taken{_when(snapshot) or ' at an unknown time'}{memory}{size}", ""),
    ]


def _at(snapshot: VmSnapshot) -> str:
    return f" ({local_time(snapshot.time)})" if snapshot.time is not None else ""


def _when(snapshot: VmSnapshot) -> str:
    return f" {local_time(snapshot.time)}" if snapshot.time is not None else ""


def holds(vm: VM, *, memory: bool) -> str:
    """What a snapshot taken now would hold."""
    if vm.state is State.SAVED:
        return "It holds its disks and its saved memory."
    if memory:
        return "It holds its disks and its memory; the VM stands still meanwhile."
    return "It holds its disks."
