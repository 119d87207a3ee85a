"""What a Dockerfile says that matters before it is built: its stages, its arguments, whether it needs BuildKit.

By docs.docker.com's Dockerfile reference. It is read, never run, so doubtful lines are left to the builder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_.]*)\1")
_STAGE = re.compile(r"\s+as\s+(\S+)\s*$", re.IGNORECASE)
_PLATFORM = re.compile(r"\$\{?(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT)")
_NEW_FLAGS = {
    "RUN": ("mount", "network", "security", "device"),
    "COPY": ("link", "parents", "exclude", "chmod"),
    "ADD": ("link", "exclude", "chmod", "checksum", "keep-git-dir", "unpack"),
}
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Dockerfile:
    stages: tuple[str, ...]
    """Names given with AS, as written."""
    bases: tuple[str, ...]
    """Images named by FROM that are no stage before, as written."""
    arguments: tuple[tuple[str, str], ...]
    """(name, default) of each ARG."""
    buildkit: str
    """What in it only BuildKit can do, with its line; empty: nothing."""


@dataclass(frozen=True, slots=True)
class _Instruction:
    word: str
    rest: str
    line: int
    heredoc: bool


def parse(text: str) -> Dockerfile:
    text = text[:_LONGEST].removeprefix("\ufeff")
    stages: list[str] = []
    bases: list[str] = []
    arguments: dict[str, str] = {}
    directives = dict(_directives(text))
    buildkit = "its # syntax= line" if "syntax" in directives else ""
    for instruction in _instructions(text, directives.get("escape", "\\")):
        word, rest = instruction.word, instruction.rest
        if word == "FROM":
            image = _STAGE.sub("", rest).split()
            name = _STAGE.search(rest)
            base = next((part for part in image if not part.startswith("--")), "")
            if base and base.lower() not in {stage.lower() for stage in stages} | {"scratch"} and base not in bases:
                bases.append(base)
            if name:
                stages.append(name.group(1))
        elif word == "ARG":
            for part in rest.split():
                key, _, default = part.partition("=")
                arguments.setdefault(key, default.strip("\"'"))
        buildkit = buildkit or _only_buildkit(instruction)
    return Dockerfile(tuple(stages), tuple(bases), tuple(arguments.items()), buildkit)


def _directives(text: str) -> Iterator[tuple[str, str]]:
    """Parser directives: comments of the form key=value before anything else."""
    for line in text.splitlines():
        found = _DIRECTIVE.match(line.strip())
        if found is None:
            return
        yield found.group(1).lower(), found.group(2)


def _instructions(text: str, escape: str) -> Iterator[_Instruction]:
    lines = iter(enumerate(text.splitlines(), 1))
    for number, first in lines:
        line = first.strip()
        if not line or line.startswith("#"):
            continue
        whole = line
        while whole.endswith(escape):
            whole = whole[: -len(escape)]
            _, more = next(lines, (0, ""))
            while more.strip().startswith("#"):
                _, more = next(lines, (0, ""))
            whole += " " + more.strip()
        word, _, rest = whole.partition(" ")
        word = word.upper()
        heredocs = [found.group(2) for found in _HEREDOC.finditer(rest)] if word in {"RUN", "COPY", "ADD"} else []
        for end in heredocs:
            for _, body in lines:
                if body.strip("\t") == end or body == end:
                    break
        yield _Instruction(word, rest.strip(), number, bool(heredocs))


def _only_buildkit(instruction: _Instruction) -> str:
    word, rest = instruction.word, instruction.rest
    where = f"in line {instruction.line}"
    if instruction.heredoc:
        return f"{word} << {where}"
    for part in rest.split():
        if not part.startswith("--"):
            break
        flag = part[2:].partition("=")[0]
        if flag in _NEW_FLAGS.get(word, ()):
            return f"{word} --{flag} {where}"
    if word == "FROM" and _PLATFORM.search(rest):
        return f"FROM with a platform argument {where}"
    return ""
