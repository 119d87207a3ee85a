"""Builds of a simulated engine: nothing of this machine is read, and one whose tag has `fail` in it fails."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from backends import references
from backends.abilities.build import Build, BuildRequest, Recipe
from backends.base import ActionError
from backends.demo.curves import MB, number
from backends.model import Image, Kind, Ref
from backends.progress import Progress, Report
from backends.text import clean

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_STEP = 0.5
_FAILING = 5
_STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("FROM node:22-bookworm AS deps", (" ---> 0c2fd4a1b6de",)),
    ("WORKDIR /app", (" ---> Running in 5d0cf8a9e3b1",)),
    ("COPY package.json package-lock.json ./", (" ---> 3b61f2ad0c44",)),
    ("RUN npm ci --omit=dev", ("added 214 packages, and audited 215 packages in 9s", "found 0 vulnerabilities")),
    ("RUN npm test", ("✔ orders are totalled (12.4 ms)", "✔ payments are refunded once (31.0 ms)")),
    ("FROM deps AS final", (" ---> 88f1c07d52ab",)),
    ("COPY . .", (" ---> 19aa6e2b7f03",)),
    ('CMD ["node", "server.js"]', (" ---> Running in a40e7be2d911", " ---> e54b2bed44ec")),
)
_BROKEN = ("✖ payments are refunded once (30.2 ms)", "  AssertionError: expected 1 refund, got 2", "npm error code 1")
_BUILDER = "by a simulated engine"


class DemoBuild(Build):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def examine(self, context: str, dockerfile: str) -> Recipe:
        return Recipe(f"{context}/{dockerfile or 'Dockerfile'}", ("deps", "final"), (("VERSION", "2.15"),), _BUILDER)

    async def build(self, request: BuildRequest, report: Report) -> str:
        world = self._backend.world
        report.line(f"built {_BUILDER}")
        report.line(f"context {clean(request.context)}: 212 files, 1.8 MiB; 3 left out by .dockerignore")
        size = 1_887_436
        for part in range(5):
            report.progress(Progress("sending the context", size * part // 4, size))
            await asyncio.sleep(0.1 * world.options.pace)
        total = len(_STEPS)
        for at, (step, output) in enumerate(_STEPS, 1):
            report.line(f"Step {at}/{total} : {step}")
            report.progress(Progress(f"step {at}/{total}: {step}", at - 1, total, bytes=False))
            await asyncio.sleep(_STEP * world.options.pace)
            if at == _FAILING and any("fail" in tag for tag in request.tags):
                for line in (*_BROKEN, "", f"FAILED at step {at}/{total}: {step}"):
                    report.line(line)
                reason = "The command '/bin/sh -c npm test' returned a non-zero code: 1"
                report.line(reason)
                raise ActionError(f"step {at}/{total} failed, {step}: {reason}")
            for line in output:
                report.line(line)
        return self._made(request)

    def _made(self, request: BuildRequest) -> str:
        world = self._backend.world
        tags = tuple(references.parse(tag).full for tag in request.tags)
        digest = hashlib.sha256(f"{world.options.seed}/{request}".encode()).hexdigest()
        ref = Ref(self._backend.engine, Kind.IMAGE, f"sha256:{digest}")
        for item in list(world.items.values()):
            if isinstance(item, Image) and item.ref != ref and set(item.tags) & set(tags):
                left = tuple(tag for tag in item.tags if tag not in tags)
                world.put(replace(item, tags=left, dangling=not left))
        size = 180 * MB + number(world.options.seed, "build", str(tags)) % (90 * MB)
        world.put(Image(ref, tags, (), size, self._backend.clock(), not tags))
        return f"built {digest[:12]}" + (f" as {', '.join(tags)}" if tags else ", without a tag")
