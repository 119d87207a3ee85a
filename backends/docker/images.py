"""Tags, history, search and prune of images. Docker Engine API 1.41; Podman's service for the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backends.abilities.images import Found, History, Layer, PruneImages, Search, Tags
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.errors import status
from backends.docker.parse import Parser, image_id
from backends.docker.perform import perform, untag
from backends.docker.streams import Exchange
from backends.docker.transfers import is_down, parsed
from backends.model import Action, ActionOptions, Image, Ref
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_SEARCH_SILENCE = 30.0
_MOST_FOUND = 50


class DockerTags(Tags):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def tag(self, image: Ref, reference: str) -> None:
        wanted = parsed(reference)
        if wanted.digest:
            raise ActionError("a digest is no tag: it follows from the image's content")
        await self._backend.act(
            lambda connection: connection.acting.tag(image.id, wanted.name, wanted.tag or "latest", force=True)
        )

    async def untag(self, image: Ref, tag: str) -> None:
        await self._backend.act(lambda connection: untag(connection, image.id, tag))


class DockerHistory(History):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def history(self, image: Ref) -> tuple[Layer, ...]:
        def ask(connection: Connection) -> list[dict[str, Any]]:
            try:
                answer: list[dict[str, Any]] = connection.asking.history(image.id)  # type: ignore[no-untyped-call]
            except Exception as error:
                if status(error) == 404:
                    raise ActionError("the image is gone") from error
                raise
            return answer

        return tuple(layer_of(entry) for entry in await self._backend.ask(ask))


def layer_of(entry: Mapping[str, Any]) -> Layer:
    """One entry of `GET /images/{name}/history`."""
    identity = str(entry.get("Id") or "")
    created = entry.get("Created")
    return Layer(
        id="" if "missing" in identity else image_id(identity),
        command=clean(str(entry.get("CreatedBy") or ""), 20_000).strip(),
        created=float(created) if isinstance(created, (int, float)) else 0.0,
        size=int(entry.get("Size") or 0),
        tags=tuple(clean(str(tag), 512) for tag in entry.get("Tags") or () if "<none>" not in str(tag)),
        comment=clean(str(entry.get("Comment") or ""), 500),
    )


class DockerSearch(Search):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def search(self, term: str) -> tuple[Found, ...]:
        exchange = Exchange(self._backend.connected())

        def work() -> tuple[Found, ...]:
            try:
                query = {"term": term, "limit": str(_MOST_FOUND)}
                try:
                    exchange.request("GET", "/images/search", query, silence=_SEARCH_SILENCE)
                except ActionError as error:
                    # Podman's word for no result
                    if "image not known" in str(error):
                        return ()
                    if is_down(str(error)):
                        raise ActionError(f"the engine does not reach the registry it searches: {error}") from None
                    raise
                return tuple(_found(entry) for entry in exchange.json() or () if isinstance(entry, Mapping))
            finally:
                exchange.finish()

        return await in_thread(work, exchange.close, "search")


def _found(entry: Mapping[str, Any]) -> Found:
    """Docker writes keys in lower case and `is_official`, Podman in upper case and `Official` as `[OK]`."""
    lower = {str(key).lower(): value for key, value in entry.items()}
    return Found(
        name=clean(str(lower.get("name") or ""), 300),
        description=clean(str(lower.get("description") or ""), 500),
        stars=int(lower.get("star_count") or lower.get("stars") or 0),
        official=bool(lower.get("is_official") or lower.get("official")),
    )


class DockerPruneImages(PruneImages):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def unneeded(self) -> tuple[Image, ...]:
        engine = self._backend.engine
        return await self._backend.ask(lambda connection: _unneeded(connection, engine))

    async def remove(self, image: Image) -> None:
        await self._backend.act(lambda connection: _remove(connection, image))


def _unneeded(connection: Connection, engine: str) -> tuple[Image, ...]:
    entries: list[dict[str, Any]] = connection.asking.images(all=True)
    used = {image_id(str(entry.get("ImageID"))) for entry in connection.asking.containers(all=True)}
    # What another image was built on cannot go before it
    kept = used | {image_id(str(entry.get("ParentId") or "")) for entry in entries}
    found = (image for image in Parser(engine).images(entries) if image.ref.id not in kept)
    return tuple(sorted(found, key=lambda image: (-image.size, image.tags, image.ref.id)))


def _remove(connection: Connection, image: Image) -> None:
    now = next((entry for entry in connection.asking.images() if image_id(str(entry.get("Id"))) == image.ref.id), None)
    if now is None:
        raise ActionError("it is gone already")
    if set(Parser(image.ref.engine).image(now).tags) != set(image.tags):
        raise ActionError("it has other tags now")
    perform(connection, Action.DELETE, image.ref, ActionOptions())
