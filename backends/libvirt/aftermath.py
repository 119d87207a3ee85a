"""What became of work in which the daemon ended: asked once it is there again, and brought in order.

A daemon that ends while it saves the memory leaves its VM paused; one that ends before a snapshot is noted leaves the
snapshot in the image all the same, known to nobody. Seen with libvirt 9.0 and QEMU 7.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from backends.base import ActionError, EngineError
from backends.libvirt import errors, storage
from backends.libvirt.again import again
from backends.libvirt.connection import Connection
from backends.libvirt.uses import Uses, kept, no_file
from backends.model import Action, ActionOptions, Ref
from backends.text import clean

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend

LOST = "libvirt ended meanwhile"
_COMES_BACK = 30.0
"""Seconds the daemon is waited for."""
_RUNNING, _PAUSED = 1, 3
_AFTER_SAVING = {0, 3, 9}
"""Reasons of a pause, virDomainPausedReason: not known to a new daemon, for its saving, for a snapshot of it."""


async def asked(backend: LibvirtBackend, call: Callable[[Connection], str], else_: str) -> str:
    """What `call` finds once the daemon is there again; where it stays away, what to look for then."""
    try:
        return f"{LOST}: {await again(backend, call, _COMES_BACK)}"
    except (ActionError, EngineError):
        return f"{LOST} and is not there again: {else_}"


def runs(connection: Connection, identity: str) -> bool:
    """Whether its guest runs, rather than being paused or off."""
    return int(connection.domain(identity).state()[0]) == _RUNNING


async def taken(backend: LibvirtBackend, vm: Ref, name: str, *, ran: bool) -> str:
    """After the taking of a snapshot: what was written of it goes, and a VM that `ran` goes on."""

    def look(connection: Connection) -> str:
        domain = connection.domain(vm.id)
        if name in domain.snapshotListNames(0):
            words = "the snapshot was taken all the same"
        else:
            words = f"no snapshot was taken, {_without(connection, domain, name)}"
        return words + (", and the VM goes on" if ran and _goes_on(domain) else "")

    return await asked(backend, look, "see whether the VM is paused, and resume it")


async def restored(backend: LibvirtBackend, vm: Ref) -> str:
    """After the restoring of a snapshot."""

    def look(connection: Connection) -> str:
        domain = connection.domain(vm.id)
        if domain.hasManagedSaveImage(0):
            # its loss was agreed to, and with restored disks it would destroy the guest's file systems
            domain.managedSaveRemove(0)
        state = int(domain.state()[0])
        word = {_RUNNING: "runs", _PAUSED: "is paused"}.get(state, "is off")
        return f"the VM {word}, and its disks may be restored in part; restore the snapshot once more"

    return await asked(backend, look, "restore the snapshot once more then")


async def dropped(backend: LibvirtBackend, vm: Ref, snapshot: str) -> str:
    """After the deletion of a snapshot, which is gone on with: the result. Raises ActionError."""

    def finish(connection: Connection) -> str:
        domain = connection.domain(vm.id)
        if snapshot in domain.snapshotListNames(0):
            domain.snapshotLookupByName(snapshot, 0).delete(0)
        return "the snapshot is deleted; libvirt ended meanwhile, and had to be asked twice"

    try:
        return await again(backend, finish, _COMES_BACK)
    except EngineError:
        raise ActionError(f"{LOST} and is not there again: delete the snapshot once more then") from None


async def undefined(backend: LibvirtBackend, identity: str) -> bool:
    """Take a domain back whose definition may have been made; whether it was there. Raises ActionError, EngineError."""

    def undefine(connection: Connection) -> bool:
        try:
            domain = connection.domain(identity)
        except connection.libvirt.libvirtError as error:
            if errors.is_gone(error):
                return False
            raise
        domain.undefineFlags(connection.libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        return True

    return await again(backend, undefine)


async def performed(
    backend: LibvirtBackend, action: Action, vm: Ref, options: ActionOptions, error: EngineError
) -> None:
    """After an action on a VM. Returns where it was done nevertheless; raises ActionError, or `error` itself."""
    if action is Action.SAVE:
        raise ActionError(await asked(backend, lambda connection: _saved(connection, vm.id), "see in what state it is"))
    if action is Action.DELETE and options.disks:
        paths = [disk.partition(":")[2] for disk in options.disks]
        words = await asked(backend, lambda connection: _deleted(connection, vm.id, paths), "see what is left of it")
        if not words.endswith(_ALL):
            raise ActionError(words)
        return
    raise error


_ALL = "it and its disks are deleted"


def _saved(connection: Connection, identity: str) -> str:
    domain = connection.domain(identity)
    if not domain.isActive():
        if domain.hasManagedSaveImage(0):
            return "it is off; its next start goes on from what was saved if that is whole, else it boots"
        return "it is off, and nothing of its memory is saved"
    _goes_on(domain)
    if domain.hasManagedSaveImage(0):
        # the beginning of a file that never became whole
        domain.managedSaveRemove(0)
    return "it was not saved, and runs on"


def _deleted(connection: Connection, identity: str, paths: Sequence[str]) -> str:
    """Delete the disks of a domain that is gone already, but for those that others use by now."""
    lib = connection.libvirt
    if any(domain.UUIDString() == identity for domain in connection.domains()):
        return "nothing was deleted; delete it once more"
    left = []
    for path in paths:
        if storage.by_path(connection, path) is None and not Path(path).exists():
            continue
        try:
            # who came to need it meanwhile, also by another name or below an overlay
            if reason := kept(connection, Uses(connection), path) or no_file(path):
                raise ActionError(reason)
            storage.delete_path(connection, path)
        except (ActionError, lib.libvirtError) as error:
            left.append(f"{path} ({error})")
    return clean(f"it is undefined, but left are {'; '.join(left)}", 500) if left else _ALL


def _goes_on(domain: Any) -> bool:
    """Whether it runs; one that the daemon had paused for itself is resumed."""
    state, reason = (int(part) for part in domain.state())
    if state == _PAUSED and reason in _AFTER_SAVING:
        domain.resume()
        return True
    return state == _RUNNING


def _without(connection: Connection, domain: Any, name: str) -> str:
    """Take what was begun of a snapshot out of its images, in words: it is noted for that, as only noted ones go."""
    lib = connection.libvirt
    root = ElementTree.Element("domainsnapshot")
    ElementTree.SubElement(root, "name").text = name
    active = bool(domain.isActive())
    ElementTree.SubElement(root, "state").text = "running" if active else "shutoff"
    ElementTree.SubElement(root, "creationTime").text = "1"
    if active:
        ElementTree.SubElement(root, "memory", snapshot="internal")
    root.append(ElementTree.fromstring(domain.XMLDesc(0)))  # noqa: S314 - libvirt wrote it
    try:
        noted = domain.snapshotCreateXML(
            ElementTree.tostring(root, encoding="unicode"), lib.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
        )
    except lib.libvirtError as error:
        return f"its disks may hold what was written of it ({clean(str(error), 200)})"
    try:
        noted.delete(0)
    except lib.libvirtError as error:
        # one that never came to be in the image
        noted.delete(lib.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
        if "not found" in str(error) or "does not exist" in str(error):
            return "nothing of it is left"
        return f"its disks may hold what was written of it ({clean(str(error), 200)})"
    return "nothing of it is left"
