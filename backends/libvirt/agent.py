"""What a guest tells of itself through QEMU's agent. libvirt 9.0 API.

libvirt waits for an agent's answer for ever, with the agent barred for everybody else; an agent that hangs must
hold up nothing. So each is given a limit, is asked in a thread of its own, and few that hang are waited for at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from backends.base import ActionError, EngineError
from backends.libvirt import addresses
from backends.libvirt.connection import Connection
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend

Facts = tuple[tuple[str, str], ...]
"""(label, value)."""

_NAME = "org.qemu.guest_agent.0"
_PATIENCE = 4.0
"""Seconds an answer is waited for here."""
_LIMIT = 30
"""Seconds libvirt waits, for whoever asks: a freeze of a guest's file systems may take some."""
_AT_ONCE = 2
"""libvirt serves five calls of a connection at once by default (max_client_requests)."""
_MUTE: Facts = (("agent", "it does not answer"),)
_ABSENT: Facts = (("agent", "it does not run in the guest"),)
_FIELDS = (("system", "os.pretty-name"), ("kernel", "os.kernel-release"), ("host name", "hostname"))


class Guests:
    """Asks one guest after the other; remembers what they told of themselves until they are off."""

    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend
        self._told: dict[str, tuple[list[str], Facts]] = {}
        self._waiting: set[str] = set()

    def facts(self, identity: str) -> Facts:
        return self._told.get(identity, ([], ()))[1]

    def keep_only(self, running: Collection[str]) -> None:
        self._told = {identity: told for identity, told in self._told.items() if identity in running}

    async def addresses(self, identity: str) -> list[str]:
        """By its agent, else by who else knows any. Raises ActionError, EngineError."""
        found: list[str] = []
        runs = await self._backend.ask(lambda connection: connected(connection, identity))
        if runs:
            try:
                found, facts = await self._ask(identity)
            except (ActionError, EngineError):
                found, facts = self._told.get(identity, ([], ()))
                facts = tuple(fact for fact in facts if fact[0] != "agent") + _MUTE
        else:
            facts = () if runs is None else _ABSENT
        self._told[identity] = found, facts
        return found or await self._backend.ask(lambda connection: addresses.addresses(connection, identity))

    async def _ask(self, identity: str) -> tuple[list[str], Facts]:
        if identity in self._waiting or len(self._waiting) >= _AT_ONCE:
            raise ActionError("an agent has not answered yet")
        known = tuple(fact for fact in self.facts(identity) if fact[0] != "agent")
        connection = self._backend.connection().beside("agents")
        self._waiting.add(identity)
        work = asyncio.ensure_future(
            in_thread(lambda: _told(connection, identity, known), lambda: None, f"{self._backend.engine}-agent")
        )
        work.add_done_callback(lambda done: self._answered(identity, done))
        await asyncio.wait({work}, timeout=_PATIENCE)
        if not work.done():
            raise ActionError("it does not answer")
        return work.result()

    def _answered(self, identity: str, work: asyncio.Future[Any]) -> None:
        self._waiting.discard(identity)
        if not work.cancelled():
            work.exception()


def connected(connection: Connection, identity: str) -> bool | None:
    """Whether an agent has opened its port in the guest; None where it has no such port."""
    root = ElementTree.fromstring(connection.domain(identity).XMLDesc(0))  # noqa: S314 - libvirt wrote it
    ports = [target for target in root.iterfind("devices/channel/target") if target.get("name") == _NAME]
    return any(port.get("state") == "connected" for port in ports) if ports else None


def _told(connection: Connection, identity: str, known: Facts) -> tuple[list[str], Facts]:
    """Addresses and facts; `known` ones are not asked again. Blocks, for `_LIMIT` seconds where it hangs."""
    lib, domain = connection.libvirt, connection.domain(identity)
    with suppress(lib.libvirtError, AttributeError):
        domain.agentSetResponseTimeout(_LIMIT, 0)
    try:
        found = addresses.told(domain.interfaceAddresses(lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT, 0))
    except lib.libvirtError as error:
        raise ActionError("it does not answer") from error
    if not known:
        with suppress(lib.libvirtError, AttributeError):
            info = domain.guestInfo(lib.VIR_DOMAIN_GUEST_INFO_OS | lib.VIR_DOMAIN_GUEST_INFO_HOSTNAME, 0)
            known = tuple((label, clean(str(info[key]), 120)) for label, key in _FIELDS if info.get(key))
    return found, known
