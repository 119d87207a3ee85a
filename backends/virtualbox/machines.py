"""What VirtualBox says of a machine, as boxtop's VM. Pure: the same for the helper and for VBoxManage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from backends.model import VM, Action, Kind, Ref, State
from backends.text import clean, clean_block

INACCESSIBLE = "Inaccessible"

# MachineState of the SDK, 6.1 to 7.2
_STATES = {
    "PoweredOff": State.OFF,
    "Teleported": State.OFF,
    "Snapshotting": State.OFF,
    "RestoringSnapshot": State.OFF,
    "DeletingSnapshot": State.OFF,
    "Saved": State.SAVED,
    "AbortedSaved": State.SAVED,
    "Aborted": State.CRASHED,
    "Stuck": State.CRASHED,
    "Running": State.RUNNING,
    "Teleporting": State.RUNNING,
    "LiveSnapshotting": State.RUNNING,
    "OnlineSnapshotting": State.RUNNING,
    "DeletingSnapshotOnline": State.RUNNING,
    "Paused": State.PAUSED,
    "TeleportingPausedVM": State.PAUSED,
    "DeletingSnapshotPaused": State.PAUSED,
    "Starting": State.STARTING,
    "Restoring": State.STARTING,
    "TeleportingIn": State.STARTING,
    "SettingUp": State.STARTING,
    "Stopping": State.STOPPING,
    "Saving": State.SAVING,
}
# VBoxManage's words (showvminfo --machinereadable) that are not the SDK's in lower case
_MANAGE = {
    "poweroff": "PoweredOff",
    "aborted-saved": "AbortedSaved",
    "gurumeditation": "Stuck",
    "guru meditation": "Stuck",
    "deletingsnapshotlive": "DeletingSnapshotOnline",
    "deletingsnapshotlivepaused": "DeletingSnapshotPaused",
} | {name.lower(): name for name in _STATES}
_WORDS = {"Stuck": "guru meditation", "AbortedSaved": "aborted, saved"}
_SNAPSHOTS = {
    "Snapshotting": "a snapshot is being taken",
    "RestoringSnapshot": "a snapshot is being restored",
    "DeletingSnapshot": "a snapshot is being deleted",
}


def state_name(manage_word: str) -> str:
    """The SDK's name for VBoxManage's word; the word itself when it is unknown."""
    return _MANAGE.get(manage_word.lower(), manage_word)


def machine(engine: str, found: Mapping[str, Any]) -> VM:
    """A VM from the plain data of the helper's listing (`Engine.detail`)."""
    name = str(found["state"])
    state = _STATES.get(name, State.UNKNOWN)
    changed = found["changed"]
    started = found["started"] or (changed if state is State.RUNNING else None)
    return VM(
        ref=Ref(engine, Kind.VM, str(found["id"])),
        name=clean(str(found["name"])),
        state=state,
        state_word=_WORDS.get(name) or clean(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()),
        os_type=clean(str(found["os_type"])),
        cpus=int(found["cpus"]),
        memory=int(found["memory"]),
        started=started if state in {State.RUNNING, State.PAUSED} else None,
        changed=changed,
        groups=tuple(clean(str(group)) for group in found["groups"] if group != "/"),
        description=clean_block(str(found["description"])),
        snapshots=int(found["snapshots"]),
        autostart=bool(found.get("autostart")),
        error=clean(str(found["error"])),
        refusals=_refusals(name),
    )


def _refusals(state: str) -> tuple[tuple[Action, str], ...]:
    if state == "Aborted":
        return ((Action.KILL, "it is off: its process was aborted"),)
    if state == "Stuck":
        return tuple((action, "it is stuck: power it off first") for action in (Action.START, Action.DELETE))
    if reason := _SNAPSHOTS.get(state):
        return tuple((action, reason) for action in Action)
    return ()
