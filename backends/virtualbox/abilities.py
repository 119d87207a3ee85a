"""What VirtualBox can do beyond listing; each ability's module is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping

ABILITIES: Mapping[str, str] = {
    "windows.Windows": "windows.VirtualBoxWindows",
    "media.Media": "media.VirtualBoxMedia",
    "editing.Editing": "editing.VirtualBoxEditing",
    "transfer.Transfer": "transfer.VirtualBoxTransfer",
    "engine_log.EngineLog": "engine_log.VirtualBoxLog",
    "creating.Creating": "creating.VirtualBoxCreating",
    "serial.Serial": "serial.VirtualBoxSerial",
    "cloning.Cloning": "cloning.VirtualBoxCloning",
    "snapshots.Snapshots": "snapshots.VirtualBoxSnapshots",
    "vm_settings.Autostart": "vm_settings.VirtualBoxAutostart",
    "vm_settings.SavedState": "vm_settings.VirtualBoxSavedState",
    "screens.Keyboard": "screens.VirtualBoxKeyboard",
    "screens.Screens": "screens.VirtualBoxScreens",
}
"""Module and class in this package by ability; the class is made with the VirtualBoxBackend."""
