"""What libvirt can do beyond listing; each ability's module is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping

ABILITIES: Mapping[str, str] = {
    "media.Media": "media.LibvirtMedia",
    "editing.Editing": "editing.LibvirtEditing",
    "transfer.Transfer": "transfer.LibvirtTransfer",
    "cloning.Cloning": "cloning.LibvirtCloning",
    "snapshots.Snapshots": "snapshots.LibvirtSnapshots",
    "vm_settings.Autostart": "vm_settings.LibvirtAutostart",
    "vm_settings.SavedState": "vm_settings.LibvirtSavedState",
    "engine_log.EngineLog": "engine_log.LibvirtLog",
    "creating.Creating": "creating.LibvirtCreating",
    "serial.Serial": "serial.LibvirtSerial",
    "screens.Keyboard": "screens.LibvirtKeyboard",
    "screens.Screens": "screens.LibvirtScreens",
}
"""Module and class in this package by ability; the class is made with the LibvirtBackend."""
