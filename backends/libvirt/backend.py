"""libvirt as boxtop sees it: domains are VMs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from backends.abilities import Abilities
from backends.addresses import Addresses
from backends.base import Ability, ActionError, Backend, EngineError
from backends.libvirt import errors, here, uris
from backends.libvirt.abilities import ABILITIES
from backends.libvirt.agent import Guests
from backends.libvirt.connection import Connection
from backends.libvirt.domains import vm
from backends.libvirt.usage import Rates
from backends.model import VM, Action, ActionOptions, Change, EngineInfo, Kind, Loss, Ref, Snapshot, State, Usage
from backends.text import clean, clean_data
from backends.threads import in_thread

_T = TypeVar("_T")
_ACTIONS_AT_ONCE = 4
_CALL_TIMEOUT = 25.0
"""Seconds; above what the keep-alive needs to give a silent daemon up."""
_ACTION_TIMEOUT = 600.0
_LOOKED_AT = 1.5
"""Seconds after which a domain is listed anew while an action on it goes on."""
_END = 0.4
_MISSING = "install boxtop[libvirt], which is built against the package libvirt-dev"


class LibvirtBackend(Backend):
    """One connection. `libvirt://` is this machine's QEMU: the system's daemon, else the user's own."""

    def __init__(self, engine: str, url: str) -> None:
        self.engine = engine
        self.url = url
        self._connection: Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox: asyncio.Queue[str | EngineError] = asyncio.Queue()
        self._rates = Rates()
        self._guests = Guests(self)
        self._addresses = Addresses(self._guests.addresses, self._has_other_addresses)
        self._abilities = Abilities(ABILITIES, self)
        self._calls = ThreadPoolExecutor(3, thread_name_prefix=f"{engine}-call")
        self._actions = ThreadPoolExecutor(_ACTIONS_AT_ONCE, thread_name_prefix=f"{engine}-action")
        self._kills = ThreadPoolExecutor(_ACTIONS_AT_ONCE, thread_name_prefix=f"{engine}-kill")

    async def connect(self) -> EngineInfo:
        self._loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[str | EngineError] = asyncio.Queue()
        self._inbox = inbox
        await self._let_go()
        loop = self._loop

        def tell(news: str | EngineError) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(inbox.put_nowait, news)

        given_up = threading.Event()

        def give_up() -> None:
            given_up.set()
            uris.end_ssh(self.url)

        # a thread of its own: one that hangs, as ssh to a frozen machine does, must not take one of the few for calls
        opening = in_thread(lambda: self._connect(tell, given_up), give_up, f"{self.engine}-open")
        try:
            connection, version = await asyncio.wait_for(opening, _CALL_TIMEOUT)
        except TimeoutError:
            where = clean(self.url, 200)
            raise EngineError(f"{where} does not answer", "see whether virsh list answers there") from None
        self._connection = connection
        return EngineInfo(
            self.engine, "libvirt", version, clean(connection.uri, 200), (Kind.VM,), abilities=self._abilities.names
        )

    def _connect(self, tell: Callable[[str | EngineError], None], given_up: threading.Event) -> tuple[Connection, str]:
        """The connection and its daemon's version."""
        try:
            connection = self._open(tell)
        except ImportError:
            raise EngineError("libvirt's Python binding is not installed", _MISSING, absent=True) from None
        try:
            connection.listen()
            version = connection.version()
        except Exception as error:
            connection.close()
            raise errors.connect_error(error, clean(self.url, 200)) from error
        if given_up.is_set():
            connection.close()
            raise EngineError("libvirt answered too late")
        return connection, version

    def ability(self, kind: type[Ability]) -> Ability | None:
        return self._abilities.get(kind)

    def _open(self, tell: Callable[[str | EngineError], None]) -> Connection:
        bare = urlsplit(self.url).scheme == "libvirt"
        failure: EngineError | None = None
        for uri in here.daemons() if bare else (self.url,):
            try:
                return Connection(uri, tell, lambda reason: tell(EngineError(f"lost libvirt: {reason}")))
            except ImportError:
                raise
            except Exception as error:
                failure = failure or errors.connect_error(error, clean(uri, 200))
        raise failure or EngineError(
            "no libvirt daemon runs on this machine", "sudo systemctl start libvirtd", absent=True
        )

    async def list_all(self) -> Snapshot:
        return await self._ask(self._list_all)

    def _list_all(self, connection: Connection) -> Snapshot:
        # no event tells of it, and asked of each domain it would be a call for each
        auto = connection.autostarted()
        found = [self._vm(connection, domain, auto) for domain in connection.domains()]
        vms = tuple(machine for machine in found if machine is not None)
        ids = {machine.ref.id for machine in vms}
        connection.keep_only(ids)
        self._rates.keep_only(ids)
        return Snapshot(self.engine, time.time(), vms=vms)

    async def list_some(self, refs: Collection[Ref]) -> Change:
        return await self._ask(lambda connection: self._list_some(connection, refs))

    def _list_some(self, connection: Connection, refs: Collection[Ref]) -> Change:
        updated, gone = [], []
        for ref in refs:
            try:
                machine = self._vm(connection, connection.domain(ref.id))
            except connection.libvirt.libvirtError as error:
                if not errors.is_gone(error):
                    raise
                machine = None
            if machine is None:
                gone.append(ref)
            else:
                updated.append(machine)
        return Change(self.engine, time.time(), tuple(updated), tuple(gone))

    def _vm(self, connection: Connection, domain: Any, autostarted: frozenset[str] | None = None) -> VM | None:
        """None when it went away meanwhile."""
        identity = domain.UUIDString()
        try:
            found, facts = connection.definition(domain, identity), connection.facts(domain, identity, autostarted)
        except connection.libvirt.libvirtError as error:
            if errors.is_gone(error):
                return None
            raise
        made = vm(self.engine, identity, found, facts)
        if made.state is not State.RUNNING:
            return made
        return replace(made, addresses=self._addresses.of(identity), guest=self._guests.facts(identity))

    async def events(self) -> AsyncIterator[frozenset[Ref]]:
        inbox = self._inbox
        while True:
            news = [await inbox.get()]
            while not inbox.empty():
                news.append(inbox.get_nowait())
            for entry in news:
                if isinstance(entry, EngineError):
                    raise entry
            yield frozenset(Ref(self.engine, Kind.VM, str(identity)) for identity in news)

    async def usage(self, refs: Collection[Ref]) -> Mapping[Ref, Usage]:
        running = [ref.id for ref in refs]
        self._addresses.want(running)
        self._guests.keep_only(running)
        stats = await self._ask(lambda connection: [(dom.UUIDString(), found) for dom, found in connection.stats()])
        at, now, wanted = time.monotonic(), time.time(), {ref.id: ref for ref in refs}
        return {
            wanted[identity]: self._rates.usage(identity, at, found, now=now)
            for identity, found in stats
            if identity in wanted
        }

    def _has_other_addresses(self, identity: str) -> None:
        self._inbox.put_nowait(identity)

    async def inspect(self, ref: Ref) -> Any:
        return clean_data(await self._act(self._calls, lambda connection: connection.tree(connection.domain(ref.id))))

    async def losses(self, action: Action, ref: Ref) -> tuple[Loss, ...]:
        if action is not Action.DELETE:
            return ()
        from backends import bases
        from backends.libvirt import perform

        marked = await asyncio.to_thread(bases.marked, self.url)
        losses = await self._act(self._calls, lambda connection: perform.losses(connection, ref.id))
        # the id of a disk that may go is its target and path
        return tuple(
            replace(loss, id="", kept=bases.KEPT) if loss.id.partition(":")[2] in marked else loss for loss in losses
        )

    async def perform(self, action: Action, ref: Ref, options: ActionOptions) -> None:
        from backends.libvirt import perform

        pool = self._kills if action is Action.KILL else self._actions
        work = lambda connection: perform.perform(connection, action, ref.id, options)  # noqa: E731
        # no event tells that a start has begun, and one that hangs must be seen to be powered off
        look = asyncio.get_running_loop().call_later(_LOOKED_AT, self._inbox.put_nowait, ref.id)
        try:
            await self._act(pool, work, _ACTION_TIMEOUT)
        except EngineError as error:
            from backends.libvirt import aftermath

            await aftermath.performed(self, action, ref, options, error)
        finally:
            look.cancel()

    async def holders(self, paths: Collection[str]) -> Mapping[str, str]:
        from backends.libvirt import uses

        return await self.ask(lambda connection: uses.holders(connection, paths))

    async def close(self) -> None:
        await self._let_go()
        for pool in (self._calls, self._actions, self._kills):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _let_go(self) -> None:
        """Close the connection; a daemon that hangs is not waited for."""
        await self._addresses.close()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        connection.closed = True
        closed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def close() -> None:
            connection.close()
            if not loop.is_closed():
                loop.call_soon_threadsafe(closed.set)

        threading.Thread(target=close, name=f"{self.engine}-end", daemon=True).start()
        try:
            await asyncio.wait_for(closed.wait(), _END)
        except TimeoutError:
            return

    async def ask(self, call: Callable[[Connection], _T], seconds: float = _CALL_TIMEOUT) -> _T:
        """The answer to a short question, in a thread. Raises ActionError where it is refused, and EngineError."""
        return await self._act(self._calls, call, seconds)

    async def act(self, call: Callable[[Connection], _T], seconds: float = _ACTION_TIMEOUT) -> _T:
        """A change, in one of the few threads for them: nothing that takes minutes, which is `threads.in_thread`'s."""
        return await self._act(self._actions, call, seconds)

    def connection(self) -> Connection:
        """The connection now for work in a thread of its own. Raises EngineError when there is none."""
        return self._connected().beside("work")

    async def _ask(self, call: Callable[[Connection], _T]) -> _T:
        connection = self._connected()
        try:
            return await self._in(self._calls, lambda: call(connection))
        except (EngineError, ActionError):
            raise
        except Exception as error:
            raise errors.ask_error(error) from error

    async def _act(
        self, pool: ThreadPoolExecutor, call: Callable[[Connection], _T], seconds: float = _CALL_TIMEOUT
    ) -> _T:
        connection = self._connected()
        if pool is self._actions:
            connection = connection.beside("work")
        try:
            return await self._in(pool, lambda: call(connection), seconds)
        except (EngineError, ActionError):
            raise
        except Exception as error:
            raise errors.action_error(error) from error

    def _connected(self) -> Connection:
        if self._connection is None:
            raise EngineError("libvirt is not connected")
        return self._connection

    @staticmethod
    async def _in(pool: ThreadPoolExecutor, work: Callable[[], _T], seconds: float = _CALL_TIMEOUT) -> _T:
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(pool, work), seconds)
        except TimeoutError:
            raise EngineError("libvirt does not answer", "see whether virsh list answers") from None
        except RuntimeError as error:
            raise EngineError(f"libvirt: {clean(str(error), 200)}") from None
