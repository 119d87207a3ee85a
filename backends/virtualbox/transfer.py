"""OVA files, by `VBoxManage export` and `import`. Seen with VirtualBox 7.2.22, which undoes what is cancelled."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends import vm_names
from backends.abilities.transfer import Package, Room, Transfer
from backends.base import ActionError, EngineError
from backends.export_paths import check_new, free_at, words
from backends.model import Ref
from backends.progress import Report
from backends.text import clean
from backends.undoing import whole
from backends.virtualbox.following import Followed, follow
from backends.virtualbox.helper import clones
from backends.virtualbox.images import images
from backends.virtualbox.manage import refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_OFF = {"PoweredOff", "Aborted"}
_LOOK = 120.0
_NAME = re.compile(r'^ *\d+: Suggested VM name "(.*)"$', re.MULTILINE)
_SYSTEM = re.compile(r"^Virtual system \d+:", re.MULTILINE)
_IMAGE = re.compile(r"^ *(\d+): (?:Hard disk|CD/DVD|Floppy) image: *(.*)$", re.MULTILINE)
_SUFFIX = re.compile(r"(\.(?:vmdk|vdi|vhd|iso|img))(?:\.gz)?, controller=", re.IGNORECASE)
_NO_WRITING = ("VERR_FILE_NOT_FOUND", "VERR_PATH_NOT_FOUND", "VERR_ACCESS_DENIED", "VERR_WRITE_PROTECT")
_ATTEMPTS, _EACH = 6, 0.5


class VirtualBoxTransfer(Transfer):
    suffix = ".ova"
    what = "one OVA file, its disks compressed"

    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def room(self, vm: Ref, path: str) -> Room:
        await asyncio.to_thread(check_new, path, self.suffix)
        await self._check_off(vm)
        await self._check_name(vm)
        with refusals():
            media = await self._backend.manager().media(vm.id)
        notes = ("Its snapshots are not exported: the disks are as they are now.",) if len(media) > 1 else ()
        needs = sum(medium["size"] or 0 for medium in media)
        return Room(needs, await asyncio.to_thread(free_at, path), exact=False, notes=notes)

    async def export(self, vm: Ref, path: str, report: Report) -> str:
        await asyncio.to_thread(check_new, path, self.suffix)
        await self._check_off(vm)
        # in a folder of its own: what is removed when it fails was written by it
        folder = await asyncio.to_thread(_beside, path)
        made = str(Path(folder, Path(path).name))
        await self._check_name(vm)
        arguments = ["export", vm.id, f"--output={made}", "--options=manifest"]
        try:
            await follow(self._backend.manager(), arguments, "writing the OVA", report, cancels=True)
            await whole(asyncio.to_thread(_settle, made, path))
        except Followed as error:
            raise ActionError(f"{_reason(str(error))}; nothing is left at {clean(path, 300)}") from None
        finally:
            await asyncio.shield(_remove(folder))
        written = await asyncio.to_thread(os.path.getsize, path)
        return f"{clean(path, 300)}, {written / 1e6:,.1f} MB"

    async def look(self, path: str) -> Package:
        if not path.endswith((".ova", ".ovf")):
            raise ActionError("an OVA file, or the OVF file of an exported folder")
        file = Path(path)
        if not file.is_absolute() or not await asyncio.to_thread(file.is_file):
            raise ActionError(f"there is no file {clean(path, 300)}")
        text = await self._run("import", path, "--dry-run", seconds=_LOOK)
        systems = len(_SYSTEM.findall(text))
        if systems != 1:
            raise ActionError(f"it holds {systems} VMs: import it with VBoxManage, which asks for each")
        if "--eula accept" in text:
            raise ActionError("it asks for a license to be accepted: import it with VBoxManage import --eula")
        if any("/" in said or "\\" in said for _, said in _IMAGE.findall(text)):
            # VirtualBox reads and writes its disks wherever it says
            raise ActionError("it names its disks as files of this machine outside of it: it is not imported")
        found = _NAME.search(text)
        name = clean(found[1]) if found else file.stem
        place = await self._place(name)
        folder = str(place["folder"])
        needs = await asyncio.to_thread(os.path.getsize, path)
        return Package(name, Room(needs, place["free"], exact=False), clean(folder.rpartition("/")[0]))

    async def name_taken(self, name: str) -> str:
        if words := vm_names.problem(name):
            return words
        place = await self._place(name)
        return clean(f"{place['folder']} is there already") if place["taken"] else ""

    async def bring(self, path: str, name: str, report: Report) -> str:
        if taken := await self.name_taken(name):
            raise ActionError(taken)
        await self.look(path)
        folder = str((await self._place(name))["folder"])
        disks = _targets(await self._run("import", path, "--dry-run", seconds=_LOOK), folder)
        before = await self._run("list", "vms")
        # made here, it is nobody else's, and may be removed when the import fails
        if taken := await whole(self._reserve(folder)):
            raise ActionError(clean(f"{folder} {taken}: nothing was done"))
        arguments = ["import", path, "--vsys", "0", f"--vmname={name}", *disks]
        try:
            await follow(self._backend.manager(), arguments, "reading its disks", report, cancels=True)
        except Followed as error:
            left = await asyncio.shield(self._clear(before, name, folder))
            raise ActionError(f"{_reason(str(error))}; {left}") from None
        except asyncio.CancelledError:
            report.line(await asyncio.shield(self._clear(before, name, folder)))
            raise
        return f"made from {clean(path, 300)}"

    async def _clear(self, before: str, name: str, folder: str) -> str:
        """Remove what VirtualBox itself left of an import that failed; what is left then, in words."""
        words = ""
        for _ in range(_ATTEMPTS):
            try:
                known = set(re.findall(r"\{([0-9a-f-]{36})\}$", before, re.MULTILINE))
                listed = re.findall(r'^"(.*)" \{([0-9a-f-]{36})\}$', await self._run("list", "vms"), re.MULTILINE)
                for called, machine in listed:
                    if machine not in known and called == name and await self._lives_in(machine, folder):
                        await self._run("unregistervm", machine, "--delete", seconds=_LOOK)
                for image in reversed(images(await self._run("list", "--long", "hdds"))):
                    if image.location.startswith(f"{folder}/"):
                        await self._run("closemedium", "disk", image.id, "--delete", seconds=_LOOK)
                if not self._backend.binding:
                    words = await asyncio.to_thread(clones.clear, folder)
                else:
                    words = str(await self._backend.ask_alone("clone_clear", folder=folder))
            except (ActionError, EngineError) as error:
                words = str(error)
            if not words:
                return "nothing of it is left"
            # VBoxSVC may just be coming up again
            await asyncio.sleep(_EACH)
        return clean(f"its files may be left in {folder}: {words}")

    async def _lives_in(self, machine: str, folder: str) -> bool:
        found = re.search(
            r'^CfgFile="(.*)"$', await self._run("showvminfo", machine, "--machinereadable"), re.MULTILINE
        )
        return found is not None and re.sub(r"\\(.)", r"\1", found[1]).rpartition("/")[0] == folder

    async def _reserve(self, folder: str) -> str:
        if self._backend.binding:
            return str(await self._backend.ask("clone_reserve", folder=folder))
        return await asyncio.to_thread(clones.reserve, folder)

    async def _place(self, name: str) -> dict[str, Any]:
        if self._backend.binding:
            return dict(await self._backend.ask("clone_place", called=name))
        base = re.search(r"^Default machine folder: +(.+)$", await self._run("list", "systemproperties"), re.MULTILINE)
        if base is None:
            raise ActionError("VBoxManage does not tell where machines go")
        return await asyncio.to_thread(clones.look, clones.folder_of(base[1], name))

    async def _check_name(self, vm: Ref) -> None:
        """The disks are named after it, within quotes in their own headers: with one in the name none is read back."""
        with refusals():
            name = (await self._backend.manager().listing()).get(vm.id, "")
        if '"' in name:
            raise ActionError('VirtualBox cannot read back what it exports of a VM with a " in its name: rename it')

    async def _check_off(self, vm: Ref) -> None:
        with refusals():
            state = await self._backend.manager().state(vm.id)
        if state in {"Saved", "AbortedSaved"}:
            raise ActionError("it is saved, and an OVA holds no memory: start it and shut it down first")
        if state not in _OFF:
            raise ActionError("it runs, and its disks change while they are copied: shut it down first")

    async def _run(self, *arguments: str, seconds: float = 30.0) -> str:
        with refusals():
            return await self._backend.manager().run(*arguments, seconds=seconds)


def _targets(told: str, folder: str) -> list[str]:
    """Options that put every disk of a dry run into the machine's own folder, whatever the OVA says."""
    options = []
    for number, (unit, said) in enumerate(_IMAGE.findall(told), 1):
        found = _SUFFIX.search(said)
        if said.startswith("source"):
            options += ["--unit", unit, f"--disk={folder}/disk-{number}{found[1].lower() if found else '.vmdk'}"]
    return options


def _beside(path: str) -> str:
    try:
        return tempfile.mkdtemp(prefix=".boxtop-", dir=Path(path).parent)
    except OSError as error:
        raise ActionError(words(error)) from None


def _settle(made: str, path: str) -> None:
    """Give it its name, over nothing that came to be there meanwhile."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise ActionError(f"{clean(path, 300)} is there by now: nothing was overwritten") from None
    except OSError:
        # a file system without links
        if os.path.lexists(path):
            raise ActionError(f"{clean(path, 300)} is there by now: nothing was overwritten") from None
        try:
            os.rename(made, path)  # noqa: PTH104
        except OSError as error:
            raise ActionError(words(error)) from None


async def _remove(folder: str) -> None:
    """What was written of an export; also when VBoxSVC makes it only now."""
    for _ in range(_ATTEMPTS):
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        if not await asyncio.to_thread(os.path.lexists, folder):
            return
        await asyncio.sleep(_EACH)


def _reason(words: str) -> str:
    if "Failed to open" in words and any(mark in words for mark in _NO_WRITING):
        return "VirtualBox itself may not write there, or sees no such folder"
    return "the disk is full" if "VERR_DISK_FULL" in words else words.removeprefix("Appliance write failed ")
