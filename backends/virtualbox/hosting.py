"""VirtualBox's own machine: what it has, what lies on it, as VirtualBox sees it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any

from backends.base import ActionError, EngineError
from backends.same_file import file_key
from backends.text import clean
from backends.virtualbox.helper import hosting
from backends.virtualbox.images import Image, images
from backends.virtualbox.manage import refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_TRIES, _BETWEEN = 60, 0.5
"""An undoing is tried so often, seconds apart: VBoxSVC may be starting anew, or be at work with the file still."""


class Host:
    """Asks the helper about files, which may run in another root than boxtop; without one looks itself."""

    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def run(self, *arguments: str, seconds: float = 60.0) -> str:
        """What VBoxManage prints. Raises ActionError with its words."""
        with refusals():
            return await self._backend.manager().run(*arguments, seconds=seconds)

    async def place(self, path: str) -> dict[str, Any]:
        """`size`, `why` it cannot be read (empty when it can), bytes `free` there or None, whether it is `there`."""
        if self._backend.binding:
            return dict(await self._backend.ask("place", path=path))
        return await asyncio.to_thread(hosting.place, path)

    async def discard(self, path: str) -> bool:
        """Delete a file that VirtualBox does not know; False when there is none. Raises ActionError."""
        if self._backend.binding:
            return bool(await self._backend.ask("discard", path=path))
        try:
            return await asyncio.to_thread(hosting.discard, path)
        except OSError as error:
            raise ActionError(f"{path}: {error.strerror}") from None

    async def often(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """The answer of an undoing that is tried again when it fails."""
        for attempt in range(_TRIES):
            try:
                return await step()
            except (ActionError, EngineError):
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_BETWEEN)
        return False

    async def images(self, kind: str = "hdds") -> list[Image]:
        """The registered `hdds` or `dvds`."""
        return images(await self.run("list", "--long", kind))

    async def holders(self, paths: Collection[str]) -> dict[str, str]:
        """Of these files those that are registered with a machine, or that others rest on: names by path."""
        known = [*await self.images(), *await self.images("dvds"), *await self.images("floppies")]
        names = await self.machines()
        bases = {image.parent for image in known}

        def look() -> dict[str, str]:
            needed = {file_key(image.location): image for image in known if image.users or image.id in bases}
            found: dict[str, str] = {}
            for path in paths:
                if (image := needed.get(file_key(path))) is not None:
                    users = sorted({clean(names[user], 60) for user in image.users if user in names})
                    found[path] = ", ".join(users) or "linked copies or snapshots"
            return found

        return await asyncio.to_thread(look)

    async def machines(self) -> dict[str, str]:
        """Names by UUID."""
        text = await self.run("list", "vms")
        return {match[2]: match[1] for match in re.finditer(r'^"(.*)" \{([0-9a-f-]{36})\}$', text, re.M)}

    async def properties(self) -> dict[str, str]:
        """`list systemproperties`, by its keys."""
        lines = (await self.run("list", "systemproperties")).splitlines()
        return {key.strip(): value.strip() for key, colon, value in (line.partition(":") for line in lines) if colon}

    async def networks(self) -> tuple[tuple[str, str], ...]:
        """What an adapter can be attached to."""
        bridged, host_only, nat = await asyncio.gather(
            self.run("list", "bridgedifs"), self.run("list", "hostonlyifs"), self.run("list", "natnets")
        )
        found = [("nat", "NAT: out through the host"), ("none", "not connected")]
        for name, entry in _interfaces(bridged):
            up = "" if entry.get("Status") == "Up" else ", down"
            found.append((f"bridge:{name}", f"bridged to {name}{up}"))
        found += [(f"hostonly:{name}", f"host-only {name}") for name, _ in _interfaces(host_only)]
        found += [(f"natnet:{name}", f"NAT network {name}") for name, _ in _interfaces(nat)]
        return tuple(found)


def adapter(network: str, slot: int = 1) -> tuple[str, ...]:
    """The options of `modifyvm` that attach an adapter. Raises ActionError for what is no network."""
    mode, _, name = network.partition(":")
    words = {"nat": "nat", "none": "none", "bridge": "bridged", "hostonly": "hostonly", "natnet": "natnetwork"}
    words |= {"intnet": "intnet"}
    if mode not in words or (bool(name) is (mode in {"nat", "none"})):
        raise ActionError(f"{network}: no network of this machine")
    option = {"bridge": "bridge-adapter", "hostonly": "host-only-adapter", "natnet": "nat-network", "intnet": "intnet"}
    first = f"--nic{slot}={words[mode]}"
    return (first, f"--{option[mode]}{slot}={name}") if name else (first,)


def _interfaces(text: str) -> list[tuple[str, dict[str, str]]]:
    found = []
    for block in text.split("\n\n"):
        pairs = (line.partition(":") for line in block.splitlines())
        entry = {key.strip(): value.strip() for key, colon, value in pairs if colon}
        name = entry.get("Name") or entry.get("NetworkName") or ""
        if name:
            found.append((name, entry))
    return found
