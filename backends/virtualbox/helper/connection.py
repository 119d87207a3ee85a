"""The helper's connection to VBoxSVC through pyvbox."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from backends.virtualbox.helper.faults import BROKEN_CONNECTION, Lost, Refused, status_of, words_of

# What inspect says by name where the API gives a number
ENUMS = {
    "state": "MachineState",
    "sessionState": "SessionState",
    "chipsetType": "ChipsetType",
    "firmwareType": "FirmwareType",
    "clipboardMode": "ClipboardMode",
    "dnDMode": "DnDMode",
    "paravirtProvider": "ParavirtProvider",
    "pointingHIDType": "PointingHIDType",
    "keyboardHIDType": "KeyboardHIDType",
    "autostopType": "AutostopType",
    "VMProcessPriority": "VMProcPriority",
    "iommuType": "IommuType",
}


def load_pyvbox(site: str) -> Any:
    """Import pyvbox: this interpreter's own, else the one in folder `site`, and nothing but it from there."""
    try:
        import virtualbox
    except ImportError:
        folder = Path(site, "virtualbox")
        source = folder / "__init__.py"
        if not site or not os.access(source, os.R_OK):
            raise
        spec = importlib.util.spec_from_file_location("virtualbox", source, submodule_search_locations=[str(folder)])
        if spec is None or spec.loader is None:
            raise
        virtualbox = importlib.util.module_from_spec(spec)
        sys.modules["virtualbox"] = virtualbox
        try:
            spec.loader.exec_module(virtualbox)
        except BaseException:
            sys.modules.pop("virtualbox", None)
            raise
    from virtualbox.library_base import Interface

    # Without this a null event counts as true, and VBoxSVC crashes when it is handed back (pyvbox 2.1.1).
    Interface.__bool__ = lambda self: bool(self._i)
    return virtualbox


class Connection:
    """The connection to VBoxSVC."""

    def __init__(self, virtualbox: Any) -> None:
        self.manager = virtualbox.Manager()
        self.raw_manager = self.manager.manager
        self.constants = self.raw_manager.constants
        self.box = virtualbox.VirtualBox(manager=self.manager)._i
        self.states = self.names("MachineState")
        self.os_types: dict[str, str] = {}

    def names(self, enum: str) -> dict[int, str]:
        # The numbers differ between versions: 7.0 inserted AbortedSaved. Only the running version's own count.
        values = self.constants.all_values(enum).items()
        # FirstOnline and its like are bounds with the number of a real state.
        return {int(number): name for name, number in values if not name.startswith(("First", "Last"))}

    def value(self, name: str) -> int:
        return int(getattr(self.constants, name))

    def hello(self) -> dict[str, Any]:
        return {
            "version": self.box.version,
            "revision": self.box.revision,
            "api": self.box.APIVersion,
            "python": ".".join(map(str, sys.version_info[:3])),
            "pid": os.getpid(),
        }

    def find(self, machine_id: str) -> Any:
        try:
            return self.box.findMachine(machine_id)
        except Exception as error:
            raise self.told(error, "gone") from None

    def told(self, error: BaseException, kind: str = "action") -> Refused | Lost:
        """What to raise for an error of the API: Lost when VBoxSVC itself no longer answers."""
        if isinstance(error, (Refused, Lost)):
            return error
        if status_of(error) in BROKEN_CONNECTION:
            try:
                self.box.version  # noqa: B018
            except Exception:
                return Lost(words_of(error))
            return Refused("the VM's process ended", kind)
        return Refused(words_of(error), kind)

    def state_of(self, machine: Any) -> str:
        return self.states.get(int(machine.state), "Unknown")

    def os_type(self, type_id: str) -> str:
        if type_id not in self.os_types:
            try:
                self.os_types[type_id] = self.box.getGuestOSType(type_id).description
            except Exception:
                self.os_types[type_id] = type_id
        return self.os_types[type_id]
