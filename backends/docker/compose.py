"""Compose projects on a Docker or Podman engine: Compose itself does the work, pointed at this very engine."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.abilities.compose import Belongings, Compose, ComposeOptions, Tool, Verb
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.locate import Endpoint
from backends.docker.parse import is_anonymous
from backends.programs import answer_of, run_program
from backends.progress import Progress, Report
from backends.projects import PROJECT_LABELS, Project
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

INSTALL = "install it (Debian, Ubuntu: apt install docker-compose-v2 or docker-compose; else docs.docker.com/compose)"
_COMMANDS = (("docker", "compose"), ("docker-compose",))
_TRIED_FOR = 10.0
_ABSENT_FOR = 30.0
"""Seconds after which a Compose that was not there is looked for again."""
_FILES_IN_TIME = 5.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")
_FAILED = re.compile(r"\berror\b|failed|denied|invalid|no such|not found", re.IGNORECASE)
_OURS = (
    "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION",
    "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES", "COMPOSE_TLS_VERSION",
)  # fmt: skip
"""Variables that would point Compose elsewhere."""


class DockerCompose(Compose):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend
        self._tool: Tool | None = None
        self._absent_at: float | None = None
        self._looking = asyncio.Lock()

    async def tool(self) -> Tool:
        async with self._looking:
            if self._tool is None:
                now = time.monotonic()
                if self._absent_at is None or now - self._absent_at > _ABSENT_FOR:
                    self._tool = await find_tool(os.environ)
                    self._absent_at = None if self._tool else now
            if self._tool is None:
                raise ActionError(f"neither `docker compose` nor docker-compose is on this machine: {INSTALL}")
            return self._tool

    async def check(self, project: Project) -> None:
        if project.name:
            named(project.name)
        if project.stack:
            raise ActionError(f"{project.name} is a Swarm stack: `docker stack` manages it, not Compose")
        if not project.files or not project.folder:
            raise ActionError(f"{project.name}'s containers do not tell which files it was made from")
        endpoint = self._backend.connected().endpoint
        paths = files_of(project)
        try:
            missing = await asyncio.wait_for(
                in_thread(lambda: [path for path in paths if not os.access(path, os.R_OK)], lambda: None, "compose"),
                _FILES_IN_TIME,
            )
        except TimeoutError:
            raise ActionError(f"{clean(project.folder, 200)} does not answer: its file system hangs") from None
        if not missing:
            return
        if not endpoint.path:
            where = clean(endpoint.url, 200)
            raise ActionError(f"{missing[0]} is not on this machine: run Compose where the project is, e.g. on {where}")
        raise ActionError(f"{missing[0]} is gone or cannot be read, so Compose cannot know the project")

    async def belongings(self, project: Project) -> Belongings:
        return await self._backend.ask(lambda connection: _belongings(connection, project.name))

    async def run(
        self, verb: Verb, project: Project, services: Sequence[str], options: ComposeOptions, report: Report
    ) -> str:
        tool = await self.tool()
        await self.check(project)
        arguments = command_line(tool, verb, project, services, options)
        last: list[str] = []
        failure = ""

        def take(line: str) -> None:
            nonlocal failure
            report.line(line)
            report.progress(Progress(line[:200]))
            last[:] = [line]
            if _FAILED.search(line):
                failure = line

        status = await run_program(arguments, environment_for(self._backend.connected().endpoint, os.environ), take)
        if status:
            self._tool = None  # it may have been removed or updated
            reason = failure or (last[0] if last else f"{tool.text} ended with status {status}")
            raise ActionError(clean(reason, 500))
        return f"done by {tool.text}"


def named(name: str) -> str:
    """A project's or a service's name, if it can be one: never an option. Raises ActionError."""
    if not _NAME.fullmatch(name):
        raise ActionError(f"{clean(name, 80)!r} is no name Compose would give")
    return name


def files_of(project: Project) -> list[str]:
    """The project's files; older Compose names them from its working folder."""
    return [str(Path(project.folder) / file) for file in (*project.files, *project.environment_files)]


def command_line(
    tool: Tool, verb: Verb, project: Project, services: Sequence[str], options: ComposeOptions
) -> list[str]:
    """Compose's argument list. Raises ActionError for names that are none."""
    folder = project.folder
    arguments = [*tool.command, f"--project-directory={folder}"]
    if project.name:
        arguments.append(f"--project-name={named(project.name)}")
    arguments += [f"--file={Path(folder) / file}" for file in project.files]
    if tool.major >= 2 or len(project.environment_files) == 1:
        arguments += [f"--env-file={Path(folder) / file}" for file in project.environment_files]
    arguments.append(str(verb))
    match verb:
        case Verb.UP:
            arguments.append("--detach")
            arguments += ["--build"] * options.build + ["--force-recreate"] * options.recreate
            arguments += ["--remove-orphans"] * options.orphans
        case Verb.DOWN:
            arguments += ["--volumes"] * options.volumes + ["--remove-orphans"] * options.orphans
            return arguments
    return arguments + [named(service) for service in services]


def environment_for(endpoint: Endpoint, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that lead Compose and the docker CLI to this engine, and have it write plain lines.

    Raises ActionError where they cannot say what the connection needs.
    """
    found = {key: value for key, value in environment.items() if key not in _OURS}
    found |= {
        "DOCKER_HOST": endpoint.url,
        "DOCKER_CLI_HINTS": "false",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COMPOSE_ANSI": "never",
        "COMPOSE_PROGRESS": "plain",
        "COMPOSE_MENU": "false",
        "BUILDKIT_PROGRESS": "plain",
        "PYTHONUNBUFFERED": "1",
    }
    tls = endpoint.tls
    if tls is not None:
        files = [Path(file) for file in (tls.ca, tls.certificate, tls.key) if file]
        folders = {file.parent for file in files}
        if len(folders) > 1 or any(file.name not in {"ca.pem", "cert.pem", "key.pem"} for file in files):
            raise ActionError("the engine's certificates are not in one folder, as the docker CLI wants them")
        found["DOCKER_TLS_VERIFY" if tls.verify else "DOCKER_TLS"] = "1"
        if folders:
            found["DOCKER_CERT_PATH"] = str(folders.pop())
    return found


async def find_tool(environment: Mapping[str, str]) -> Tool | None:
    """The Compose plugin of the docker CLI, else docker-compose; None where there is neither."""
    plain = {key: value for key, value in environment.items() if key not in _OURS}
    for command in _COMMANDS:
        if command[0] == "docker":
            status, said = await answer_of(["docker", "--version"], plain, _TRIED_FOR)
            # podman-docker's `docker` would take Podman's own socket, whatever DOCKER_HOST says
            if status or "podman" in said.lower():
                continue
        status, said = await answer_of([*command, "version", "--short"], plain, _TRIED_FOR)
        version = _VERSION.search(said)
        if not status and version:
            return Tool(command, version.group(1))
    return None


def _belongings(connection: Connection, project: str) -> Belongings:
    label = f"{PROJECT_LABELS[0]}={project}"
    client = connection.asking
    networks: list[dict[str, Any]] = client.networks(filters={"label": label})
    volumes: dict[str, Any] = client.volumes(filters={"label": label})
    containers: list[dict[str, Any]] = client.containers(all=True, filters={"label": label})
    anonymous = [
        f"{clean(str((entry.get('Names') or ['?'])[0]).removeprefix('/'), 256)}: "
        f"{clean(str(mount.get('Destination') or ''), 200)}"
        for entry in containers
        for mount in entry.get("Mounts") or ()
        if mount.get("Type") == "volume" and is_anonymous(str(mount.get("Name") or ""))
    ]
    return Belongings(
        anonymous=tuple(sorted(anonymous)),
        networks=tuple(sorted(clean(str(entry.get("Name") or ""), 256) for entry in networks)),
        volumes=tuple(sorted(clean(str(entry.get("Name") or ""), 256) for entry in volumes.get("Volumes") or ())),
    )
