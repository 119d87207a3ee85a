"""The rows of a VM's snapshots: a tree with the present state in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backends.abilities.snapshots import SnapshotTree, VmSnapshot
from backends.model import VM
from backends.secrets import mask_text
from tui.formats import age, local_time, size, size_long
from tui.rows.vms import state_text
from widgets.columns import Cell, Column, Row
from widgets.facts import Fact
from widgets.glyphs import Glyphs

NOW = ""
"""The key of the row that stands for the present state."""

COLUMNS = (
    Column("name", "SNAPSHOT", 24, flex=5),
    Column("taken", "TAKEN", 6, align="right", priority=1),
    Column("memory", "MEMORY", 7, priority=2),
    Column("size", "SIZE", 6, align="right", priority=3),
    Column("description", "DESCRIPTION", 16, flex=6, priority=4),
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A snapshot, or the present state (None), and what is drawn before its name."""

    snapshot: VmSnapshot | None
    lead: str


def rows_of(tree: SnapshotTree, vm: VM, now: float, glyphs: Glyphs) -> list[Row]:
    return [
        _now_row(line, tree, vm, now) if line.snapshot is None else _row(line, line.snapshot, tree, now)
        for line in _lines(tree, glyphs)
    ]


def _lines(tree: SnapshotTree, glyphs: Glyphs) -> list[_Line]:
    """Depth first. An only child stands right under its parent: long chains do not run off to the right."""
    children: dict[str, list[VmSnapshot | None]] = {}
    for snapshot in tree.snapshots:
        children.setdefault(snapshot.parent, []).append(snapshot)
    children.setdefault(tree.current, []).append(None)
    branch, last, bar = (f"{glyphs.tee}{glyphs.hline} ", f"{glyphs.corner}{glyphs.hline} ", f"{glyphs.vline}  ")
    lines: list[_Line] = []
    # (entry, what is before its name, what is before the names below it)
    waiting: list[tuple[VmSnapshot | None, str, str]] = [(entry, "", "") for entry in reversed(children.get("", []))]
    while waiting:
        entry, lead, below = waiting.pop()
        lines.append(_Line(entry, lead))
        if entry is None:
            continue
        found = children.get(entry.id, [])
        if len(found) == 1:
            waiting.append((found[0], below, below))
            continue
        for child in reversed(found):
            final = child is found[-1]
            waiting.append((child, below + (last if final else branch), below + ("   " if final else bar)))
    return lines


def _row(line: _Line, snapshot: VmSnapshot, tree: SnapshotTree, now: float) -> Row:
    current = snapshot.id == tree.current
    first, _, rest = mask_text(snapshot.description).partition("\n")
    return Row(
        snapshot.id,
        (
            Cell(spans=((line.lead, "dim"), (snapshot.name or "(no name)", "strong" if current else ""))),
            Cell("" if snapshot.time is None else age(now - snapshot.time), "dim"),
            Cell("memory" if snapshot.memory else "", "info"),
            Cell("" if snapshot.size is None else size(snapshot.size), "dim"),
            Cell(f"{first} ..." if rest else first, "dim"),
        ),
    )


def _now_row(line: _Line, tree: SnapshotTree, vm: VM, now: float) -> Row:
    text = {True: "changed since", False: "unchanged since", None: ""}[tree.modified if tree.current else None]
    return Row(
        NOW,
        (
            Cell(spans=((line.lead, "dim"), ("now", "accent"), (f"  {state_text(vm, now)}", ""))),
            Cell(),
            Cell(),
            Cell(),
            Cell(text, "dim"),
        ),
    )


def about(snapshot: VmSnapshot | None, tree: SnapshotTree) -> Sequence[Fact]:
    """What is said of the selected row below the tree."""
    if snapshot is None:
        current = named(tree, tree.current)
        if current is None:
            return [Fact("now", "the present state, of which there is no snapshot")]
        return [Fact("now", f"the present state, which goes on from {current.name}")]
    facts = [Fact("snapshot", Cell(snapshot.name, "strong"))]
    if snapshot.time is not None:
        facts.append(Fact("taken", local_time(snapshot.time)))
    holds = "disks and memory" if snapshot.memory else "disks"
    facts.append(Fact("holds", holds + (f", {size_long(snapshot.size)}" if snapshot.size is not None else "")))
    if snapshot.description:
        facts.append(Fact("description", mask_text(snapshot.description)))
    return facts


def named(tree: SnapshotTree, identity: object) -> VmSnapshot | None:
    """The snapshot of this id."""
    return next((one for one in tree.snapshots if one.id == identity), None)
