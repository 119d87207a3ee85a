"""A build's context: which Dockerfile, what is left out, and the stream the engine is sent."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backends import dockerfile
from backends.base import ActionError
from backends.dockerfile import Dockerfile
from backends.ignored import Ignored
from backends.pack import Scan, pack, packed_file, scan, walk
from backends.text import clean

_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Context:
    """One build's input, read but not sent yet."""

    folder: str
    path: str
    """The Dockerfile, absolute."""
    inside: str
    """Its path from the context; empty where it lies outside of it."""
    content: bytes
    parsed: Dockerfile
    ignore_file: str
    """The name of the file that says what is left out, empty without one."""
    ignored: Ignored

    def count(self, ended: Callable[[], bool]) -> Scan:
        """Blocks. Raises ActionError for what cannot be read."""
        return scan(self.folder, "", leave=self.ignored, ended=ended)

    def stream(self, told: Callable[[int, str], None]) -> tuple[str, Iterator[bytes]]:
        """What the engine is to take for the Dockerfile, and the tar."""
        body = pack(walk(self.folder, "", leave=self.ignored), modes=0o7777, told=told)
        if self.inside:
            return self.inside, body
        name = f".dockerfile.{secrets.token_hex(8)}"
        return name, _joined(packed_file(name, self.content), body)


def read(folder: str, named: str, *, podman: bool) -> Context:
    """Find and read the Dockerfile and the ignore file. Blocks. Raises ActionError."""
    if not Path(folder).is_absolute() or not Path(folder).is_dir():
        raise ActionError(f"{clean(folder) or 'the context'} is not a folder")
    folder = os.path.realpath(folder)
    path = _dockerfile(folder, named)
    content = _content(path)
    inside = os.path.relpath(path, folder)
    if inside.startswith(".."):
        inside = ""
    names = [f"{path}.dockerignore"]
    if podman:
        names.append(os.path.join(folder, ".containerignore"))  # noqa: PTH118
    names.append(os.path.join(folder, ".dockerignore"))  # noqa: PTH118
    ignore_file = next((name for name in names if Path(name).is_file()), "")
    text = _content(ignore_file).decode(errors="surrogateescape") if ignore_file else ""
    kept = tuple(name for name in (inside, ".dockerignore") if name)
    parsed = dockerfile.parse(content.decode(errors="replace"))
    return Context(folder, path, inside, content, parsed, Path(ignore_file).name, Ignored(text, kept=kept))


def _dockerfile(folder: str, named: str) -> str:
    tried = [named] if named else ["Dockerfile", "Containerfile"]
    for name in tried:
        path = os.path.join(folder, os.path.expanduser(name))  # noqa: PTH111, PTH118
        if Path(path).is_file():
            parent, last = os.path.split(path)
            return os.path.join(os.path.realpath(parent), last)  # noqa: PTH118
    raise ActionError(f"there is no {clean(' or '.join(tried), 200)} in {clean(folder)}")


def _content(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise ActionError(f"{clean(path)}: {error.strerror}") from error
    if len(content) > _LONGEST:
        raise ActionError(f"{clean(path)} is too long: over 1 MiB")
    return content


def _joined(first: Iterator[bytes], then: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from then
