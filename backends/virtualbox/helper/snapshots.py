"""the tree of a machine's snapshots. API: VirtualBox 7.2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def methods(connection: Any) -> dict[str, Callable[..., Any]]:
    """Requests by name."""
    return {"snapshots": Tree(connection).of}


class Tree:
    """Reads it anew at each request: IVirtualBox tells of snapshots by events, but they carry no tree."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def of(self, machine_id: str) -> dict[str, Any]:
        """Snapshots, parents first, with bytes of the images and saved memory that are each one's own."""
        machine = self.connection.find(machine_id)
        current = machine.currentSnapshot
        answer: dict[str, Any] = {
            "current": current.id if current is not None else "",
            "modified": bool(machine.currentStateModified),
            "snapshots": [],
        }
        if not machine.snapshotCount:
            return answer
        waiting = [(machine.findSnapshot(""), "")]
        while waiting:
            snapshot, parent = waiting.pop()
            answer["snapshots"].append(self._snapshot(snapshot, parent, machine_id))
            waiting.extend((child, snapshot.id) for child in reversed(list(snapshot.getChildren())))
        return answer

    def _snapshot(self, snapshot: Any, parent: str, machine_id: str) -> dict[str, Any]:
        return {
            "id": snapshot.id,
            "parent": parent,
            "name": snapshot.name,
            "description": snapshot.description,
            "time": snapshot.timeStamp / 1000.0,
            "memory": bool(snapshot.online),
            "size": self._size(snapshot.machine),
            "clones": self._clones(snapshot.machine, machine_id),
        }

    def _clones(self, machine: Any, own: str) -> list[str]:
        """Names of the other machines whose disks rest on those the snapshot froze."""
        disk = self.connection.value("DeviceType_HardDisk")
        names: set[str] = set()
        for attachment in machine.getMediumAttachments():
            medium = attachment.medium
            if medium is None or int(medium.deviceType) != disk:
                continue
            for child in medium.getChildren():
                names.update(self._name(user) for user in child.getMachineIds() if user != own)
        return sorted(names)

    def _name(self, machine_id: str) -> str:
        try:
            return str(self.connection.find(machine_id).name)
        except Exception:
            return str(machine_id)

    def _size(self, machine: Any) -> int | None:
        """What the snapshot froze: the images that were written to until it was taken; None: not known just now."""
        disk = self.connection.value("DeviceType_HardDisk")
        total = 0
        for attachment in machine.getMediumAttachments():
            medium = attachment.medium
            if medium is not None and int(medium.deviceType) == disk:
                if medium.size <= 0:
                    # VBoxSVC has not looked at the file since it came up
                    medium.refreshState()
                if medium.size <= 0:
                    return None
                total += medium.size
        return total


def snapshots_of(machine: Any) -> Iterator[tuple[Any, int]]:
    """(snapshot, depth) of the whole tree, parents first."""
    if not machine.snapshotCount:
        return
    waiting = [(machine.findSnapshot(""), 0)]
    while waiting:
        snapshot, depth = waiting.pop()
        yield snapshot, depth
        waiting.extend((child, depth + 1) for child in reversed(list(snapshot.getChildren())))
