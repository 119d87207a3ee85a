"""Images and ISOs of the simulated VMs' host."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backends import bases
from backends.abilities.media import Media, Medium, NewMedium
from backends.base import ActionError
from backends.demo.curves import GB, MB
from backends.demo.machinery import FOLDER, machinery
from backends.progress import Progress

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend
    from backends.progress import Report

_STEPS = 20


class DemoMedia(Media):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._own = machinery(backend)

    async def media(self) -> tuple[Medium, ...]:
        own = self._own
        found = []
        for path, (disk, users) in own.disks().items():
            size = own.sizes.get(path) or max(20 * GB, -(-disk.size // (10 * GB)) * 10 * GB)
            found.append(Medium(disk.id, path, "disk", "VDI", size, disk.size, tuple(users)))
        for path, (virtual, real) in own.images.items():
            form = path.rpartition(".")[2].upper()
            base = path in own.bases
            found.append(Medium(path, path, "disk", form, own.sizes.get(path, virtual), real, base=base))
        found += [Medium(path, path, "iso", "RAW", size, size) for path, size in own.isos.items()]
        return tuple(sorted(found, key=lambda medium: (medium.kind, medium.path)))

    async def create(self, spec: NewMedium, report: Report) -> str:
        path = f"{FOLDER}/{spec.name}.{spec.format.lower()}"
        return await self._made(path, (spec.size, spec.size if spec.fixed else 2 * MB), report)

    async def grow(self, medium: Medium, size: int, report: Report) -> None:
        del report
        if size <= (medium.virtual or 0):
            raise ActionError("a disk can only grow: what lies at its end would be lost")
        if medium.users:
            raise ActionError(f"{medium.keeps}: grow it in the VM's settings")
        await asyncio.sleep(0.2 * self._backend.world.options.pace)
        self._own.sizes[medium.path] = size

    async def convert(self, medium: Medium, format: str, report: Report) -> str:  # noqa: A002
        path = self._free(medium.path.rsplit(".", 1)[0], format.lower())
        return await self._made(path, (medium.virtual or 0, medium.real or 0), report)

    async def bring(self, path: str, report: Report) -> str:
        name = path.rpartition("/")[2]
        if path.lower().endswith(".iso"):
            await self._pass(f"copying {path}", 700 * MB, report)
            self._own.isos[f"/srv/iso/{name}"] = 700 * MB
            return f"/srv/iso/{name}"
        return await self._made(self._free(f"{FOLDER}/{name.rsplit('.', 1)[0]}", "vdi"), (20 * GB, 2 * GB), report)

    async def remove(self, medium: Medium) -> None:
        now = next((one for one in await self.media() if one.path == medium.path), None)
        if now is None:
            raise ActionError("it is not there any more")
        if now.keeps:
            raise ActionError(now.keeps)
        await asyncio.sleep(0.2 * self._backend.world.options.pace)
        self._own.images.pop(medium.path, None)
        self._own.isos.pop(medium.path, None)

    async def mark(self, medium: Medium, *, base: bool) -> None:
        bases.check_mark(medium, base=base)
        if base:
            self._own.bases.add(medium.path)
        else:
            self._own.bases.discard(medium.path)

    def _free(self, stem: str, suffix: str) -> str:
        taken = {*self._own.images, *self._own.disks()}
        names = (f"{stem}{'' if number == 1 else f'-{number}'}.{suffix}" for number in range(1, 1000))
        return next(name for name in names if name not in taken)

    async def _made(self, path: str, sizes: tuple[int, int], report: Report) -> str:
        if path in self._own.images or path in self._own.disks():
            raise ActionError(f"{path} is there already")
        await self._pass(f"making {path}", sizes[1], report)
        self._own.images[path] = sizes
        return path

    async def _pass(self, text: str, size: int, report: Report) -> None:
        report.line(text)
        steps = _STEPS if size > GB else 1
        for step in range(steps):
            report.progress(Progress(text, size * step // steps, size))
            await asyncio.sleep((0.25 if steps > 1 else 0.1) * self._backend.world.options.pace)
