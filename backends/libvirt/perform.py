"""Actions on domains, and what they would destroy. Blocking; called from the backend's threads. libvirt 9.0 API."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from backends.base import ActionError
from backends.libvirt import firmware, storage
from backends.libvirt.connection import Connection
from backends.libvirt.domains import Definition
from backends.libvirt.uses import Uses, kept, no_file, resting_on
from backends.model import Action, ActionOptions, Loss
from backends.text import clean

_RESTART_PATIENCE = 60.0
_EACH = 0.25
_KEEPS_TPM = 8_009_000
_WITH_DISKS = "go with its disks, and are kept without"


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
    """Ask the guest to shut down, and start it once it is off, so that what was changed meanwhile holds.

    A transient one would be gone by that: it is rebooted, which a guest that ignores its power button does not do.
    """
    if not domain.isPersistent():
        domain.reboot(0)
        return
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
    # no event tells of what was changed for the next start alone
    connection.forget(identity)
    own = connection.definition(domain, identity)
    uses = Uses(connection, but=identity)
    found = []
    for disk in own.disks:
        if not disk.source or disk.device != "disk":
            continue
        reason = ""
        if disk.readonly or disk.shareable:
            reason = "it is read-only or shared"
        elif needed := kept(connection, uses, uses.path_of(disk)):
            reason = needed
        elif not disk.file:
            reason = "it is no file of its own: remove it with its storage"
        elif not connection.is_local():
            known = storage.by_path(connection, disk.source) is not None
            reason = "" if known else "it is in no storage pool of that machine"
        else:
            reason = no_file(disk.source)
        shown = clean(disk.source, 1024)
        size = _size(disk.source) if disk.file and connection.is_local() else None
        if size is None and disk.file:
            size = _told_size(connection, domain, disk.target)
        found.append(Loss(shown, "" if reason else f"{disk.target}:{disk.source}", size, reason))
    return (*found, *_besides(connection, domain, own))


def _besides(connection: Connection, domain: Any, own: Definition) -> list[Loss]:
    """What libvirt itself holds of a domain, and loses with it."""
    found = []
    path = firmware.variables(connection, own)
    if path and (not connection.is_local() or firmware.is_there(path)):
        found.append(Loss(f"{clean(path, 1024)}: its firmware's settings, which {_WITH_DISKS}", ""))
    if own.tpm:
        found.append(Loss(f"the secrets in its TPM, which {_WITH_DISKS}; what they encrypt cannot be read then", ""))
    with suppress(connection.libvirt.libvirtError):
        if domain.hasManagedSaveImage(0):
            found.append(Loss("the memory it was saved with (discard it first to unregister alone)", ""))
    with suppress(connection.libvirt.libvirtError):
        if count := int(domain.snapshotNum(0)):
            found.append(Loss(f"the list of its snapshots ({count}); its disks still hold them", ""))
    return found


def _delete(connection: Connection, domain: Any, identity: str, disks: tuple[str, ...]) -> None:
    """Undefine it with its snapshots' metadata; then exactly these disks, if any.

    With them go its saved memory and its firmware's variables, which are kept otherwise.
    """
    if domain.isActive():
        raise ActionError("it runs: power it off first")
    lib = connection.libvirt
    flags = lib.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    if disks:
        flags |= lib.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        may_go = {loss.id for loss in losses(connection, identity) if loss.id and not loss.kept}
        if refused := [disk for disk in disks if disk not in may_go]:
            shown = clean(refused[0].partition(":")[2], 200)
            raise ActionError(f"{shown} is used otherwise by now: nothing was deleted")
    elif domain.hasManagedSaveImage(0):
        raise ActionError("its memory is saved, and libvirt keeps none without its VM: discard the saved state first")
    own = connection.definition(domain, identity)
    if own.tpm:
        flags |= _tpm_flag(connection, keep=not disks)
    if own.nvram or own.efi:
        shared = bool(disks and own.nvram) and bool(Uses(connection, but=identity).users(own.nvram))
        flags |= lib.VIR_DOMAIN_UNDEFINE_NVRAM if disks and not shared else lib.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM
    domain.undefineFlags(flags)
    if disks and _runs(connection, identity):
        raise ActionError("it was started meanwhile: it is unregistered, runs on, and its disks are kept")
    failed = []
    for disk in disks:
        path = disk.partition(":")[2]
        try:
            _remove(connection, path)
        except (OSError, lib.libvirtError) as error:
            failed.append(f"{path}: {getattr(error, 'strerror', None) or error}")
    if failed:
        raise ActionError(clean("it is undefined, but not every disk could be deleted: " + "; ".join(failed), 500))


def _tpm_flag(connection: Connection, *, keep: bool) -> int:
    """libvirt deletes a TPM's secrets with their domain unless told otherwise (8.9 and later)."""
    flag = getattr(connection.libvirt, "VIR_DOMAIN_UNDEFINE_KEEP_TPM" if keep else "VIR_DOMAIN_UNDEFINE_TPM", 0)
    able = bool(flag) and int(connection.virt.getLibVersion()) >= _KEEPS_TPM
    if keep and not able:
        raise ActionError("this libvirt keeps no TPM's secrets without its VM (8.9 and later can): save them first")
    return int(flag) if able else 0


def _runs(connection: Connection, identity: str) -> bool:
    """Whether it is there still: what is undefined while it runs goes on."""
    try:
        return bool(connection.domain(identity).isActive())
    except connection.libvirt.libvirtError:
        return False


def _remove(connection: Connection, path: str) -> None:
    """Through its pool, so that libvirt knows; where it is in none, the file itself."""
    try:
        volume = connection.virt.storageVolLookupByPath(path)
    except connection.libvirt.libvirtError:
        if not connection.is_local():
            raise
        Path(path).unlink()
    else:
        volume.delete(0)


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
