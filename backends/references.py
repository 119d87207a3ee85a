"""Image references: `[host[:port]/]path[:tag][@digest]`, as Docker's distribution reference grammar has them."""

from __future__ import annotations

import re
from dataclasses import dataclass

HUB = "docker.io"
_HOST = re.compile(
    r"(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::\d{1,5})?"
)
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    host: str
    """Empty where the name says none, which means Docker Hub to Docker and a short name to Podman."""
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Without tag and digest."""
        return f"{self.host}/{self.path}" if self.host else self.path

    @property
    def registry(self) -> str:
        """The host it is pulled from and pushed to."""
        return self.host or HUB

    @property
    def full(self) -> str:
        """With the tag or digest that is meant where none is given."""
        if self.digest:
            return f"{self.name}@{self.digest}"
        return f"{self.name}:{self.tag or 'latest'}"


def parse(text: str) -> Reference:
    """Raises ValueError with one line that says what is wrong."""
    text = text.strip()
    if not text:
        raise ValueError("name an image")
    if "://" in text:
        raise ValueError("without http:// or https://")
    if any(character.isspace() for character in text):
        raise ValueError("no blanks in an image's name")
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError("after @ belongs a digest like sha256:1f3c...")
    head, slash, tail = rest.partition("/")
    host = head if slash and is_host(head) else ""
    path = tail if host else rest
    path, colon, tag = path.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise ValueError("a tag is up to 128 letters, digits, _ . and -")
    if host and not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no registry host")
    if not _PATH.fullmatch(path):
        if path.lower() != path:
            raise ValueError("an image's name is in lower case")
        raise ValueError("an image's name is of letters, digits and single . _ - /")
    if len(path) > 255:
        raise ValueError("an image's name has at most 255 characters")
    if not host and not tag and not digest and _IMAGE_ID.fullmatch(path):
        raise ValueError("64 hexadecimal digits are an id, not a name")
    return Reference(host, path, tag, digest)


def is_host(text: str) -> bool:
    """Whether the part of a name before its first slash names a registry."""
    return "." in text or ":" in text or text == "localhost" or text.lower() != text


def valid_host(text: str) -> bool:
    """Whether a text is a registry's host, with or without port."""
    return bool(_HOST.fullmatch(text))
