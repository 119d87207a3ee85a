"""Finding images: the engine's search, and what a private registry has."""

from __future__ import annotations

from collections.abc import Sequence

from backends import references
from backends.abilities.images import Found, Names, Registries, Search
from backends.model import Item
from tui.handlers.area import Area
from tui.pull_form import ask_reference
from widgets.form import Form, TextField, Values
from widgets.picker import Picker, PickItem

_ENTRY = 64
"""Cells a picker has for an entry and its hint."""
_OTHER = "\n"
"""The choice of a registry that is not listed; no host's name."""


class RegistryArea(Area):
    async def search(self, items: Sequence[Item]) -> None:
        engine = items[0].ref.engine if items else await self.engine_with(Search, "Search", changes=False)
        if engine is None:
            return
        able = self.able(engine, Search)
        term = ""
        while True:
            field = TextField("term", "Search for", term, "nginx, postgres backup, ...")
            form = Form(
                f"Search with {engine}",
                (field,),
                submit="Search",
                check=lambda values: {} if values["term"] else {"term": "what is to be found?"},
                glyphs=self.glyphs,
            )
            values = await self.ask(form)
            if values is None:
                return
            term = str(values["term"])
            found = await self.wait_for(able.search(term), f"Searching for {term} ...")
            if found is None:
                continue
            if not found:
                self.main.say(f"Nothing is found for {term}.")
                continue
            if await self._choose_found(engine, term, found):
                return

    async def _choose_found(self, engine: str, term: str, found: Sequence[Found]) -> bool:
        entries = []
        for entry in found:
            stars = f"{entry.stars} stars{', official' if entry.official else ''}"
            label, room = f"{entry.name}  {entry.description}".rstrip(), _ENTRY - len(stars)
            if len(label) > room:
                label = label[: max(len(entry.name), room - 1)] + self.glyphs.ellipsis
            entries.append(PickItem(entry.name, label, stars))
        while True:
            chosen = await self.ask(Picker(f"Found for {term}", entries, glyphs=self.glyphs))
            if chosen is None:
                return False
            if await ask_reference(self, engine, chosen):
                return True

    async def browse(self, items: Sequence[Item]) -> None:
        engine = items[0].ref.engine if items else await self.engine_with(Registries, "Registry", changes=False)
        if engine is None:
            return
        able = self.able(engine, Registries)
        known = await self.wait_for(able.known(), f"Asking {engine} ...")
        if known is None:
            return
        while True:
            host = await self._choose_host(known)
            if host is None:
                return
            names = await self.wait_for(able.repositories(host), f"Asking {host} ...")
            if names is None or not names.names:
                if names is not None:
                    self.main.say(f"{host} has no repositories.")
                if not known:
                    return
                continue
            if await self._choose_repository(engine, able, host, names):
                return

    async def _choose_host(self, known: Sequence[str]) -> str | None:
        if known:
            entries = [PickItem(host, host) for host in known]
            entries.append(PickItem(_OTHER, "another one ...", "type its host"))
            chosen = await self.ask(Picker("Registry", entries, glyphs=self.glyphs))
            if chosen != _OTHER:
                return chosen
        field = TextField("host", "Registry", "", "host or host:port", "Logins are the docker CLI's: docker login HOST")
        form = Form("List a registry", (field,), submit="List", check=_check_host, glyphs=self.glyphs)
        values = await self.ask(form)
        return str(values["host"]) if values is not None else None

    async def _choose_repository(self, engine: str, able: Registries, host: str, found: Names) -> bool:
        """False when the user went back to the hosts."""
        while True:
            repository = await self._pick(host, "repositories", found)
            if repository is None:
                return False
            tags = await self.wait_for(able.tags(host, repository), f"Asking {host} ...")
            if tags is None:
                continue
            if not tags.names:
                self.main.say(f"{host}/{repository} has no tags.")
                continue
            while (tag := await self._pick(f"{host}/{repository}", "tags", tags)) is not None:
                if await ask_reference(self, engine, f"{host}/{repository}:{tag}"):
                    return True

    async def _pick(self, place: str, noun: str, found: Names) -> str | None:
        entries = [PickItem(name, name) for name in found.names]
        cut = ", cut" if found.cut else ""
        return await self.ask(Picker(f"{place}: {len(found.names)} {noun}{cut}", entries, glyphs=self.glyphs))


def _check_host(values: Values) -> dict[str, str]:
    host = str(values["host"])
    if not host:
        return {"host": "name a registry"}
    return {} if references.valid_host(host) else {"host": "a host, or host:port, without http:// and path"}
