"""Processes and changed files. Docker Engine API 1.41, `GET /containers/{id}/top` and `/changes`; Podman's for both."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from backends.abilities.inside import MOST_CHANGES, Changes, FileChanges, How, Processes, ProcessTable
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.errors import action_error, status
from backends.docker.streams import Exchange
from backends.model import Ref
from backends.secrets import mask_text
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_PS = "-eo user,pid,ppid,pcpu,rss,etime,time,args"
"""For the `ps` of Linux's procps that the engine runs on its machine."""
_PODMAN_PS = "user,pid,ppid,pcpu,rss,etime,time,args"
"""Podman reads /proc by itself where it is given a list; `ps` options it would run inside the container."""
_MOST_PROCESSES = 5000
_DIFF_SILENCE = 120.0
"""Seconds; an engine says nothing until it has compared all files."""
_GO_DURATION = re.compile(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)(s|ms|µs|ns))?")
_HOW = {0: How.CHANGED, 1: How.ADDED, 2: How.DELETED}
_LONGEST_ENTRY = 1 << 16


class DockerProcesses(Processes):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend
        self._plain = False
        """The engine's `ps` does not know our options."""

    async def processes(self, container: Ref) -> ProcessTable:
        return process_table(await self._backend.ask(lambda connection: self._top(connection, container.id)))

    def _top(self, connection: Connection, container: str) -> Any:
        options = "" if self._plain else _PODMAN_PS if connection.podman else _PS
        try:
            return _top(connection, container, options)
        except ActionError:
            if not options:
                raise
        answer = _top(connection, container, "")
        self._plain = True
        return answer


def _top(connection: Connection, container: str, options: str) -> Any:
    try:
        return connection.asking.top(container, ps_args=options or None)
    except Exception as error:
        if status(error):
            refused = action_error(error, connection.endpoint)
            if '"ps": executable file not found' in str(refused):
                raise ActionError(
                    "the engine's machine has no ps to list processes with: install procps there"
                ) from error
            raise refused from error
        if isinstance(error, ValueError):
            raise ActionError("the engine's list of processes cannot be read") from error
        raise


def process_table(answer: Any) -> ProcessTable:
    """The rows of one answer, each as long as the titles; Podman may give a line of `ps` as one column."""
    answer = answer if isinstance(answer, dict) else {}
    titles = [clean(str(title)) for title in answer.get("Titles") or ()]
    rows = [[clean(str(text)) for text in row] for row in (answer.get("Processes") or ())[:_MOST_PROCESSES]]
    if len(titles) == 1:
        titles = titles[0].split()
        rows = [row[0].split(None, max(0, len(titles) - 1)) for row in rows if row]
    width = len(titles)
    return ProcessTable(
        tuple(titles),
        tuple(tuple(_shown(text) for text in [*row, *[""] * width][:width]) for row in rows),
    )


def _shown(text: str) -> str:
    """Go's durations (`1h2m3.126916182s`) as `ps` writes times; secrets masked."""
    found = _GO_DURATION.fullmatch(text) if text[-1:] == "s" else None
    if found is None:
        return mask_text(text)
    hours, minutes = int(found[1] or 0), int(found[2] or 0)
    seconds = int(float(found[3] or 0)) if found[4] == "s" else 0
    return f"{hours:02}:{minutes:02}:{seconds:02}"


class DockerChanges(Changes):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def changes(self, container: Ref) -> FileChanges:
        exchange = Exchange(self._backend.connected())

        def work() -> FileChanges:
            try:
                exchange.request("GET", f"/containers/{container.id}/changes", silence=_DIFF_SILENCE)
                return gather(entries(exchange.chunks()))
            finally:
                exchange.finish()

        return await in_thread(work, exchange.close, f"{container.engine}-changes")


def gather(found: Iterable[tuple[int, str]]) -> FileChanges:
    kept: list[tuple[How, str]] = []
    total = 0
    for kind, path in found:
        total += 1
        if total <= MOST_CHANGES:
            kept.append((_HOW.get(kind, How.CHANGED), clean(path)))
    kept.sort(key=lambda entry: entry[1])
    return FileChanges(tuple(kept), total)


def entries(chunks: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """(kind, path) of the objects in one JSON array, as they come: the whole of it may be many megabytes."""
    decoder, scanner = codecs.getincrementaldecoder("utf-8")("replace"), json.JSONDecoder()
    text = ""
    for chunk in chunks:
        text += decoder.decode(chunk)
        at = 0
        while (start := text.find("{", at)) >= 0:
            try:
                entry, at = scanner.raw_decode(text, start)
            except ValueError:
                if len(text) - start > _LONGEST_ENTRY:
                    raise ActionError("the engine's list of changes cannot be read") from None
                at = start
                break
            yield int(entry.get("Kind") or 0), str(entry.get("Path") or "")
        else:
            at = len(text)
        text = text[at:]
