"""Rename, commit and limits. Docker Engine API 1.41, `POST /containers/{id}/rename`, `/update` and `POST /commit`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backends.abilities.containers import Commit, CommitOptions, Limits, Rename, Update
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.inspecting import inspected
from backends.docker.posting import post
from backends.docker.streams import Exchange
from backends.model import Ref
from backends.runs import entries
from backends.runs.shown import shown
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_COMMIT_SILENCE = 3600.0
"""Seconds; a commit says nothing until it is done."""


class DockerRename(Rename):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def rename(self, container: Ref, name: str) -> None:
        try:
            entries.check_name(name)
        except ValueError as error:
            raise ActionError(str(error)) from None
        await self._backend.act(lambda connection: connection.acting.rename(container.id, name))


class DockerCommit(Commit):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def commit(self, container: Ref, options: CommitOptions) -> str:
        exchange = Exchange(self._backend.connected())
        query = {
            "container": container.id,
            "repo": options.repository,
            "tag": options.tag if options.repository else "",
            "comment": options.message,
            "author": options.author,
            "pause": "true" if options.pause else "false",
        }

        def work() -> str:
            try:
                exchange.request(
                    "POST",
                    "/commit",
                    {key: value for key, value in query.items() if value},
                    body=b"{}",
                    headers={"Content-Type": "application/json"},
                    silence=_COMMIT_SILENCE,
                )
                answer = json.loads(b"".join(exchange.chunks()) or b"{}")
            except ValueError:
                raise ActionError("the engine's answer is no JSON") from None
            finally:
                exchange.finish()
            return clean(str(answer.get("Id") or ""), 128).removeprefix("sha256:")[:12]

        return await in_thread(work, exchange.close, "commit")


class DockerUpdate(Update):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def limits(self, container: Ref) -> Limits:
        return await self._backend.ask(lambda connection: _limits(connection, container.id))

    async def update(self, container: Ref, before: Limits, after: Limits) -> tuple[str, ...]:
        data = changes(before, after)
        if not data:
            return ()
        return await self._backend.act(lambda connection: _update(connection, container.id, data))


def changes(before: Limits, after: Limits) -> dict[str, Any]:
    """The engine's settings for what differs. Raises ActionError for what an engine cannot do."""
    data: dict[str, Any] = {}
    if after.cpus != before.cpus:
        if after.cpus is None:
            # A quota of -1 lifts the limit; the engine keeps NanoCpus when it is sent 0
            raise ActionError("the engine cannot lift a CPU limit: recreate the container without it")
        data["NanoCpus"] = round(after.cpus * 10**9)
    if after.memory != before.memory or after.swap != before.swap:
        if after.memory is None:
            if before.memory is not None:
                raise ActionError("the engine cannot lift a memory limit: recreate the container without it")
            if after.swap is not None:
                raise ActionError("a swap limit wants a memory limit beside it")
        else:
            data["Memory"] = after.memory
            data["MemorySwap"] = after.swap if after.swap is not None else 2 * after.memory
    if after.pids != before.pids:
        data["PidsLimit"] = after.pids if after.pids is not None else -1
    if after.restart != before.restart:
        try:
            name, retries = entries.read_restart(after.restart)
        except ValueError as error:
            raise ActionError(str(error)) from None
        data["RestartPolicy"] = {"Name": name, "MaximumRetryCount": retries}
    return data


def _limits(connection: Connection, container: str) -> Limits:
    answer = inspected(connection, container)
    host = answer.get("HostConfig") or {}
    spec = shown(answer, None).spec
    pids = int(host.get("PidsLimit") or 0)
    return Limits(
        cpus=spec.cpus,
        memory=spec.memory,
        swap=(int(host.get("MemorySwap") or 0) or None) if spec.memory else None,
        pids=pids if pids > 0 else None,
        restart=spec.restart,
    )


def _update(connection: Connection, container: str, data: dict[str, Any]) -> tuple[str, ...]:
    try:
        answer = post(connection, f"/containers/{container}/update", data)
    except ActionError as error:
        if connection.podman and "Not Found" in str(error):
            raise ActionError(f"podman {connection.version} cannot change limits through its API") from None
        raise
    return tuple(clean(str(warning), 300) for warning in answer.get("Warnings") or ())
