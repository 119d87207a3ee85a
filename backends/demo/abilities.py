"""What a simulated engine can do beyond listing; each ability's module is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping

CONTAINER_ABILITIES: Mapping[str, str] = {
    "build.Build": "build.DemoBuild",
    "files.Files": "files.DemoFiles",
    "containers.Commit": "containers.DemoCommit",
    "containers.Recreate": "containers.DemoRecreate",
    "containers.Rename": "containers.DemoRename",
    "containers.Run": "containers.DemoRun",
    "containers.Update": "containers.DemoUpdate",
    "images.Archives": "images.DemoArchives",
    "images.History": "images.DemoHistory",
    "images.PruneImages": "images.DemoPruneImages",
    "images.Pull": "images.DemoPull",
    "images.Push": "images.DemoPush",
    "images.Registries": "images.DemoRegistries",
    "images.Search": "images.DemoSearch",
    "images.Tags": "images.DemoTags",
    "belongings.Networks": "keeping.DemoNetworks",
    "belongings.Sizes": "keeping.DemoSizes",
    "belongings.Volumes": "keeping.DemoVolumes",
    "compose.Compose": "compose.DemoCompose",
    "events.Events": "told.DemoEvents",
    "inside.Changes": "inside.DemoChanges",
    "inside.Processes": "inside.DemoProcesses",
    "logs.Logs": "logs.DemoLogs",
    "shell.Attach": "shell.DemoAttach",
    "shell.Shell": "shell.DemoShell",
}
"""Those of the simulated Docker: module and class in this package; the class is made with the DemoBackend."""

VM_ABILITIES: Mapping[str, str] = {
    "windows.Windows": "windows.DemoWindows",
    "transfer.Transfer": "transfer.DemoTransfer",
    "cloning.Cloning": "cloning.DemoCloning",
    "snapshots.Snapshots": "snapshots.DemoSnapshots",
    "vm_settings.Autostart": "vm_settings.DemoAutostart",
    "vm_settings.SavedState": "vm_settings.DemoSavedState",
    "engine_log.EngineLog": "engine_log.DemoLog",
    "creating.Creating": "creating.DemoCreating",
    "editing.Editing": "editing.DemoEditing",
    "media.Media": "media.DemoMedia",
    "serial.Serial": "serial.DemoSerial",
    "events.Events": "told.DemoEvents",
    "screens.Keyboard": "screens.DemoKeyboard",
    "screens.Screens": "screens.DemoScreens",
}
"""Those of the simulated VirtualBox, likewise."""
