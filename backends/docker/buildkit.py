"""Builds by BuildKit through the docker CLI, which is the only one to speak its protocol: found, run, followed, ended.

Arguments go as a list, never through a shell. `docker build` of 18.09 to 22 has BuildKit built in; since 23 it needs
its plugin buildx.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from backends.abilities.build import BuildRequest
from backends.base import ActionError
from backends.docker.context import Context
from backends.docker.locate import Endpoint
from backends.programs import run_program
from backends.progress import Progress, Report
from backends.text import clean

_ASKED = 5.0
_VERSION = re.compile(r"Docker version (\d+)\.(\S+?),")
_VERTEX = re.compile(r"#(\d+) (.*)")
_STEP = re.compile(r"\[(?:(\S+) +)?(\d+)/(\d+)\] (.*)")
_DONE = re.compile(r"(?:DONE|CACHED|CANCELED)\b")
_OURS = re.compile(r"DOCKER_|BUILDKIT_|BUILDX_|LD_|.*_PROXY$|PATH$|HOME$|PWD$|SHELL$|TERM$|NO_COLOR$", re.IGNORECASE)
"""Variables that mean something to the CLI itself."""


@dataclass(frozen=True, slots=True)
class Builder:
    """A docker CLI that can build with BuildKit on one engine."""

    path: str
    said: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)


def find(endpoint: Endpoint, path: str | None = None) -> Builder | None:
    """The first docker CLI on the PATH that has BuildKit; None without one. Blocks for a moment."""
    arguments, environment = _aim(endpoint)
    seen: set[str] = set()
    for folder in (os.environ.get("PATH", "") if path is None else path).split(os.pathsep):
        program = os.path.join(folder, "docker")  # noqa: PTH118
        real = os.path.realpath(program)
        if not folder or real in seen or not os.access(program, os.X_OK):
            continue
        seen.add(real)
        version = _VERSION.match(_ask([program, "--version"], environment))
        if version is None:
            continue
        number = f"{version[1]}.{version[2]}"
        buildx = _ask([program, "buildx", "version"], environment)
        if "buildx" in buildx:
            return Builder(program, f"by BuildKit, through docker CLI {number} with buildx", arguments, environment)
        if int(version[1]) < 23:
            return Builder(program, f"by BuildKit, through docker CLI {number}", arguments, environment)
    return None


def _aim(endpoint: Endpoint) -> tuple[tuple[str, ...], dict[str, str]]:
    """Options and environment that lead the CLI to this engine and to no other builder."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("DOCKER_", "BUILDX_", "BUILDKIT_")) or key == "DOCKER_CONFIG"
    }
    environment |= {
        "DOCKER_HOST": endpoint.url,
        "DOCKER_BUILDKIT": "1",
        "BUILDX_BUILDER": "default",
        "DOCKER_CLI_HINTS": "false",
        "NO_COLOR": "1",
        "SSH_ASKPASS_REQUIRE": "never",
    }
    tls = endpoint.tls
    if tls is None:
        return (), environment
    options = ["--tlsverify" if tls.verify else "--tls"]
    for name, file in (("--tlscacert", tls.ca), ("--tlscert", tls.certificate), ("--tlskey", tls.key)):
        options += [name, file] if file else []
    return tuple(options), environment


def _ask(words: list[str], environment: Mapping[str, str]) -> str:
    with suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ASKED, check=False
        )
        if answer.returncode == 0:
            return answer.stdout.decode(errors="replace")
    return ""


async def build(builder: Builder, request: BuildRequest, context: Context, report: Report) -> str:
    """Build it; the result in one line. Raises ActionError; cancelled, the CLI and with it the build ends."""
    with tempfile.TemporaryDirectory(prefix="boxtop-build-") as folder:
        written = Path(folder) / "id"
        words, environment = command(builder, request, context, str(written))
        output = Output(report)
        code = await run_program(words, environment, output.take, folder=folder)
        if code:
            raise ActionError(output.failure(code))
        identity = await asyncio.to_thread(_read, written)
    named = ", ".join(clean(tag, 200) for tag in request.tags)
    return f"built {identity[:12]}" + (f" as {named}" if named else ", without a tag")


def command(
    builder: Builder, request: BuildRequest, context: Context, written: str
) -> tuple[list[str], dict[str, str]]:
    """The words and the environment. Arguments' values go by the environment, where other users do not see them."""
    environment = dict(builder.environment)
    words = [builder.path, *builder.arguments, "build", "--progress=plain", "--iidfile", written, "-f", context.path]
    for tag in request.tags:
        words += ["-t", tag]
    for name, value in request.arguments:
        if _OURS.match(name) or "=" in name or not name:
            words += ["--build-arg", f"{name}={value}"]
        else:
            environment[name] = value
            words += ["--build-arg", name]
    if request.target:
        words += ["--target", request.target]
    words += ["--no-cache"] if request.no_cache else []
    words += ["--pull"] if request.pull else []
    return [*words, "--", context.folder], environment


def _read(path: Path) -> str:
    with suppress(OSError):
        return clean(path.read_text(errors="replace").strip().removeprefix("sha256:"), 80)
    return ""


class Output:
    """What BuildKit's plain progress says, as progress and lines."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._names: dict[str, str] = {}
        self._failed = ""
        self._last = ""

    def take(self, line: str) -> None:
        """One line, cleaned."""
        self._last = line.strip() or self._last
        found = _VERTEX.match(line)
        if found is None:
            if line.startswith(("ERROR:", "failed to solve", "error:")):
                self._failed = self._failed or line.removeprefix("ERROR: ")
            self._report.line(line)
            return
        number, said = found[1], found[2]
        if said.startswith("sha256:") and len(said) == 71:
            return  # what a step is known by to the engine
        if number not in self._names and not _DONE.match(said):
            self._names[number] = said
            self._begun(said)
        elif said.startswith("ERROR"):
            step = self._names.get(number, "")
            reason = said.removeprefix("ERROR").lstrip(": ")
            at = _STEP.match(step)
            self._failed = f"step {at[2]}/{at[3]} failed, {at[4][:200]}: {reason}" if at else f"{step}: {reason}"
        self._report.line(line)

    def _begun(self, said: str) -> None:
        found = _STEP.match(said)
        if found is None:
            self._report.progress(Progress(said[:300]))
            return
        stage = f"{found[1]}: " if found[1] and not found[1].startswith("stage-") else ""
        number, total = int(found[2]), int(found[3])
        text = f"step {number}/{total}: {stage}{found[4]}"
        self._report.progress(Progress(text[:300], number - 1, total, bytes=False))

    def failure(self, code: int) -> str:
        """Why it failed, in one line; told at the end of the output too."""
        reason = self._failed or self._last or f"the docker CLI ended with status {code}"
        self._report.line("")
        self._report.line(f"FAILED: {reason}")
        return reason[:600]
