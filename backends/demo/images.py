"""Everything that can be done with the images of a simulated engine, and with its simulated registries."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backends import references
from backends.abilities.images import (
    Archives,
    Found,
    History,
    Layer,
    Names,
    PruneImages,
    Pull,
    Push,
    Registries,
    Search,
    Tags,
)
from backends.base import ActionError
from backends.demo import pictures
from backends.model import Action, ActionOptions, Container, Image, Kind, Ref
from backends.progress import Part, Progress, Report
from backends.references import Reference
from backends.text import clean

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_STEPS = 40
_STEP = 0.15


class _Images:
    """What all of them need of the simulated engine."""

    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._world = backend.world
        self._seed = backend.world.options.seed

    def _all(self) -> list[Image]:
        return [item for item in self._world.items.values() if isinstance(item, Image)]

    def _image(self, ref: Ref) -> Image:
        item = self._world.items.get(ref)
        if not isinstance(item, Image):
            raise ActionError("the image is gone")
        return item

    def _tagged(self, tag: str) -> Image | None:
        return next((image for image in self._all() if tag in image.tags), None)

    def _users(self, image: Image) -> list[Container]:
        items = self._world.items.values()
        return [item for item in items if isinstance(item, Container) and item.image_id == image.ref.id]

    def _move_tag(self, tag: str, to: Image) -> Image:
        before = self._tagged(tag)
        if before is not None and before.ref != to.ref:
            tags = tuple(name for name in before.tags if name != tag)
            self._world.put(replace(before, tags=tags, dangling=not tags))
        image = replace(to, tags=(*(name for name in to.tags if name != tag), tag), dangling=False)
        self._world.put(image)
        return image

    async def _wait(self) -> None:
        await asyncio.sleep(_STEP * self._world.options.pace)


def _parsed(text: str) -> Reference:
    try:
        return references.parse(text)
    except ValueError as error:
        raise ActionError(f"{clean(text, 200)!r} is no image's name: {error}") from None


def _login(wanted: Reference) -> str:
    command = f"docker login {wanted.host}" if wanted.host else "docker login"
    return f"(there is no login for {wanted.registry}; to log in: {command})"


class DemoPull(_Images, Pull):
    async def pull(self, reference: str, report: Report) -> str:
        wanted = _parsed(reference)
        if wanted.host == pictures.HOST and wanted.path not in pictures.STOCK:
            raise ActionError(f"manifest for {wanted.full} not found: manifest unknown: manifest unknown")
        if wanted.host and wanted.host != pictures.HOST:
            raise ActionError(f'Head "https://{wanted.host}/v2/": unauthorized {_login(wanted)}')
        there = self._tagged(wanted.full)
        size = there.size if there else pictures.size_of(self._seed, wanted.full)
        layers = pictures.layers(self._seed, wanted.full, size)
        report.line(f"Pulling from {wanted.path}")
        if there is not None:
            parts = tuple(Part(name, "Already exists") for name, _ in layers)
            report.progress(Progress(f"pulling, {len(parts)} of {len(parts)} layers done", parts=parts))
            await self._wait()
            return f"Image is up to date for {wanted.full}"
        for step in range(_STEPS + 1):
            report.progress(_fetched(layers, step / _STEPS))
            await self._wait()
        digest = hashlib.sha256(f"{self._seed}/{wanted.full}".encode()).hexdigest()
        ref = Ref(self._backend.engine, Kind.IMAGE, f"sha256:{digest}")
        now = self._backend.clock()
        self._move_tag(wanted.full, Image(ref, (), (f"{wanted.name}@sha256:{digest[::-1]}",), size, now - 86400, False))
        report.line(f"Digest: sha256:{digest[::-1]}")
        return f"Downloaded newer image for {wanted.full}"


def _fetched(layers: Sequence[tuple[str, int]], share: float) -> Progress:
    """Where a pull stands: layers come three at a time, and are unpacked one after the other."""
    total = sum(size for _, size in layers)
    fetched = min(1.0, share / 0.7) * total
    unpacked = max(0.0, (share - 0.4) / 0.6) * total
    parts, done, before, finished = [], 0, 0, 0
    for name, size in layers:
        here = int(min(size, max(0.0, fetched - before * 0.6)))
        out = int(min(size, max(0.0, unpacked - before)))
        before += size
        if share >= 1 or (out >= size and here >= size):
            finished += 1
            parts.append(Part(name, "Pull complete", size, size))
            here = size
        elif here >= size and out:
            parts.append(Part(name, "Extracting", out, size))
        elif here >= size:
            parts.append(Part(name, "Download complete", size, size))
        else:
            parts.append(Part(name, "Downloading", here, size) if here else Part(name, "Waiting"))
        done += here
    return Progress(f"pulling, {finished} of {len(layers)} layers done", done, total, parts=tuple(parts))


class DemoPush(_Images, Push):
    async def push(self, reference: str, report: Report) -> str:
        wanted = _parsed(reference)
        image = self._tagged(wanted.full)
        if image is None:
            raise ActionError(f"tag does not exist: {wanted.full}")
        report.line(f"The push refers to repository [{wanted.registry}/{wanted.path}]")
        await self._wait()
        if wanted.host != pictures.HOST:
            raise ActionError(f"denied: requested access to the resource is denied {_login(wanted)}")
        layers = pictures.layers(self._seed, image.ref.id, image.size)
        for step in range(_STEPS + 1):
            sent = image.size * step / _STEPS
            parts, before, done = [], 0.0, 0
            for name, size in layers:
                here = int(min(size, max(0.0, sent - before)))
                before += size
                done += here
                parts.append(Part(name, "Pushed" if here >= size else "Pushing" if here else "Preparing", here, size))
            finished = sum(part.done == part.total for part in parts)
            text = f"pushing, {finished} of {len(layers)} layers done"
            report.progress(Progress(text, done, image.size, parts=tuple(parts)))
            await self._wait()
        stock = self._backend.ability(Registries)
        if isinstance(stock, DemoRegistries):
            stock.take(wanted)
        return f"{wanted.tag or 'latest'}: digest: {image.ref.id} size: {len(layers) * 528}"


class DemoTags(_Images, Tags):
    async def tag(self, image: Ref, reference: str) -> None:
        wanted = _parsed(reference)
        self._move_tag(wanted.full, self._image(image))

    async def untag(self, image: Ref, tag: str) -> None:
        found = self._image(image)
        if tag not in found.tags:
            raise ActionError(f"No such image: {tag}")
        tags = tuple(name for name in found.tags if name != tag)
        if tags:
            self._world.put(replace(found, tags=tags))
            return
        users = self._users(found)
        if users:
            raise ActionError(
                f'unable to remove repository reference "{tag}" (must force) - '
                f"container {users[0].ref.id[:12]} is using its referenced image"
            )
        self._world.drop(image)


class DemoPruneImages(_Images, PruneImages):
    async def unneeded(self) -> tuple[Image, ...]:
        unused = (image for image in self._all() if not self._users(image))
        return tuple(sorted(unused, key=lambda image: (-image.size, image.tags, image.ref.id)))

    async def remove(self, image: Image) -> None:
        now = self._world.items.get(image.ref)
        if not isinstance(now, Image):
            raise ActionError("it is gone already")
        if set(now.tags) != set(image.tags):
            raise ActionError("it has other tags now")
        await self._backend.perform(Action.DELETE, image.ref, ActionOptions())


class DemoHistory(_Images, History):
    async def history(self, image: Ref) -> tuple[Layer, ...]:
        found = self._image(image)
        repository = found.tags[0].rpartition(":")[0] if found.tags else ""
        return pictures.history(found, repository)


class DemoArchives(_Images, Archives):
    """Touches no file: what it says of them is simulated as all else."""

    async def save(self, names: Sequence[str], path: str, size: int, report: Report, *, overwrite: bool) -> str:
        del names, overwrite
        for step in range(_STEPS + 1):
            report.progress(Progress("writing", size * step // _STEPS, size))
            await self._wait()
        return f"{clean(path, 300)}, {size} bytes (simulated: nothing was written)"

    async def load(self, path: str, report: Report) -> str:
        name = f"loaded/{Path(path).name.partition('.')[0].lower() or 'image'}:latest"
        wanted = _parsed(name)
        size = pictures.size_of(self._seed, name)
        for step in range(_STEPS + 1):
            report.progress(Progress("sending", size * step // _STEPS, size))
            await self._wait()
        digest = hashlib.sha256(f"{self._seed}/{name}".encode()).hexdigest()
        ref = Ref(self._backend.engine, Kind.IMAGE, f"sha256:{digest}")
        self._move_tag(wanted.full, Image(ref, (), (), size, self._backend.clock() - 86400, False))
        return f"loaded {wanted.full} (simulated: no file was read)"


class DemoSearch(_Images, Search):
    async def search(self, term: str) -> tuple[Found, ...]:
        await self._wait()
        return pictures.search(term)


class DemoRegistries(_Images, Registries):
    def __init__(self, backend: DemoBackend) -> None:
        super().__init__(backend)
        self._stock = {name: list(tags) for name, tags in pictures.STOCK.items()}

    def take(self, wanted: Reference) -> None:
        """What was pushed is in it."""
        tags = self._stock.setdefault(wanted.path, [])
        if (wanted.tag or "latest") not in tags:
            tags.append(wanted.tag or "latest")

    async def known(self) -> tuple[str, ...]:
        return (pictures.HOST,)

    async def repositories(self, host: str) -> Names:
        await self._wait()
        self._check(host)
        return Names(tuple(sorted(self._stock)))

    async def tags(self, host: str, repository: str) -> Names:
        await self._wait()
        self._check(host)
        if repository not in self._stock:
            raise ActionError(f"{host} has no repository {clean(repository, 200)}")
        return Names(tuple(self._stock[repository]))

    def _check(self, host: str) -> None:
        if host != pictures.HOST:
            raise ActionError(f"{clean(host, 100)}: no such host")
