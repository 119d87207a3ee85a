"""Pull and push: the engine's stream of layer news as progress, its errors in words.

Docker Engine API 1.41 `POST /images/create` and `POST /images/{name}/push`; Podman's service answers alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from backends import references
from backends.abilities.images import Pull, Push
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.streams import Exchange
from backends.logins import Login, login_for
from backends.progress import Part, Progress, Report
from backends.references import Reference
from backends.text import clean
from backends.threads import ThreadReport, in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_SILENCE = 300.0
"""Seconds without any news after which a transfer counts as lost: registries answer or fail before."""
_NOBODY = "e30="
"""Base64 of {}: a push wants the header also from nobody."""
_THERE = {"Already exists", "Layer already exists", "Pull complete", "Download complete", "Pushed", "Mounted from"}


class DockerPull(Pull):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def pull(self, reference: str, report: Report) -> str:
        wanted = parsed(reference)
        query = {"fromImage": wanted.name, "tag": wanted.digest or wanted.tag or "latest"}
        request = _Request("pull", "/images/create", query)
        told = await _transferred(self._backend.connected(), wanted, request, report)
        return told.removeprefix("Status: ") or f"pulled {wanted.full}"


class DockerPush(Push):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def push(self, reference: str, report: Report) -> str:
        wanted = parsed(reference)
        if wanted.digest:
            raise ActionError("a digest cannot be pushed: give the image a tag")
        path = f"/images/{quote(wanted.name, safe='/:')}/push"
        request = _Request("push", path, {"tag": wanted.tag or "latest"}, nobody=_NOBODY)
        return await _transferred(self._backend.connected(), wanted, request, report) or f"pushed {wanted.full}"


@dataclass(frozen=True, slots=True)
class _Request:
    verb: str
    path: str
    query: Mapping[str, str]
    nobody: str = ""
    """The login sent where there is none; empty: none is."""


async def _transferred(connection: Connection, wanted: Reference, request: _Request, report: Report) -> str:
    """The last thing the engine said of the whole, its news reported. Raises ActionError in words, EngineError."""
    exchange = Exchange(connection)
    news = ThreadReport(report)

    def work() -> str:
        try:
            login = _login(wanted, connection)
            told = login.header if login else request.nobody
            headers = {"X-Registry-Auth": told} if told else {}
            try:
                exchange.request("POST", request.path, request.query, headers=headers, silence=_SILENCE)
                return follow(exchange.lines(), news, f"{request.verb}ing")
            except ActionError as error:
                raise _explained(error, wanted, connection, known=login is not None) from None
        finally:
            exchange.finish()
            news.flush()

    return await in_thread(work, exchange.close, request.verb)


def parsed(reference: str) -> Reference:
    """The reference; raises ActionError where it is none."""
    try:
        return references.parse(reference)
    except ValueError as error:
        raise ActionError(f"{clean(reference, 200)!r} is no image's name: {error}") from None


@dataclass(slots=True)
class _Layer:
    status: str = ""
    done: int | None = None
    total: int | None = None
    downloaded: int = 0
    """Bytes of the transfer itself, which unpacking comes after."""
    size: int | None = None
    there: bool = False

    def part(self, name: str) -> Part:
        if self.done is None and self.there and self.size:
            return Part(name, self.status, self.size, self.size)
        return Part(name, self.status, self.done, self.total)


class Layers:
    """The layers of one transfer, by their short ids, as the engine tells of them."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._layers: dict[str, _Layer] = {}

    def take(self, entry: Mapping[str, Any]) -> bool:
        """One line of news; False when it is not about a layer."""
        identity, status = clean(str(entry.get("id") or ""), 64), clean(str(entry.get("status") or ""), 200)
        if not identity or not status or status.startswith("Pulling from"):
            return False
        layer = self._layers.setdefault(identity, _Layer())
        detail = entry.get("progressDetail")
        detail = detail if isinstance(detail, Mapping) else {}
        done, total = _count(detail.get("current")), _count(detail.get("total"))
        if status != layer.status:
            layer.status, layer.done, layer.total = status, None, None
        if done is not None:
            # the header of a tar is counted beyond what was announced
            layer.done, layer.total = (min(done, total), total) if total else (done, None)
        if status.startswith(("Downloading", "Pushing")) and done is not None:
            layer.downloaded = layer.done or 0
            layer.size = layer.total or layer.size
        elif status.startswith(("Verifying", "Extracting", *_THERE)):
            layer.there = True
            layer.downloaded = layer.size or layer.downloaded
        return True

    @property
    def progress(self) -> Progress:
        layers = self._layers.values()
        # Docker unpacks what it has fetched; Podman says no more than that it has it
        unpacked = any(layer.status.startswith(("Extracting", "Pull complete")) for layer in layers)
        ends = tuple(_THERE - {"Download complete"} if unpacked else _THERE)
        finished = sum(layer.status.startswith(ends) for layer in layers)
        parts = tuple(layer.part(name) for name, layer in self._layers.items())
        # Bytes already there cost nothing; the end is known when every other layer has said its size
        unknown = any(not layer.there and layer.size is None for layer in layers)
        done = sum(layer.downloaded for layer in layers)
        total = None if unknown else sum(layer.size or layer.downloaded for layer in layers)
        text = f"{self._verb}, {finished} of {len(self._layers)} layers done"
        return Progress(text, done, total or None, parts=parts)


def follow(lines: Iterable[Mapping[str, Any]], report: Report, verb: str) -> str:
    """Report the stream to its end; the last thing it said of the whole. Raises ActionError with its error."""
    layers = Layers(verb)
    told = digest = ""
    for entry in lines:
        error = entry.get("error") or (entry.get("errorDetail") or {}).get("message")
        if error:
            raise ActionError(clean(str(error), 500).strip())
        if layers.take(entry):
            report.progress(layers.progress)
            continue
        status = clean(str(entry.get("status") or entry.get("stream") or ""), 500).strip()
        if not status:
            continue
        report.line(status)
        if "digest: sha256:" in status:
            digest = status
        told = status
    return digest or told


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


_LOGIN = ("unauthorized", "authentication required", "no basic auth", "docker login", "access denied", "denied: ")
_DOWN = ("connection refused", "no such host", "i/o timeout", "no route to host", "network is unreachable")


def _login(wanted: Reference, connection: Connection) -> Login | None:
    # Podman tries a short name in several registries: none of them is to see another one's login
    if connection.podman and not wanted.host:
        return None
    return login_for(wanted.registry, podman=connection.podman)


def is_down(text: str) -> bool:
    """Whether the engine's words say that a registry cannot be reached."""
    return any(words in text.lower() for words in _DOWN)


def _explained(error: ActionError, wanted: Reference, connection: Connection, *, known: bool) -> ActionError:
    """The engine's words, with what the user can do about it."""
    text, host = str(error), wanted.registry
    lower = text.lower()
    if any(words in lower for words in _LOGIN):
        program = "podman" if connection.podman else "docker"
        command = f"{program} login {host}" if wanted.host else f"{program} login"
        if known:
            return ActionError(f"{text} (the login for {host} is not accepted for this; to log in anew: {command})")
        return ActionError(f"{text} (there is no login for {host}; to log in: {command})")
    if is_down(text):
        return ActionError(f"the registry {host} cannot be reached: {text}")
    if "server gave http response to https client" in lower:
        return ActionError(f"{host} speaks no TLS, and the engine does not know it as an insecure registry: {text}")
    return error
