"""VirtualBox's media registry, through VBoxManage 7.2."""

from __future__ import annotations

import asyncio
import posixpath
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backends import bases
from backends.abilities.media import Media, Medium, NewMedium
from backends.base import ActionError, EngineError
from backends.text import clean
from backends.undoing import to_the_end, undone_on_failure
from backends.virtualbox.creating import FORMATS, name_wrong
from backends.virtualbox.hosting import Host
from backends.virtualbox.working import Taken, Working

if TYPE_CHECKING:
    from backends.progress import Report
    from backends.virtualbox.backend import VirtualBoxBackend
    from backends.virtualbox.images import Image

_LONG = 600.0
_EXTENT = re.compile(rb'^[ \t]*(?:RW|RDONLY|NOACCESS)[^"\n]*"([^"\n]*)"', re.MULTILINE | re.IGNORECASE)
_LONGEST_DESCRIPTION = 1 << 20
_SUFFIXES = (".vdi", ".vmdk", ".vhd", ".hdd", ".qcow", ".qcow2", ".qed")


class VirtualBoxMedia(Media):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend
        self._host = Host(backend)

    async def media(self) -> tuple[Medium, ...]:
        disks, isos, floppies, names = await asyncio.gather(
            self._host.images(), self._host.images("dvds"), self._host.images("floppies"), self._host.machines()
        )
        marked = await asyncio.to_thread(bases.marked, self._backend.url)
        paths = {image.id: image.location for image in disks}
        found = []
        for kind, images in (("disk", disks), ("iso", isos), ("floppy", floppies)):
            for image in images:
                if not image.location.startswith("/"):
                    continue  # a drive of the host
                resting = sum(other.parent == image.id for other in images)
                made = _medium(image, kind, names)
                above, base = paths.get(image.parent, ""), image.location in marked
                found.append(replace(made, resting=resting, rests_on=above, base=base))
        return tuple(found)

    async def create(self, spec: NewMedium, report: Report) -> str:
        if wrong := name_wrong(spec.name):
            raise ActionError(wrong)
        folder = (await self._host.properties()).get("Default machine folder", "")
        path = posixpath.join(folder, f"{spec.name}.{spec.format.lower()}")
        variant = "Fixed" if spec.fixed else "Standard"
        options = (f"--sizebyte={spec.size}", f"--format={spec.format}", f"--variant={variant}")
        await self._made(path, ("createmedium", "disk", f"--filename={path}", *options), report)
        return path

    async def grow(self, medium: Medium, size: int, report: Report) -> None:
        if size <= (medium.virtual or 0):
            raise ActionError("a disk can only grow: what lies at its end would be lost")
        work = Working(self._backend.manager(), report)
        await work.long(
            f"growing {clean(medium.path, 200)}", ("modifymedium", "disk", medium.id, f"--resizebyte={size}")
        )

    async def convert(self, medium: Medium, format: str, report: Report) -> str:  # noqa: A002
        stem = medium.path.rsplit(".", 1)[0]
        path = await self._free(stem, format.lower())
        await self._made(path, ("clonemedium", "disk", medium.id, path, f"--format={format}"), report)
        return path

    async def bring(self, path: str, report: Report) -> str:
        if not path.lower().endswith(_SUFFIXES):
            raise ActionError("VirtualBox keeps no ISOs: it knows one as soon as it is put into a VM's drive")
        if why := (await self._host.place(path))["why"]:
            raise ActionError(f"VirtualBox cannot read {clean(path, 200)}: {clean(why)}")
        if beside := await asyncio.to_thread(_beside, path):
            # whoever made it may have named any file of this machine
            raise ActionError(f"it takes what it holds from {clean(beside, 200)}: that is not imported")
        folder = (await self._host.properties()).get("Default machine folder", "")
        target = await self._free(posixpath.join(folder, posixpath.basename(path).rsplit(".", 1)[0]), "vdi")
        known = any(image.location == path for image in await self._host.images())
        try:
            await self._made(target, ("clonemedium", "disk", path, target, "--format=VDI"), report)
        except BaseException:
            if not known:
                await to_the_end(self._forgotten(path))
            raise
        return target

    async def _forgotten(self, path: str) -> str:
        """Have VirtualBox know no more of an image that it opened for a copy: its file stays."""
        with suppress(ActionError, EngineError):
            await self._host.run("closemedium", "disk", path)
        return ""

    async def remove(self, medium: Medium) -> None:
        """An ISO is forgotten and kept: only images VirtualBox made or may write to are deleted."""
        now = next((one for one in await self.media() if one.id == medium.id), None)
        if now is None:
            raise ActionError("VirtualBox does not know it any more")
        if now.keeps:
            raise ActionError(now.keeps)
        kind = {"disk": "disk", "iso": "dvd", "floppy": "floppy"}[medium.kind]
        delete = ("--delete",) if medium.kind == "disk" and not now.missing else ()
        await self._host.run("closemedium", kind, medium.id, *delete, seconds=_LONG)

    async def mark(self, medium: Medium, *, base: bool) -> None:
        await bases.keep_mark(self._backend.url, medium, base=base)

    async def _free(self, stem: str, suffix: str) -> str:
        for number in range(1, 1000):
            path = f"{stem}{'' if number == 1 else f'-{number}'}.{suffix}"
            if not (await self._host.place(path))["there"]:
                return path
        raise ActionError("no name is free beside it")

    async def _made(self, path: str, arguments: tuple[str, ...], report: Report) -> None:
        if (await self._host.place(path))["there"]:
            raise ActionError(f"{clean(path, 200)} is there already")
        if any(image.location == path for image in await self._host.images()):
            # its file may be on a file system that is not mounted now
            raise ActionError(f"VirtualBox knows a disk {clean(path, 200)} already, though its file is not there")
        if arguments[0] == "createmedium" and arguments[-2].partition("=")[2] not in dict(FORMATS):
            raise ActionError("VirtualBox makes no disks of this format")

        async def gone() -> bool:
            for image in await self._host.images():
                if image.location == path:
                    await self._host.run("closemedium", "disk", image.id, "--delete", seconds=_LONG)
                    return True
            return await self._host.discard(path)

        async with undone_on_failure(report) as undo:
            undo.later(f"the disk {clean(path, 200)}", lambda: self._host.often(gone))
            try:
                await Working(self._backend.manager(), report).long(f"making {clean(path, 200)}", arguments)
            except Taken:
                undo.unmade()
                raise
            undo.forget()


def _beside(path: str) -> str:
    """What a VMDK that only describes a disk names outside of its own folder; empty for all else."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(_LONGEST_DESCRIPTION)
    except OSError:
        return ""
    if not head.lstrip().startswith(b"# Disk DescriptorFile"):
        return ""
    named = (match[1].decode("utf-8", "replace") for match in _EXTENT.finditer(head))
    return next((name for name in named if "/" in name or "\\" in name or name == ".."), "")


def _medium(image: Image, kind: str, names: dict[str, str]) -> Medium:
    users = dict.fromkeys(clean(names[user], 60) for user in image.users if user in names)
    if image.users and not users:
        users = {"a snapshot": None}
    return Medium(
        id=image.id,
        path=image.location,
        kind=kind,
        format=clean(image.format),
        virtual=image.capacity,
        real=image.size,
        users=tuple(users),
        missing="its file is not there" if image.state == "inaccessible" else "",
    )
