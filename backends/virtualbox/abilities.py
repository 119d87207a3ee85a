"""What VirtualBox can do beyond listing; each ability's module is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from backends.abilities import (
    cloning,
    creating,
    editing,
    engine_log,
    media,
    screens,
    serial,
    snapshots,
    transfer,
    vm_settings,
    windows,
)

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

ABILITIES: Mapping[type, str] = {
    windows.Windows: "windows.VirtualBoxWindows",
    media.Media: "media.VirtualBoxMedia",
    editing.Editing: "editing.VirtualBoxEditing",
    transfer.Transfer: "transfer.VirtualBoxTransfer",
    engine_log.EngineLog: "engine_log.VirtualBoxLog",
    creating.Creating: "creating.VirtualBoxCreating",
    serial.Serial: "serial.VirtualBoxSerial",
    cloning.Cloning: "cloning.VirtualBoxCloning",
    snapshots.Snapshots: "snapshots.VirtualBoxSnapshots",
    vm_settings.Autostart: "vm_settings.VirtualBoxAutostart",
    vm_settings.SavedState: "vm_settings.VirtualBoxSavedState",
    screens.Keyboard: "screens.VirtualBoxKeyboard",
    screens.Screens: "screens.VirtualBoxScreens",
}
"""Module and class in this package by ability; the class is made with the VirtualBoxBackend."""

BINDING_ONLY: frozenset[type] = frozenset()
"""Those that need the helper process: VBoxManage alone cannot do them."""


def offered(*, binding: bool) -> frozenset[type]:
    return frozenset(ABILITIES) - (frozenset() if binding else BINDING_ONLY)


def make(kind: type, backend: VirtualBoxBackend) -> object | None:
    place = ABILITIES.get(kind)
    if place is None:
        return None
    module, _, name = place.partition(".")
    found: object = getattr(import_module(f"backends.virtualbox.{module}"), name)(backend)
    return found
