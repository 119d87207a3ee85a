"""Clones of libvirt's domains: their disks are copied, or overlaid, then a domain with them is defined.

Files of this machine that the user may read are copied by qemu-img, which tells how far it is and can be ended. Others
are copied by the daemon from and to their storage pool. Nothing is defined before every disk is there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends import vm_names
from backends.abilities.cloning import CloneOffer, CloneSource, CloneSpec, Cloning, offer_objections, source_refusal
from backends.base import ActionError, EngineError
from backends.libvirt import aftermath, pool_copies, qemu_img
from backends.libvirt.clone_xml import Image, cloned
from backends.libvirt.connection import Connection
from backends.libvirt.domains import Disk
from backends.libvirt.firmware import variables
from backends.libvirt.qemu_img import Copy
from backends.libvirt.snapshots import LibvirtSnapshots
from backends.model import Kind, Ref
from backends.progress import Progress, Report
from backends.text import clean
from backends.undoing import to_the_end, whole

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend

_RUNS = "it runs, and its disks change while they are copied: choose a snapshot, pause it, or shut it down"
_SAVED = "its memory is saved: its disks alone are as after a power failure; start it, or discard the saved state"
_MUST_REST = "a linked clone rests on its disks, which must not change any more: shut it down first"
_STARTS = "it starts with its host, and what it writes then would break a linked clone: turn autostart off first"
_INSIDE = "the snapshot is inside its images, and a linked clone rests on whole files"
_EXTERNAL = "it is an external snapshot: its files are elsewhere"
_PAUSED = 3


@dataclass(frozen=True, slots=True)
class _Now:
    """What the source is like."""

    xml: str
    disks: tuple[Disk, ...]
    """Those to be copied; read-only and shared ones are the clone's too."""
    nvram: str
    tpm: bool
    active: bool
    paused: bool
    saved: bool
    written: tuple[int, ...]
    """Bytes written to each disk since it was started; empty unless it is active."""
    local: bool
    refusal: str


class LibvirtCloning(Cloning):
    def __init__(self, backend: LibvirtBackend, *, by_pools: bool = False) -> None:
        """`by_pools`: have the daemon copy, also what could be copied from here."""
        self._backend = backend
        self._by_pools = by_pools

    async def offer(self, vm: Ref) -> CloneOffer:
        now = await self._backend.ask(lambda connection: _now(connection, vm.id))
        tree = await LibvirtSnapshots(self._backend).tree(vm)
        full = now.refusal or (_RUNS if now.active and not now.paused else _SAVED if now.saved else "")
        starts = await self._backend.ask(lambda connection: bool(connection.domain(vm.id).autostart()))
        linked = now.refusal or (_MUST_REST if now.active else _SAVED if now.saved else _STARTS if starts else "")
        sources = [CloneSource("", "as it is now", full, linked)]
        for snapshot in reversed(tree.snapshots):
            external = any("external" in reason for _, reason in snapshot.refusals)
            words = _EXTERNAL if external else now.refusal or self._snapshot_refusal(now)
            sources.append(CloneSource(snapshot.id, snapshot.name, words, _EXTERNAL if external else _INSIDE))
        size, free, folder = await asyncio.to_thread(_room, now)
        notes = ["Of a snapshot it gets the disks, not the memory."] if tree.snapshots else []
        if now.nvram:
            notes.append("Its firmware's settings are copied where this user may read them, else they are fresh.")
        if now.tpm:
            notes.append("The secrets in its TPM are not copied: what they encrypt asks for its recovery key.")
        return CloneOffer(
            tuple(sources),
            size,
            free,
            clean(folder),
            tuple(notes),
            "The source must not be started any more: what it writes would break the clone. boxtop refuses it.",
        )

    def _snapshot_refusal(self, now: _Now) -> str:
        words = self._here(now)
        return f"only qemu-img reads a snapshot: {words}" if words else ""

    def _here(self, now: _Now) -> str:
        """Why the disks cannot be copied by qemu-img from here; empty when they can."""
        if self._by_pools:
            return "the daemon copies"
        return "it is on another machine" if not now.local else qemu_img.refusal([disk.source for disk in now.disks])

    async def objections(self, vm: Ref, spec: CloneSpec) -> Mapping[str, str]:
        found: dict[str, str] = {}
        if words := vm_names.problem(spec.name) or await self._taken(spec.name):
            found["name"] = words
        return found | offer_objections(await self.offer(vm), spec)

    async def _taken(self, name: str) -> str:
        def look(connection: Connection) -> str:
            names = {str(domain.name()) for domain in connection.domains()}
            return "a VM has this name already" if name in names else ""

        return await self._backend.ask(look)

    async def clone(self, vm: Ref, spec: CloneSpec, report: Report) -> Ref:
        if words := vm_names.problem(spec.name) or source_refusal(await self.offer(vm), spec):
            raise ActionError(words)
        if words := await self._taken(spec.name):
            raise ActionError(words)
        now = await self._backend.ask(lambda connection: _now(connection, vm.id))
        made = pool_copies.Made(self._backend) if self._here(now) else Made()
        identity, defining = str(uuid.uuid4()), False
        try:
            images = {}
            for at, disk in enumerate(now.disks):
                images[disk.target] = await self._disk(now, at, spec, made, report)
            if now.paused and not spec.snapshot:
                await self._still(vm, now)
            nvram = await made.variables(now.nvram, spec.name)
            xml = cloned(now.xml, spec.name, identity, images, keep_macs=spec.keep_macs, nvram=nvram)
            if words := await self._taken(spec.name):
                raise ActionError(words)
            report.progress(Progress("defining it"))
            defining = True
            await whole(self._backend.act(lambda connection: connection.virt.defineXML(xml)))
        except BaseException as error:
            left = await to_the_end(self._taken_back(identity if defining else "", made))
            if isinstance(error, EngineError):
                raise ActionError(f"{error.reason}; {left}") from None
            if isinstance(error, ActionError):
                raise ActionError(f"{error}; {left}") from None
            report.line(left)
            raise
        with suppress(ActionError, EngineError):
            await self._backend.act(lambda connection: pool_copies.refresh(connection, made.folders()))
        return Ref(self._backend.engine, Kind.VM, identity)

    async def _taken_back(self, defined: str, made: Any) -> str:
        """Undefine what may be `defined`, then remove its disks; what is left, in words."""
        try:
            if defined:
                await aftermath.undefined(self._backend, defined)
        except (ActionError, EngineError):
            return "libvirt may have it all the same, with its disks: see when it is there again, and delete it then"
        return str(await made.remove())

    async def _disk(self, now: _Now, at: int, spec: CloneSpec, made: Any, report: Report) -> Image:
        disk = now.disks[at]
        form = "qcow2" if spec.linked else disk.format or "raw"
        stem = spec.name if len(now.disks) == 1 else f"{spec.name}-{disk.target}"
        count = f" {at + 1} of {len(now.disks)}" if len(now.disks) > 1 else ""
        text = f"{'linking' if spec.linked else 'copying'} disk{count}"
        report.progress(Progress(text))

        def told(share: float) -> None:
            report.progress(Progress(text, int((at + share) * 1000), len(now.disks) * 1000, bytes=False))

        path = await made.disk(
            Copy(disk.source, disk.format or "raw", "", spec.snapshot, spec.linked, now.active), stem, form, told
        )
        return Image(path, form)

    async def _still(self, vm: Ref, before: _Now) -> None:
        """Whether a paused source wrote nothing meanwhile. Raises ActionError."""
        after = await self._backend.ask(lambda connection: _now(connection, vm.id))
        if not after.paused or after.written != before.written:
            raise ActionError("it went on while its disks were copied: the copy would be torn")


class Made:
    """Files made for a clone in the folders of their sources, by qemu-img."""

    def __init__(self) -> None:
        self._paths: list[str] = []

    def folders(self) -> set[str]:
        return {str(Path(path).parent) for path in self._paths}

    async def disk(self, what: Copy, stem: str, form: str, told: Any) -> str:
        """The path of the new image, in the folder of its source."""
        suffix = ".qcow2" if form == "qcow2" else Path(what.source).suffix or ".img"
        path = await asyncio.to_thread(self._reserve, str(Path(what.source).parent), stem, suffix)
        await qemu_img.copy(Copy(what.source, what.format, path, what.snapshot, what.linked, what.shared), told)
        with suppress(OSError):
            await asyncio.to_thread(_as_its_source, what.source, path)
        return path

    async def variables(self, path: str, stem: str) -> str:
        """A copy of the firmware's variables; empty where this user cannot make one."""
        if not path or not os.access(path, os.R_OK) or not os.access(Path(path).parent, os.W_OK):
            return ""

        def work() -> str:
            made = self._reserve(str(Path(path).parent), f"{stem}_VARS", Path(path).suffix or ".fd")
            shutil.copyfile(path, made)
            return made

        return await asyncio.to_thread(work)

    async def remove(self) -> str:
        """Delete what was made; what is left, in words."""

        def work() -> str:
            left = []
            for path in self._paths:
                try:
                    Path(path).unlink(missing_ok=True)
                except OSError as error:
                    left.append(f"{path}: {error.strerror}")
            return clean(f"left behind: {'; '.join(left)}", 500) if left else "nothing of it is left"

        return await asyncio.to_thread(work)

    def _reserve(self, folder: str, stem: str, suffix: str) -> str:
        """A path nothing was at, with an empty file of ours. Raises ActionError."""
        for number in range(1, 100):
            path = os.path.join(folder, f"{stem}{'' if number == 1 else f'-{number}'}{suffix}")  # noqa: PTH118
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                continue
            except OSError as error:
                full = error.errno in {28, 122}
                reason = "the disk is full" if full else error.strerror or str(error)
                raise ActionError(clean(f"{path}: {reason}", 500)) from None
            self._paths.append(path)
            return path
        raise ActionError(clean(f"{folder} is full of files called {stem}", 500))


def _as_its_source(source: str, path: str) -> None:
    """Owner and mode: QEMU's user may be another one."""
    facts = os.stat(source)  # noqa: PTH116
    with suppress(PermissionError):
        os.chown(path, facts.st_uid, facts.st_gid)
    os.chmod(path, facts.st_mode & 0o777)  # noqa: PTH101


def _now(connection: Connection, identity: str) -> _Now:
    domain = connection.domain(identity)
    lib = connection.libvirt
    active = bool(domain.isActive())
    persistent = bool(domain.isPersistent())
    xml = domain.XMLDesc(lib.VIR_DOMAIN_XML_SECURE | (lib.VIR_DOMAIN_XML_INACTIVE if persistent else 0))
    own = connection.definition(domain, identity)
    disks, refusal = [], ""
    for disk in own.disks:
        if disk.device not in {"disk", "lun"} or not disk.source or disk.readonly or disk.shareable:
            continue
        path = disk.source if disk.file else pool_copies.path_of(connection, disk.source)
        if not path or disk.device == "lun":
            refusal = f"its disk {disk.target} is no file: {clean(disk.source, 200)} cannot be cloned"
            continue
        disks.append(Disk(disk.target, path, disk.device, disk.format, file=True))
    written = tuple(int(domain.blockStats(disk.target)[3]) for disk in disks) if active else ()
    return _Now(
        xml=xml,
        disks=tuple(disks),
        nvram=variables(connection, own),
        tpm=own.tpm,
        active=active,
        paused=active and int(domain.state()[0]) == _PAUSED,
        saved=not active and bool(connection.facts(domain, identity)["saved"]),
        written=written,
        local=connection.is_local(),
        refusal=refusal,
    )


def _room(now: _Now) -> tuple[int | None, int | None, str]:
    """Bytes the disks take, bytes left beside them, and the folder; None where they are not here."""
    if not now.disks or not now.local:
        return None, None, ""
    try:
        size = sum(os.stat(disk.source).st_blocks * 512 for disk in now.disks)  # noqa: PTH116
        folder = str(Path(now.disks[0].source).parent)
        return size, shutil.disk_usage(folder).free, folder
    except OSError:
        return None, None, ""
