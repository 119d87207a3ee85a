"""The disk images of a machine, and which of them nothing else uses."""

from __future__ import annotations

from typing import Any

from backends.virtualbox.helper.connection import Connection
from backends.virtualbox.helper.faults import Refused
from backends.virtualbox.helper.snapshots import snapshots_of


class Media:
    """The hard disk images of one machine, and which of them may go with it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def of(self, machine_id: str) -> list[dict[str, Any]]:
        """Every hard disk image that belongs to a machine: attached now, in its snapshots, and what those stand on."""
        machine = self.connection.find(machine_id)
        if not machine.accessible:
            return []
        disk = self.connection.value("DeviceType_HardDisk")
        owners = [machine] + [snapshot.machine for snapshot, _ in snapshots_of(machine)]
        found = {}
        for owner in owners:
            for attachment in owner.getMediumAttachments():
                medium = attachment.medium
                while medium is not None and int(medium.deviceType) == disk and medium.id not in found:
                    found[medium.id] = medium
                    medium = medium.parent
        names = {}
        answer = []
        for medium in found.values():
            others = [other for other in medium.getMachineIds() if other != machine_id]
            children = [child.id for child in medium.getChildren()]
            kept = ""
            if others:
                for other in others:
                    if other not in names:
                        names[other] = self._name(other)
                kept = "also attached to " + ", ".join(names[other] for other in others)
            elif any(child not in found for child in children):
                kept = "parent of other disk images"
            elif medium.hostDrive:
                kept = "a drive of the host"
            answer.append(
                {
                    "id": medium.id,
                    "location": medium.location,
                    "size": max(0, medium.size),
                    "children": [child for child in children if child in found],
                    "kept": kept,
                }
            )
        # What a kept image stands on stays too.
        kept_ids = {medium["id"] for medium in answer if medium["kept"]}
        again = True
        while again:
            again = False
            for medium in answer:
                if not medium["kept"] and kept_ids.intersection(medium["children"]):
                    medium["kept"] = "parent of a disk image that stays"
                    kept_ids.add(medium["id"])
                    again = True
        return answer

    def _name(self, machine_id: str) -> str:
        try:
            return str(self.connection.box.findMachine(machine_id).name)
        except Exception:
            return machine_id

    def chosen(self, machine_id: str, disks: list[str]) -> dict[str, dict[str, Any]]:
        """What `of` says of these ids or locations, by id. Raises Refused when one of them may not go."""
        media = {medium[key]: medium for medium in self.of(machine_id) for key in ("id", "location")}
        chosen = {}
        for disk in disks:
            medium = media.get(disk)
            if medium is None:
                raise Refused(f"{disk} does not belong to this VM any more")
            if medium["kept"]:
                raise Refused(f"{disk} is {medium['kept']}")
            chosen[medium["id"]] = medium
        for medium in chosen.values():
            if not set(medium["children"]) <= set(chosen):
                raise Refused(f"{medium['location']} is the parent of a disk image that would stay")
        return chosen


def unused(media: list[Any]) -> list[Any]:
    """Those that no machine has attached and on which nothing stands that is not among them as well."""
    free = {medium.id: medium for medium in media if not medium.getMachineIds()}
    while True:
        held = [key for key, medium in free.items() if any(child.id not in free for child in medium.getChildren())]
        if not held:
            return list(free.values())
        for key in held:
            del free[key]
