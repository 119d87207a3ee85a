"""What became of an action in which VBoxSVC ended: a new VBoxSVC is asked. Seen with VirtualBox 7.2.22.

VMs end with their VBoxSVC. One that was being saved may leave its memory in a file that nobody knows of then.
"""

from __future__ import annotations

import asyncio
import posixpath
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backends.base import ActionError, EngineError
from backends.model import Action, ActionOptions, Ref
from backends.text import clean
from backends.virtualbox.hosting import Host
from backends.virtualbox.machines import state_name
from backends.virtualbox.manage import LOST, ManageError

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_ATTEMPTS, _EACH = 40, 0.5


async def performed(backend: VirtualBoxBackend, action: Action, vm: Ref, options: ActionOptions, began: float) -> bool:
    """Whether it was done nevertheless. Raises ActionError with what became of it, where that can be told.

    `began`: the Unix time at which it was begun.
    """
    if action is not Action.SAVE and (action is not Action.DELETE or not options.disks):
        return False
    for _ in range(_ATTEMPTS):
        try:
            return await (_saved(backend, vm, began) if action is Action.SAVE else _deleted(backend, vm, options))
        except (ManageError, EngineError):
            await asyncio.sleep(_EACH)
    raise ActionError(f"{LOST} and is not there again: see what is left of the VM")


async def _saved(backend: VirtualBoxBackend, vm: Ref, began: float) -> bool:
    info = await backend.manager().info(vm.id)
    state = state_name(info.get("VMState", ""))
    if state == "Saved":
        return True
    folder = info.get("SnapFldr", "")
    # called by the time at which it was begun; those of snapshots are older
    first = datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%dT%H-%M-%S")
    files = [str(name) for name in await backend.ask_alone("files", folder=folder)]
    left = [name for name in files if name.endswith(".sav") and name >= first]
    words = f"{LOST}: it is not saved, and its state is {clean(state, 40)}"
    if left:
        path = posixpath.join(folder, left[-1])
        words += f"; its memory may be in {path}: VBoxManage adoptstate takes it if it is whole, else delete the file"
    raise ActionError(clean(words, 700))


async def _deleted(backend: VirtualBoxBackend, vm: Ref, options: ActionOptions) -> bool:
    if vm.id in await backend.manager().listing():
        raise ActionError(f"{LOST}: the VM is there still; delete it once more")
    host, left = Host(backend), []
    for disk in options.disks:
        if not disk.startswith("/") or not (await host.place(disk))["there"]:
            continue
        try:
            await backend.manager().run("closemedium", "disk", disk, "--delete", seconds=600.0)
        except ManageError as error:
            left.append(f"{disk} ({error})")
    if left:
        raise ActionError(clean(f"{LOST}: it is unregistered, but left are {'; '.join(left)}", 700))
    return True
