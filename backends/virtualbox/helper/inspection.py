"""Everything VirtualBox tells of one machine."""

from __future__ import annotations

from typing import Any

from backends.virtualbox.helper.connection import ENUMS, Connection
from backends.virtualbox.helper.faults import BROKEN_CONNECTION, Lost, status_of, words_of
from backends.virtualbox.helper.snapshots import snapshots_of


class Inspector:
    """Everything that VirtualBox says of one machine."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def inspect(self, machine_id: str) -> dict[str, Any]:
        machine = self.connection.find(machine_id)
        if not machine.accessible:
            return {"id": machine_id, "accessible": False, "accessError": machine.accessError.text}
        data = self._plain(machine)
        data["groups"] = list(machine.getGroups())
        data["OSType"] = self.connection.os_type(machine.OSTypeId)
        data["storageControllers"] = [self._plain(item) for item in machine.getStorageControllers()]
        data["mediumAttachments"] = [self._attachment(item) for item in machine.getMediumAttachments()]
        adapters = []
        for slot in range(8):
            adapter = machine.getNetworkAdapter(slot)
            if adapter.enabled:
                adapters.append(self._plain(adapter, {"attachmentType": "NetworkAttachmentType"}))
        data["networkAdapters"] = adapters
        data["sharedFolders"] = [self._plain(item) for item in machine.getSharedFolders()]
        data["extraData"] = {key: machine.getExtraData(key) for key in machine.getExtraDataKeys()}
        names, values, _times, _flags = machine.enumerateGuestProperties("")
        data["guestProperties"] = dict(zip(names, values))  # noqa: B905 - Python 3.8
        snapshots = []
        for snapshot, depth in snapshots_of(machine):
            snapshots.append(
                {
                    "id": snapshot.id,
                    "name": snapshot.name,
                    "description": snapshot.description,
                    "time": snapshot.timeStamp / 1000.0,
                    "online": bool(snapshot.online),
                    "depth": depth,
                }
            )
        data["snapshots"] = snapshots
        return data

    def _attachment(self, attachment: Any) -> dict[str, Any]:
        data = self._plain(attachment, {"type": "DeviceType"})
        if attachment.medium is not None:
            medium = attachment.medium
            data["medium"] = {"location": medium.location, "format": medium.format, "size": medium.size}
        return data

    def _plain(self, item: Any, enums: dict[str, str] | None = None) -> dict[str, Any]:
        """Every attribute of an API object that is a number, a text or a truth value, by its name in the SDK."""
        names: set[str] = set()
        for info in item._interface_infos_.values():
            names.update(info[1] if info else ())
        enums = enums or ENUMS
        data = {}
        for name in sorted(names):
            if "eserved" in name or name == "midlDoesNotLikeEmptyInterfaces":
                continue
            try:
                value = getattr(item, name)
            except Exception as error:
                if status_of(error) in BROKEN_CONNECTION:
                    raise Lost(words_of(error)) from None
                continue
            if isinstance(value, int) and enums.get(name):
                value = self.connection.names(enums[name]).get(value, value)
            if isinstance(value, (str, int, float, bool)):
                data[name] = value
        return data
