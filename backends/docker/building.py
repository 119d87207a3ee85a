"""Builds by the engine itself: the context streamed to it, its output followed step by step.

Docker Engine API 1.41 `POST /build`; Podman's service takes the same and builds with Buildah, which knows what else
only BuildKit knows. A Docker build that BuildKit is for goes through the docker CLI (`buildkit`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backends import references
from backends.abilities.build import Build, BuildRequest, Recipe
from backends.base import ActionError
from backends.docker import buildkit
from backends.docker.client import Connection
from backends.docker.context import Context, read
from backends.docker.streams import Exchange
from backends.docker.transfers import Layers
from backends.logins import login_for
from backends.pack import Scan
from backends.progress import Progress, Report
from backends.text import clean
from backends.threads import ThreadReport, in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_STEP = re.compile(r"(?:Step|STEP) (\d+)/(\d+)\s*: (.*)")
_ID = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})")
_HUB_KEY = "https://index.docker.io/v1/"
"""What Docker calls Docker Hub where it looks up logins."""


@dataclass(frozen=True, slots=True)
class _Plan:
    context: Context
    count: Scan
    builder: buildkit.Builder | None
    logins: str = field(repr=False)
    """The value of X-Registry-Config; empty without any."""


class DockerBuild(Build):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def examine(self, context: str, dockerfile: str) -> Recipe:
        connection = self._backend.connected()
        exchange = Exchange(connection)

        def work() -> Recipe:
            try:
                found = read(context, dockerfile, podman=connection.podman)
                builder = _choose(connection, exchange, found)
            finally:
                exchange.finish()
            said = builder.said if builder else _by_engine(connection)
            parsed = found.parsed
            arguments = tuple((clean(name, 200), clean(value, 200)) for name, value in parsed.arguments)
            return Recipe(found.path, tuple(clean(name, 200) for name in parsed.stages), arguments, said)

        return await in_thread(work, exchange.close, "build-look")

    async def build(self, request: BuildRequest, report: Report) -> str:
        connection = self._backend.connected()
        exchange = Exchange(connection)
        news = ThreadReport(report)

        def prepare() -> _Plan:
            news.progress(Progress("reading the context"))
            found = read(request.context, request.dockerfile, podman=connection.podman)
            builder = _choose(connection, exchange, found)
            logins = "" if builder else _logins(found, podman=connection.podman)
            return _Plan(found, found.count(lambda: exchange.closed), builder, logins)

        def by_engine() -> str:
            try:
                return _build(exchange, request, plan, news)
            finally:
                exchange.finish()
                news.flush()

        try:
            plan = await in_thread(prepare, exchange.close, "build-look")
        except BaseException:
            exchange.finish()
            raise
        report.line(f"built {plan.builder.said if plan.builder else _by_engine(connection)}")
        report.line(_tell(plan.context, plan.count))
        if plan.builder is not None:
            exchange.finish()
            return await buildkit.build(plan.builder, request, plan.context, report)
        exchange.renew()
        return await in_thread(by_engine, exchange.close, "build")


def _by_engine(connection: Connection) -> str:
    return "by Podman" if connection.podman else "by the engine's own builder, without BuildKit"


def _choose(connection: Connection, exchange: Exchange, context: Context) -> buildkit.Builder | None:
    """The docker CLI where BuildKit is needed or the engine's default; None for the engine's own. Blocks.

    Raises ActionError when BuildKit is needed and cannot be had.
    """
    if connection.podman:
        return None
    needed = context.parsed.buildkit
    default = False
    if not needed:
        try:
            answer = exchange.request("GET", "/_ping", silence=10.0)
            default = answer.headers.get("Builder-Version") == "2"
        finally:
            exchange.renew()
    if not (needed or default):
        return None
    found = buildkit.find(connection.endpoint)
    if found is None and needed:
        raise ActionError(
            f"this Dockerfile needs BuildKit ({needed}), which takes the docker CLI here: install docker-ce-cli and "
            "docker-buildx-plugin (Debian: docker-cli and docker-buildx)"
        )
    return found


def _tell(context: Context, count: Scan) -> str:
    size = f"{count.bytes / (1 << 20):,.1f} MiB" if count.bytes >= 1 << 20 else f"{count.bytes / 1024:,.1f} KiB"
    out = f"; {count.excluded:,} left out by {clean(context.ignore_file)}" if context.ignore_file else ""
    return f"context {clean(context.folder)}: {count.files:,} file{'s' * (count.files != 1)}, {size}{out}"


def _build(exchange: Exchange, request: BuildRequest, plan: _Plan, news: ThreadReport) -> str:
    def told(done: int, name: str) -> None:
        if exchange.closed:
            raise ActionError("cancelled")
        del name
        news.progress(Progress("sending the context", done, plan.count.bytes))

    inside, body = plan.context.stream(told)
    query: dict[str, str | list[str]] = {
        "dockerfile": inside,
        "t": list(request.tags),
        "buildargs": json.dumps(dict(request.arguments)),
        "rm": "1",
        "forcerm": "1",
        "target": request.target,
        "nocache": str(int(request.no_cache)),
    }
    if request.pull:
        query["pull"] = "1"
    headers = {"Content-Type": "application/x-tar"}
    if plan.logins:
        headers["X-Registry-Config"] = plan.logins
    exchange.request("POST", "/build", query, body=body, headers=headers)
    identity = follow(exchange.lines(), news)
    if exchange.closed:
        raise ActionError("cancelled")
    return result(identity, request.tags)


def result(identity: str, tags: Iterable[str]) -> str:
    named = ", ".join(clean(tag, 200) for tag in tags)
    return f"built {identity[:12]}" + (f" as {named}" if named else ", without a tag")


def follow(lines: Iterator[Mapping[str, Any]], news: Report) -> str:
    """The build's output to its end; the image's id. Raises ActionError naming the step that failed."""
    step, layers, identity = "", Layers("pulling the base"), ""
    number, total = 0, 0
    pending = ""
    for entry in lines:
        error = (entry.get("errorDetail") or {}).get("message") or entry.get("error")
        if error:
            _end_line(pending, news)
            reason = clean(str(error), 500).strip()
            raise ActionError(failure(number, total, step, reason, news))
        aux = entry.get("aux")
        if isinstance(aux, Mapping) and aux.get("ID"):
            identity = str(aux["ID"])
        if layers.take(entry):
            news.progress(layers.progress)
            continue
        text = str(entry.get("stream") or "") or (f"{entry['status']}\n" if entry.get("status") else "")
        *whole, pending = (pending + text).split("\n")
        pending = pending[-4096:]
        for line in whole:
            said = clean(line.rstrip("\r").rpartition("\r")[2])
            news.line(said)
            if found := _STEP.match(said):
                number, total, step = int(found[1]), int(found[2]), found[3]
                news.progress(Progress(f"step {number}/{total}: {step}"[:300], number - 1, total, bytes=False))
            elif said.startswith("Successfully built "):
                identity = identity or said.split()[-1]
            elif _ID.fullmatch(said.strip()):
                identity = said.strip()
    _end_line(pending, news)
    if not identity:
        raise ActionError("the engine ended the build without an image")
    return identity.removeprefix("sha256:")


def failure(number: int, total: int, step: str, reason: str, news: Report) -> str:
    """Tell the failed step at the end of the output, and in one line."""
    news.line("")
    if not number:
        news.line(f"FAILED: {reason}")
        return reason
    news.line(f"FAILED at step {number}/{total}: {step}")
    news.line(reason)
    return f"step {number}/{total} failed, {step[:200]}: {reason}"


def _end_line(pending: str, news: Report) -> None:
    if pending.strip():
        news.line(clean(pending))


def _logins(context: Context, *, podman: bool) -> str:
    """The value of X-Registry-Config: logins for the registries the base images come from (API 1.41, /build)."""
    found: dict[str, Any] = {}
    for base in context.parsed.bases:
        with suppress(ValueError):
            host = references.parse(base).registry
            login = login_for(host, podman=podman) if host not in found else None
            if login is not None:
                key = _HUB_KEY if host == references.HUB else host
                found[key] = json.loads(base64.urlsafe_b64decode(login.header))
    return base64.urlsafe_b64encode(json.dumps(found).encode()).decode() if found else ""
