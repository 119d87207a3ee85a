"""Actions on domains, and what they would destroy. Blocking; called from the backend's threads. libvirt 9.0 API."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from backends.base import ActionError
from backends.libvirt.chains import backing, resting_on
from backends.libvirt.connection import Connection
from backends.libvirt.domains import Definition
from backends.model import Action, ActionOptions, Loss
from backends.text import clean

_RESTART_PATIENCE = 60.0
_EACH = 0.25


def perform(connection: Connection, action: Action, identity: str, options: ActionOptions) -> None:
    """Do it. A stop returns when the guest was asked; a restart is the guest's own reboot.

    Raises ActionError, or libvirtError.
    """
    domain = connection.domain(identity)
    match action:
        case Action.START:
            if domain.isActive() and int(domain.state()[0]) == connection.libvirt.VIR_DOMAIN_PAUSED:
                domain.resume()
            else:
                _start(connection, domain, identity)
        case Action.STOP:
            domain.shutdown()
        case Action.RESTART:
            _restart(connection, domain)
        case Action.PAUSE:
            domain.suspend()
        case Action.RESUME:
            domain.resume()
        case Action.KILL:
            domain.destroy()
        case Action.SAVE:
            domain.managedSave(0)
        case Action.RESET:
            domain.reset(0)
        case Action.DELETE:
            _delete(connection, domain, identity, options.disks)


def _start(connection: Connection, domain: Any, identity: str) -> None:
    """Unless linked clones rest on its disks: what it writes there would break them, and QEMU does not know of them."""
    if connection.is_local() and (names := resting_on(connection, identity)):
        raise ActionError(clean(f"its disks must stay as they are: {', '.join(sorted(names))} rests on them", 500))
    domain.create()


def _restart(connection: Connection, domain: Any) -> None:
    """Ask the guest to shut down, and start it once it is off: `reboot` alone needs a guest agent or acpid's help."""
    domain.shutdown()
    deadline = time.monotonic() + _RESTART_PATIENCE
    while domain.isActive():
        if time.monotonic() > deadline:
            raise ActionError(f"its guest did not shut down within {_RESTART_PATIENCE:.0f} s: it runs on")
        if connection.closed:
            raise ActionError("boxtop was quit before it was off: start it again by hand")
        time.sleep(_EACH)
    domain.create()


def losses(connection: Connection, identity: str) -> tuple[Loss, ...]:
    """The disks a deletion could take along; what others use, and what is no disk of its own, is kept."""
    domain = connection.domain(identity)
    own = connection.definition(domain, identity)
    users = _users(connection, identity)
    found = []
    for disk in own.disks:
        if not disk.source or disk.device != "disk":
            continue
        kept = ""
        if disk.readonly or disk.shareable:
            kept = "it is read-only or shared"
        elif disk.source in users:
            kept = f"also used by {', '.join(sorted(users[disk.source]))}"
        elif not disk.file:
            kept = "it is no file of its own: remove it with its storage"
        elif not connection.is_local():
            kept = "it is on another machine"
        shown = clean(disk.source, 1024)
        size = _size(disk.source) if disk.file and connection.is_local() else None
        if size is None and disk.file:
            size = _told_size(connection, domain, disk.target)
        found.append(Loss(shown, "" if kept else f"{disk.target}:{disk.source}", size, kept))
    return tuple(found)


def _delete(connection: Connection, domain: Any, identity: str, disks: tuple[str, ...]) -> None:
    """Undefine it with its saved memory, snapshots' metadata and firmware variables; then exactly these disks."""
    if domain.isActive():
        raise ActionError("it runs: power it off first")
    may_go = {loss.id for loss in losses(connection, identity) if loss.id and not loss.kept}
    if refused := [disk for disk in disks if disk not in may_go]:
        raise ActionError(f"{clean(refused[0].partition(':')[2], 200)} is used otherwise by now: nothing was deleted")
    lib = connection.libvirt
    flags = lib.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | lib.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    own = connection.definition(domain, identity)
    if own.nvram:
        flags |= lib.VIR_DOMAIN_UNDEFINE_NVRAM if disks else lib.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM
    domain.undefineFlags(flags)
    failed = []
    for disk in disks:
        path = disk.partition(":")[2]
        try:
            _remove(connection, path)
        except (OSError, lib.libvirtError) as error:
            failed.append(f"{path}: {getattr(error, 'strerror', None) or error}")
    if failed:
        raise ActionError(clean("it is undefined, but not every disk could be deleted: " + "; ".join(failed), 500))


def _remove(connection: Connection, path: str) -> None:
    """Through its pool, so that libvirt knows; where it is in none, the file itself."""
    try:
        volume = connection.virt.storageVolLookupByPath(path)
    except connection.libvirt.libvirtError:
        Path(path).unlink()
    else:
        volume.delete(0)


def _users(connection: Connection, identity: str) -> dict[str, set[str]]:
    """Names of the other domains that use each disk; also as the file below an overlay, as far as pools know."""
    users: dict[str, set[str]] = {}
    for other in connection.domains():
        uuid = other.UUIDString()
        if uuid == identity:
            continue
        found: Definition = connection.definition(other, uuid)
        for disk in found.disks:
            if disk.source:
                users.setdefault(disk.source, set()).add(found.name)
                for below in backing(disk.source) if disk.file else ():
                    users.setdefault(below, set()).add(found.name)
    return users


def _size(path: str) -> int | None:
    try:
        return Path(path).stat().st_blocks * 512
    except OSError:
        return None


def _told_size(connection: Connection, domain: Any, target: str) -> int | None:
    """Bytes the disk takes as libvirt tells: of a file only it can reach."""
    try:
        return int(domain.blockInfo(target)[1])
    except connection.libvirt.libvirtError:
        return None
