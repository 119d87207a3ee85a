"""Snapshots of libvirt's domains. Seen with libvirt 9.0 and QEMU 7.2.

boxtop takes internal ones, which are in the qcow2 images themselves and can be restored and deleted one by one.
External ones, whose disks are files on top of each other, are shown; libvirt restores them from 9.9 on only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from backends import vm_names
from backends.abilities.snapshots import Op, Refusals, Snapshots, SnapshotTree, VmSnapshot, refusal
from backends.base import ActionError, EngineError
from backends.libvirt import aftermath, errors
from backends.libvirt.connection import Connection
from backends.libvirt.domains import Definition
from backends.libvirt.uses import resting_on
from backends.model import Ref
from backends.progress import Progress, Report
from backends.text import clean, clean_block
from backends.threads import in_thread
from backends.unstoppable import to_its_end

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend

_EXTERNAL_RESTORES = 9_009_000
"""The library version from which external snapshots can be restored and deleted at will."""
_DISKS = {"disk", "lun"}


class _Lost(EngineError):
    """The daemon ended while it was at it."""


class LibvirtSnapshots(Snapshots):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend

    async def tree(self, vm: Ref) -> SnapshotTree:
        return await self._backend.ask(lambda connection: _tree(connection, vm.id))

    async def objection(self, vm: Ref, name: str) -> str:
        del vm
        return vm_names.problem(name)

    async def take(self, vm: Ref, name: str, description: str, report: Report, *, memory: bool) -> str:
        del memory  # an internal snapshot has the memory of what runs, always
        report.progress(Progress("saving the memory and the disks"))
        ran = False

        def work(connection: Connection) -> str:
            nonlocal ran
            tree = _tree(connection, vm.id)
            if reason := refusal(Op.TAKE, tree):
                raise ActionError(reason)
            if words := vm_names.problem(name):
                raise ActionError(words)
            if any(snapshot.id == name for snapshot in tree.snapshots):
                raise ActionError("there is a snapshot of this name already")
            ran = aftermath.runs(connection, vm.id)
            connection.domain(vm.id).snapshotCreateXML(_xml(name, description), 0)
            return f"snapshot {clean(name)} was taken{' with the memory' if tree.memory[0] else ''}"

        try:
            return await self._long(vm, work)
        except _Lost:
            raise ActionError(await aftermath.taken(self._backend, vm, name, ran=ran)) from None

    async def restore(self, vm: Ref, snapshot: str, report: Report) -> str:
        report.progress(Progress("restoring"))

        def work(connection: Connection) -> str:
            if reason := refusal(Op.RESTORE, _tree(connection, vm.id)):
                raise ActionError(reason)
            domain = connection.domain(vm.id)
            found = domain.snapshotLookupByName(snapshot, 0)
            try:
                _revert(connection, domain, found)
            except connection.libvirt.libvirtError as error:
                if len(connection.definition(domain, vm.id).disks) > 1 and domain.hasManagedSaveImage(0):
                    raise ActionError(
                        f"{_refused(error)}; where a disk was restored, discard the saved state"
                    ) from error
                raise
            if domain.hasManagedSaveImage(0):
                # it belongs to the disks as they were: on others it would destroy the guest's file systems
                domain.managedSaveRemove(0)
            return "restored, it runs" if domain.isActive() else "restored, it is off"

        try:
            return await self._long(vm, work)
        except _Lost:
            raise ActionError(await aftermath.restored(self._backend, vm)) from None

    async def delete(self, vm: Ref, snapshot: str, report: Report) -> str:
        report.progress(Progress("deleting"))

        def work(connection: Connection) -> str:
            connection.domain(vm.id).snapshotLookupByName(snapshot, 0).delete(0)
            return "the snapshot is deleted"

        try:
            return await self._long(vm, work)
        except _Lost:
            return await aftermath.dropped(self._backend, vm, snapshot)

    async def describe(self, vm: Ref, snapshot: str, name: str, description: str) -> None:
        if name != snapshot:
            raise ActionError(_NO_RENAME)
        await self._backend.act(lambda connection: _describe(connection, vm.id, snapshot, description))

    async def _long(self, vm: Ref, work: Any) -> str:
        """In a thread of its own: libvirt tells no progress of it and cannot be stopped at it."""
        connection = self._backend.connection()

        def call() -> str:
            try:
                return str(work(connection))
            except connection.libvirt.libvirtError as error:
                raise _Lost(errors.words(error)) if errors.is_lost(error) else _refused(error) from error

        return await to_its_end(in_thread(call, lambda: None, f"{vm.engine}-snapshot"))


_WHOLE = "Each snapshot holds all of its disks: nothing is copied."
_NO_RENAME = "libvirt cannot rename it: the disks hold it under its name; its description can be changed"


def _revert(connection: Connection, domain: Any, found: Any) -> None:
    """Go back to it; a saved memory, with which libvirt deems it risky, is removed by the caller once that is done."""
    try:
        domain.revertToSnapshot(found, 0)
    except connection.libvirt.libvirtError as error:
        if "managed save" not in errors.words(error) or domain.isActive():
            raise
        domain.revertToSnapshot(found, connection.libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_FORCE)


def _refused(error: Exception) -> Exception:
    """libvirt's refusal, in words of what to do where it has none."""
    said = errors.words(error)
    if "external snapshot" in said and ("revert" in said or errors.code(error) == 67):
        return ActionError("this libvirt cannot go back to an external snapshot (9.9 and later can)")
    if "base disk source" in said:
        return ActionError("this libvirt merges an external snapshot only while the VM runs: start it, then delete it")
    if "deletion of" in said and "external" in said:
        return ActionError("this libvirt cannot delete an external snapshot (9.0 and later can)")
    if "revert requires force" in said:
        return ActionError(f"libvirt deems it risky: {said}; virsh snapshot-revert --force does it all the same")
    if "children" in said and "snapshot" in said:
        return ActionError(f"other snapshots go on from it: {said}")
    return errors.action_error(error)


def _tree(connection: Connection, identity: str) -> SnapshotTree:
    domain = connection.domain(identity)
    can_external = int(connection.virt.getLibVersion()) >= _EXTERNAL_RESTORES
    texts = [str(snapshot.getXMLDesc(0)) for snapshot in domain.listAllSnapshots(0)]
    found = [_snapshot(text, can_external=can_external) for text in texts]
    current = domain.snapshotCurrent(0).getName() if found and domain.hasCurrentSnapshot(0) else ""
    active = bool(domain.isActive())
    own = connection.definition(domain, identity)
    reason = _take_refusal(own, active=active, saved=not active and bool(connection.facts(domain, identity)["saved"]))
    refusals: Refusals = ((Op.TAKE, reason),) if reason else ()
    if found and connection.is_local() and (names := resting_on(connection, identity)):
        refusals += ((Op.RESTORE, clean(f"its disks must stay as they are: {', '.join(sorted(names))} rests on them")),)
    return SnapshotTree(
        tuple(_in_order(found)),
        current,
        None,
        memory=(active,),
        delete_note="" if any("external" in text for text in texts) else _WHOLE,
        restore_starts=True,
        refusals=refusals,
    )


def _take_refusal(own: Definition, *, active: bool, saved: bool) -> str:
    """Why no internal snapshot can be taken, in words; empty when one can."""
    disks = [disk for disk in own.disks if disk.device in _DISKS and disk.source and not disk.readonly]
    if other := [disk for disk in disks if disk.format not in {"qcow2", ""}]:
        named = ", ".join(f"{disk.target} ({disk.format})" for disk in other)
        return f"a snapshot needs disks of the format qcow2: {named} is not"
    if not disks and not active:
        return "it has no disk to take a snapshot of"
    if (own.nvram or own.efi) and active:
        return "libvirt takes none of a running VM with UEFI firmware: shut it down first"
    if saved:
        return "its memory is saved, and would not be in the snapshot: start it, or discard the saved state"
    return ""


def _snapshot(xml: str, *, can_external: bool) -> VmSnapshot:
    root = ElementTree.fromstring(xml)  # noqa: S314 - libvirt wrote it
    name = root.findtext("name") or ""
    memory = root.find("memory")
    kinds = {disk.get("snapshot") for disk in root.iterfind("disks/disk")}
    external = "external" in kinds or (memory is not None and memory.get("snapshot") == "external")
    when = root.findtext("creationTime") or ""
    refusals: Refusals = ((Op.RENAME, _NO_RENAME),)
    if external and not can_external:
        refusals += ((Op.RESTORE, "it is external: this libvirt cannot go back to it (9.9 and later can)"),)
    return VmSnapshot(
        id=name,
        name=clean(name),
        parent=root.findtext("parent/name") or "",
        description=clean_block(root.findtext("description") or ""),
        time=float(when) if when.isdigit() else None,
        memory=memory is not None and memory.get("snapshot") in {"internal", "external"},
        refusals=refusals,
    )


def _in_order(found: list[VmSnapshot]) -> list[VmSnapshot]:
    """Parents before their children, the older of two first; one whose parent is gone begins a tree of its own."""
    ids = {snapshot.id for snapshot in found}
    below: dict[str, list[VmSnapshot]] = {}
    for snapshot in sorted(found, key=lambda one: (one.time or 0.0, one.id)):
        below.setdefault(snapshot.parent if snapshot.parent in ids else "", []).append(snapshot)
    ordered: list[VmSnapshot] = []
    waiting = below.get("", [])[::-1]
    while waiting:
        snapshot = waiting.pop()
        ordered.append(snapshot)
        waiting += below.get(snapshot.id, [])[::-1]
    return ordered


def _xml(name: str, description: str) -> str:
    root = ElementTree.Element("domainsnapshot")
    _text(root, {"name": name, "description": description})
    return ElementTree.tostring(root, encoding="unicode")


def _text(root: ElementTree.Element, texts: Mapping[str, str]) -> None:
    for tag, text in texts.items():
        element = root.find(tag)
        if element is None and text:
            element = ElementTree.SubElement(root, tag)
        if element is not None:
            element.text = text


def _describe(connection: Connection, identity: str, name: str, description: str) -> None:
    domain = connection.domain(identity)
    snapshot = domain.snapshotLookupByName(name, 0)
    lib = connection.libvirt
    root = ElementTree.fromstring(snapshot.getXMLDesc(lib.VIR_DOMAIN_SNAPSHOT_XML_SECURE))  # noqa: S314
    _text(root, {"description": description})
    flags = lib.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
    if snapshot.isCurrent(0):
        flags |= lib.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
    domain.snapshotCreateXML(ElementTree.tostring(root, encoding="unicode"), flags)
