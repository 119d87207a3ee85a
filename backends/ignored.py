"""What a `.dockerignore` leaves out of a build's context, by the rules docs.docker.com gives for it.

The last line that matches a path, or a folder it is in, decides. As BuildKit does, and unlike Docker's older builder,
a folder is looked into whenever a `!` line could bring something below it back.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from backends.base import ActionError
from backends.text import clean


@dataclass(frozen=True, slots=True)
class _Line:
    expression: re.Pattern[str]
    brings_back: bool
    parts: tuple[re.Pattern[str] | None, ...]
    """Of one that brings back, an expression for each folder on its way; None where any number of folders may be."""


class Ignored:
    """The lines of one file. Raises ActionError for one that is no pattern."""

    def __init__(self, text: str, *, kept: tuple[str, ...] = ()) -> None:
        """`kept`: paths that stay whatever the lines say, as the Dockerfile does, which the engine needs."""
        self._lines = [_compiled(pattern, brings_back) for pattern, brings_back in _patterns(text)]
        self._kept = frozenset(kept)
        self._needed = frozenset(_above(path) for path in kept) if kept else frozenset()
        self._back = [line for line in self._lines if line.brings_back]
        self._folders: dict[str, tuple[bool, ...]] = {}

    def __call__(self, path: str, folder: bool) -> bool:
        """Whether a path, relative to the context, is left out with all below it."""
        if path in self._kept or not self.matches(path):
            return False
        return not (folder and self._holds_some(path))

    def matches(self, path: str) -> bool:
        """Whether the lines leave this path itself out."""
        out = False
        matched = self._matched(path)
        for line, does in zip(self._lines, matched, strict=True):
            if does:
                out = not line.brings_back
        return out

    def _matched(self, path: str) -> tuple[bool, ...]:
        """For each line, whether it matches the path or a folder it is in."""
        above = posixpath.dirname(path)
        inherited = self._of_folder(above) if above else (False,) * len(self._lines)
        return tuple(
            already or line.expression.fullmatch(path) is not None
            for line, already in zip(self._lines, inherited, strict=True)
        )

    def _of_folder(self, path: str) -> tuple[bool, ...]:
        found = self._folders.get(path)
        if found is None:
            if len(self._folders) > 10_000:
                self._folders.clear()
            found = self._folders[path] = self._matched(path)
        return found

    def _holds_some(self, folder: str) -> bool:
        """Whether something below a folder that is left out may stay."""
        if any(folder in above for above in self._needed):
            return True
        parts = tuple(folder.split("/"))
        return any(_may_reach(line.parts, parts) for line in self._back)


def _above(path: str) -> frozenset[str]:
    """All folders a path is in."""
    parts = path.split("/")
    return frozenset("/".join(parts[:end]) for end in range(1, len(parts)))


def _patterns(text: str) -> list[tuple[str, bool]]:
    """(pattern, whether it brings back) of each line, cleaned as Go's filepath.Clean does."""
    found: list[tuple[str, bool]] = []
    for raw in text.removeprefix("\ufeff").split("\n"):
        if raw.startswith("#"):
            continue
        line = raw.strip()
        back = line.startswith("!")
        if back:
            line = line[1:].strip()
            if not line:
                raise ActionError("the ignore file has a line with nothing after its !")
        if not line:
            continue
        line = posixpath.normpath(line)
        found.append((line.lstrip("/") or "/", back))
    return found


def _compiled(pattern: str, brings_back: bool) -> _Line:
    try:
        expression = re.compile(_expression(pattern), re.DOTALL)
        parts = () if not brings_back else (None,) if "[" in pattern else tuple(map(_part, pattern.split("/")))
        return _Line(expression, brings_back, parts)
    except (re.error, ValueError):
        raise ActionError(f"the ignore file has a line that is no pattern: {clean(pattern, 100)}") from None


def _expression(pattern: str) -> str:
    """A pattern of Go's filepath.Match with ** for any folders, as a regular expression."""
    out: list[str] = []
    at, end = 0, len(pattern)
    while at < end:
        sign = pattern[at]
        at += 1
        if sign == "*":
            if pattern[at : at + 1] != "*":
                out.append("[^/]*")
                continue
            while pattern[at : at + 1] == "*":
                at += 1
            if pattern[at : at + 1] == "/":
                at += 1
                # One says as much as many, each of which would be tried at every folder of the path
                while pattern[at : at + 3] == "**/":
                    at += 3
            out.append(".*" if at >= end else "(?:.*/)?")
        elif sign == "?":
            out.append("[^/]")
        elif sign == "\\":
            if at >= end:
                raise ValueError("nothing after the backslash")
            out.append(re.escape(pattern[at]))
            at += 1
        elif sign == "[":
            text, at = _class(pattern, at)
            out.append(text)
        else:
            out.append(re.escape(sign))
    return "".join(out)


def _class(pattern: str, at: int) -> tuple[str, int]:
    """A class of characters from behind its bracket on, and where it ends."""
    out = ["["]
    if pattern[at : at + 1] == "^":
        out.append("^/")
        at += 1
    first = at
    while at < len(pattern):
        sign = pattern[at]
        at += 1
        if sign == "]" and at - 1 > first:
            return "".join([*out, "]"]), at
        if sign == "\\" and at < len(pattern):
            sign = "\\" + pattern[at]
            at += 1
        out.append({"[": r"\[", "&": r"\&", "~": r"\~", "|": r"\|", "]": r"\]"}.get(sign, sign))
    raise ValueError("the class has no end")


def _part(text: str) -> re.Pattern[str] | None:
    return None if "**" in text else re.compile(_expression(text), re.DOTALL)


def _may_reach(line: tuple[re.Pattern[str] | None, ...], folder: tuple[str, ...]) -> bool:
    """Whether a pattern could match something below a folder, or the folder is within what it matches."""
    for part, name in zip(line, folder, strict=False):
        if part is None:
            return True
        if part.fullmatch(name) is None:
            return False
    return True
