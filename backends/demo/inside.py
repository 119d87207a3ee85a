"""Processes and changed files of simulated containers."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
from typing import TYPE_CHECKING

from backends.abilities.inside import Changes, FileChanges, How, Processes, ProcessTable
from backends.base import ActionError
from backends.demo.curves import number
from backends.model import Container, Ref, State
from backends.secrets import mask_text

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_TITLES = ("USER", "PID", "PPID", "%CPU", "RSS", "ELAPSED", "TIME", "COMMAND")
_MOST = 40
_ANSWERS_IN = 0.05
# by the program's name: the user it runs as, and what its further processes call themselves
_PROGRAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "postgres": (
        "999",
        (
            "postgres: checkpointer",
            "postgres: background writer",
            "postgres: walwriter",
            "postgres: autovacuum launcher",
            "postgres: shop shop 172.20.0.4(51{n}) idle",
        ),
    ),
    "gunicorn": ("app", ("gunicorn: worker [shop.api]",)),
    "celery": ("app", ("celery: ForkPoolWorker-{n}",)),
    "opensearch": ("1000", ("/usr/share/opensearch/jdk/bin/java -Xms1g -Xmx1g org.opensearch.bootstrap.OpenSearch",)),
    "redis-server": ("999", ("redis-server *:6379",)),
    "grafana": ("472", ("grafana server --homepath=/usr/share/grafana",)),
    "node": ("node", ("node server.js --port 3000",)),
}
_CHANGED: dict[str, tuple[tuple[How, str], ...]] = {
    "postgres": (
        (How.CHANGED, "/run"),
        (How.CHANGED, "/run/postgresql"),
        (How.ADDED, "/run/postgresql/.s.PGSQL.5432"),
        (How.ADDED, "/run/postgresql/.s.PGSQL.5432.lock"),
    ),
    "shop": (
        (How.CHANGED, "/srv"),
        (How.CHANGED, "/srv/app"),
        (How.ADDED, "/srv/app/.cache"),
        (How.DELETED, "/srv/app/README.md"),
        (How.CHANGED, "/srv/app/settings.py"),
    ),
}


class DemoProcesses(Processes):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def processes(self, container: Ref) -> ProcessTable:
        world = self._backend.world
        await asyncio.sleep(_ANSWERS_IN * world.options.pace)
        item = _container(self._backend, container)
        if item.state not in (State.RUNNING, State.PAUSED):
            raise ActionError(f"Container {container.id} is not running")
        now = self._backend.clock()
        usage = world.usage(container, now)
        count = min(_MOST, (usage.pids if usage else None) or 1)
        program = next((name for name in _PROGRAMS if name in item.command), "")
        user, more = _PROGRAMS.get(program, ("root", (shlex.split(item.command)[0],)))
        age = now - (item.started or now)
        first = 1000 + int(container.id[:4], 16)
        rows = []
        for at in range(count):
            bits = number(world.options.seed, item.name, at)
            share = 0.4 if not at else 0.6 / count * (0.5 + bits % 100 / 100)
            cpu = (usage.cpu or 0.0 if usage else 0.0) * share
            text = item.command if not at else more[min(at - 1, len(more) - 1)].replace("{n}", str(at))
            elapsed = max(0.0, age - (0 if not at else 1 + bits % 5))
            rows.append(
                (
                    user if at or program else "root",
                    str(first + at * 7),
                    str(first) if at else "981",
                    f"{cpu * 100:.1f}",
                    str(int((usage.memory or 0 if usage else 0) * share / 1024)),
                    _clock(elapsed, days=True),
                    _clock(elapsed * share * 0.05),
                    mask_text(text),
                )
            )
        return ProcessTable(_TITLES, tuple(rows))


class DemoChanges(Changes):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def changes(self, container: Ref) -> FileChanges:
        world = self._backend.world
        await asyncio.sleep(4 * _ANSWERS_IN * world.options.pace)
        item = _container(self._backend, container)
        if item.state is State.CREATED:
            return FileChanges((), 0)
        repository = item.image.rpartition(":")[0]
        own = next((changes for start, changes in _CHANGED.items() if repository.startswith(start)), ())
        found = [(How.CHANGED, "/tmp"), *own]  # noqa: S108 (a path in a picture)
        for at in range(3 + number(world.options.seed, item.name, "files") % 40):
            name = hashlib.sha256(f"{item.name}/{at}".encode()).hexdigest()[:8]
            found.append((How.ADDED, f"/tmp/{item.name}-{name}.tmp"))  # noqa: S108
        found.sort(key=lambda entry: entry[1])
        return FileChanges(tuple(found), len(found))


def _container(backend: DemoBackend, ref: Ref) -> Container:
    item = backend.world.items.get(ref)
    if not isinstance(item, Container):
        raise ActionError(f"No such container: {ref.id[:12]}")
    return item


def _clock(seconds: float, *, days: bool = False) -> str:
    whole = int(seconds)
    if days and whole >= 86400:
        return f"{whole // 86400}-{whole // 3600 % 24:02}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
