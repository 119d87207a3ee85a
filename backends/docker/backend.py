"""Docker and Podman as boxtop sees them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

from backends.abilities import Abilities
from backends.base import Ability, ActionError, Backend, EngineError
from backends.docker import belongings, told
from backends.docker import perform as actions
from backends.docker.abilities import ABILITIES
from backends.docker.client import CALL_TIMEOUT, Connection
from backends.docker.errors import action_error, engine_error, is_timeout, nothing_found, passed_over, status
from backends.docker.events import EventReader, Inbox, refs_of
from backends.docker.lagging import Lagging
from backends.docker.locate import Endpoint, candidates
from backends.docker.parse import Parser
from backends.docker.sampler import CgroupSampler
from backends.docker.stats import StatsRates
from backends.events import EventRing
from backends.model import Action, ActionOptions, Change, EngineInfo, Item, Kind, Loss, Ref, Snapshot, Usage
from backends.text import clean, clean_data

_T = TypeVar("_T")
_STATS_AT_ONCE = 8
_ACTIONS_AT_ONCE = 4
_SHORT = {Action.START, Action.PAUSE, Action.RESUME}
_SAMPLES = 5
"""So many running containers tell whether an engine's are in this machine's cgroups."""
_END = 0.4
"""Seconds `close` waits for threads and ssh to end; what still hangs then is left to itself."""
_CLOSED = "the connection is closed"
_ASK_AGAIN = 0.25
"""Seconds until a container is asked about again whose end the listing does not know yet."""
_KINDS = (Kind.CONTAINER, Kind.IMAGE, Kind.VOLUME, Kind.NETWORK)


class DockerBackend(Backend):
    """One engine that speaks the Docker API; `url` as the README lists them, `docker://` finds the engine itself."""

    def __init__(self, engine: str, url: str) -> None:
        self.engine = engine
        self.url = url
        _IN_USE.add(self)
        self._connection: Connection | None = None
        self._parser = Parser(engine)
        self._sampler: CgroupSampler | None = None
        self._rates = StatsRates()
        self._readers: set[EventReader] = set()
        self._listing = threading.Lock()
        self._sampling = threading.Lock()
        self._lagging = Lagging()
        self._ask_again: Callable[[frozenset[Ref]], None] | None = None
        self._strays: set[str] = set()
        self._closed = False
        self._abilities = Abilities(ABILITIES, self)
        self.ring = EventRing()
        """What the engine told, for the view of events."""
        self._belongings = belongings.Belongings(self)
        self._guard = threading.Lock()
        self._open: set[Connection] = set()
        self._acting: Counter[Connection] = Counter()
        self._retired: set[Connection] = set()
        # Long actions and slow statistics must not keep listings waiting
        self._calls = ThreadPoolExecutor(4, thread_name_prefix=f"{engine}-call")
        self._actions = ThreadPoolExecutor(_ACTIONS_AT_ONCE, thread_name_prefix=f"{engine}-action")
        # Stops may take an hour each: what ends at once does not wait for them, and a kill waits for kills alone
        self._short = ThreadPoolExecutor(_ACTIONS_AT_ONCE, thread_name_prefix=f"{engine}-short")
        self._kills = ThreadPoolExecutor(_ACTIONS_AT_ONCE, thread_name_prefix=f"{engine}-kill")
        self._loads = ThreadPoolExecutor(_STATS_AT_ONCE, thread_name_prefix=f"{engine}-load")

    async def connect(self) -> EngineInfo:
        beside = [backend.url for backend in _IN_USE if backend is not self]
        return await _in(self._calls, self._connect, beside)

    async def list_all(self) -> Snapshot:
        self._belongings.ask()
        snapshot = await self.ask(self._list_all)
        volumes, networks = await self._belongings.answer()
        return replace(snapshot, volumes=volumes, networks=networks)

    async def list_some(self, refs: Collection[Ref]) -> Change:
        return await self.ask(lambda connection: self._list_some(connection, refs))

    async def events(self) -> AsyncIterator[frozenset[Ref]]:
        connection = self.connected()
        loop = asyncio.get_running_loop()
        inbox = Inbox(loop)
        reader = EventReader(connection.dialer, f"/v{connection.api_version}/events", CALL_TIMEOUT)
        self._readers.add(reader)
        parser = self._parser

        def handle(event: dict[str, Any]) -> None:
            self.ring.add(told.record(event, self.engine))
            refs = refs_of(event, self.engine, parser.started, parser.ended, self._lagging)
            if refs is not None:
                inbox.put(refs)

        def ended(error: BaseException | None) -> None:
            cause = error or ConnectionResetError("the engine ended its event stream")
            inbox.end(engine_error(cause, connection.endpoint, connection.dialer.complaint()))

        def ask_again(refs: frozenset[Ref]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody reads
                loop.call_soon_threadsafe(loop.call_later, _ASK_AGAIN, inbox.put, refs)

        self._ask_again = ask_again
        try:
            await self.ask(lambda _: reader.open())
            self.ring.add(told.listening(self.engine, connection.version))
            reader.start(handle, ended, f"{self.engine}-events")
            while True:
                yield await inbox.take()
        finally:
            reader.close()
            self._readers.discard(reader)

    async def usage(self, refs: Collection[Ref]) -> Mapping[Ref, Usage]:
        containers = [ref for ref in refs if ref.kind is Kind.CONTAINER]
        found: dict[Ref, Usage] = {}
        if self._sampler is not None and containers:
            found = await self.ask(lambda connection: self._sample(connection, containers), self._loads)
        missing = [ref for ref in containers if ref not in found]
        if not missing:
            return found
        answers = await asyncio.gather(*(self.ask(partial(_stats, container=ref.id), self._loads) for ref in missing))
        for ref, answer in zip(missing, answers, strict=True):
            usage = None if answer is None else self._rates.usage(ref.id, answer)
            if usage is not None:
                found[ref] = usage
        return found

    async def inspect(self, ref: Ref) -> Any:
        return await self.ask(lambda connection: _inspect(connection, ref))

    async def losses(self, action: Action, ref: Ref) -> tuple[Loss, ...]:
        if action is not Action.DELETE:
            return ()
        connection = self.connected()
        return await _acting(_in(self._calls, actions.losses, connection, ref), connection)

    async def perform(self, action: Action, ref: Ref, options: ActionOptions) -> None:
        with self._guard:
            connection = self.connected()
            self._acting[connection] += 1
        try:
            future = self._pool(action).submit(actions.perform, connection, action, ref, options)
        except RuntimeError:
            raise EngineError(_CLOSED) from None
        # Told when the work has ended, which goes on in its thread when its caller is cancelled
        future.add_done_callback(lambda _: self._acted(connection))
        await _acting(asyncio.wrap_future(future), connection)

    def ability(self, kind: type[Ability]) -> Ability | None:
        return self._abilities.get(kind)

    async def act(self, call: Callable[[Connection], _T]) -> _T:
        """Run a blocking call that changes something in a thread. Raises ActionError when the engine refuses it.

        Calls that may take longer than ACTION_TIMEOUT are an `Exchange` in a thread of their own.
        """
        connection = self.connected()
        return await _acting(_in(self._actions, call, connection), connection)

    def _pool(self, action: Action) -> ThreadPoolExecutor:
        if action is Action.KILL:
            return self._kills
        return self._short if action in _SHORT else self._actions

    async def close(self) -> None:
        _IN_USE.discard(self)
        self._connection = None
        with self._guard:
            self._closed = True
        for executor in (self._calls, self._actions, self._short, self._kills, self._loads):
            executor.shutdown(wait=False, cancel_futures=True)
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def end() -> None:
            try:
                self._end()
            finally:
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(ended.set)

        # A daemon: neither the loop's nor the process's end waits for it
        with suppress(Exception):
            threading.Thread(target=end, name=f"{self.engine}-end", daemon=True).start()
            await asyncio.wait_for(ended.wait(), _END)

    def _end(self) -> None:
        with self._guard:
            connections = list(self._open)
            self._open.clear()
        readers = list(self._readers)
        for reader in readers:
            reader.close()
        for connection in connections:
            connection.close()
        for reader in readers:
            reader.join(1.0)
        with self._sampling:
            if self._sampler is not None:
                self._sampler.close()
                self._sampler = None

    def _connect(self, beside: Collection[str]) -> EngineInfo:
        """In a thread: try the places in order; the first engine that answers is it."""
        self._retire()
        failures: list[tuple[Endpoint, EngineError]] = []
        places = candidates(self.url, beside=beside)
        for endpoint in places:
            connection = Connection(endpoint)
            self._own(connection)
            try:
                connection.shake_hands()
            except EngineError as error:
                self._let_go(connection)
                failures.append((endpoint, error))
                continue
            try:
                # What kept this user from the first engine is still worth knowing
                info = self._settle(connection, passed_over(failures))
            except Exception as error:
                self._let_go(connection)
                raise engine_error(error, endpoint) from error
            self._connection = connection
            return info
        if len(failures) == 1:
            raise failures[0][1]
        podman = any(endpoint.podman for endpoint in places)
        raise nothing_found(failures, docker=not self.url.startswith("podman"), podman=podman)

    def _own(self, connection: Connection) -> None:
        """Have `close` end it from now on, whatever it is waiting for."""
        with self._guard:
            if self._closed:
                raise EngineError(_CLOSED)
            self._open.add(connection)

    def _retire(self) -> None:
        """Close the connection so far once its actions have ended: the engine would carry on, their callers not know.

        Its other calls end by their own timeouts.
        """
        with self._guard:
            old, self._connection = self._connection, None
            if old is None:
                return
            if self._acting[old]:
                self._retired.add(old)
                return
        self._let_go(old)

    def _acted(self, connection: Connection) -> None:
        with self._guard:
            self._acting[connection] -= 1
            if self._acting[connection]:
                return
            del self._acting[connection]
            if connection not in self._retired:
                return
            self._retired.discard(connection)
        # Which thread this is depends on how the action ended
        threading.Thread(target=self._let_go, args=(connection,), name=f"{self.engine}-end", daemon=True).start()

    def _let_go(self, connection: Connection) -> None:
        with self._guard:
            self._open.discard(connection)
        connection.close()

    def _settle(self, connection: Connection, notes: tuple[str, ...]) -> EngineInfo:
        """Learn where its containers run, and say what answered."""
        local = connection.may_be_local and self._find_cgroups(connection)
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if not local:
            memory = int(connection.asking.info().get("MemTotal") or 0)
            if connection.endpoint.path:
                notes += ("its containers are not in this machine's cgroups: their load is asked of the engine",)
        self._rates = StatsRates(memory)
        self._parser.podman = connection.podman
        return EngineInfo(
            engine=self.engine,
            product=connection.product,
            version=connection.version,
            url=clean(connection.endpoint.url, 200),
            kinds=_KINDS,
            api_version=connection.api_version,
            usage_of_all=local,
            abilities=self._abilities.names,
            notes=notes,
        )

    def _find_cgroups(self, connection: Connection) -> bool:
        """Whether running containers have a cgroup here. An engine without any running one is taken for local."""
        running = connection.asking.containers(limit=_SAMPLES, filters={"status": "running"})
        ids = [str(entry["Id"]) for entry in running]
        with self._sampling:
            sampler = self._sampler or CgroupSampler()
            self._sampler = None
            here = sampler.finder.readable and (not ids or bool(sampler.finder.find(ids, time.monotonic())))
            if here and not self._closed:
                self._sampler = sampler
            else:
                sampler.close()
            return here

    def _list_all(self, connection: Connection) -> Snapshot:
        now = time.time()
        containers = connection.asking.containers(all=True)
        images = connection.asking.images()
        with self._listing:
            found = self._parser.containers(containers, now)
            ids = {container.ref.id for container in found}
            self._parser.started.keep_only(ids)
            self._parser.ended.keep_only(ids)
            self._ask_again_of(found)
            return Snapshot(self.engine, now, containers=found, images=self._parser.images(images))

    def _list_some(self, connection: Connection, refs: Collection[Ref]) -> Change:
        now = time.time()
        ids = [ref.id for ref in refs if ref.kind is Kind.CONTAINER]
        updated: list[Item] = []
        if ids:
            listing = connection.asking.containers(all=True, filters={"id": ids})
            with self._listing:
                updated += (item for item in self._parser.containers(listing, now) if item.ref in refs)
            self._ask_again_of(updated)
        if any(ref.kind is Kind.IMAGE for ref in refs):
            listing = connection.asking.images()
            updated += (image for image in self._parser.images(listing) if image.ref in refs)
        if any(ref.kind is Kind.VOLUME for ref in refs):
            answer = connection.asking.volumes()
            updated += (volume for volume in belongings.volumes(answer, self.engine) if volume.ref in refs)
        if any(ref.kind is Kind.NETWORK for ref in refs):
            found = connection.asking.networks()
            updated += (network for network in belongings.networks(found, self.engine) if network.ref in refs)
        gone = set(refs) - {item.ref for item in updated}
        return Change(self.engine, now, tuple(updated), tuple(gone))

    def _ask_again_of(self, listed: Collection[Item]) -> None:
        """Have those listed again soon whose end the listing does not know yet."""
        if (behind := self._lagging.behind(listed)) and self._ask_again is not None:
            self._ask_again(behind)

    def _sample(self, connection: Connection, refs: list[Ref]) -> dict[Ref, Usage]:
        wanted = {ref.id: ref for ref in refs}
        with self._sampling:
            sampler = self._sampler
            if sampler is None:
                return {}
            found = sampler.sample(wanted.keys())
            strays = [container for container in wanted if container not in found and container not in self._strays]
            self._strays = (self._strays | set(strays)) & wanted.keys()
        # The engine is asked without the lock, which `close` needs
        pids = {container: _pid(connection, container) for container in strays}
        if pids:
            with self._sampling:
                adopted = [
                    container
                    for container, pid in pids.items()
                    if sampler is self._sampler and sampler.finder.adopt(container, pid)
                ]
                if adopted:
                    found |= sampler.sample(adopted)
        return {wanted[container]: usage for container, usage in found.items()}

    def connected(self) -> Connection:
        """The connection in use. Raises EngineError when there is none."""
        if self._connection is None:
            raise EngineError("not connected")
        return self._connection

    async def ask(self, call: Callable[[Connection], _T], executor: ThreadPoolExecutor | None = None) -> _T:
        """Run a blocking call in a thread. Raises EngineError or ActionError, whatever went wrong."""
        connection = self.connected()
        try:
            return await _in(executor or self._calls, call, connection)
        except (EngineError, ActionError):
            raise
        except Exception as error:
            raise engine_error(error, connection.endpoint, connection.dialer.complaint()) from error


_IN_USE: WeakSet[DockerBackend] = WeakSet()
"""All that are not closed: `docker://` keeps off the Podman that another one shows. Only the event loop looks."""


async def _acting(answer: Awaitable[_T], connection: Connection) -> _T:
    """As `ask`, where the engine's refusal is an ActionError."""
    try:
        return await answer
    except (EngineError, ActionError):
        raise
    except Exception as error:
        raise action_error(error, connection.endpoint) from error


async def _in(executor: ThreadPoolExecutor, call: Callable[..., _T], *arguments: Any) -> _T:
    try:
        future = asyncio.get_running_loop().run_in_executor(executor, call, *arguments)
    except RuntimeError:
        raise EngineError(_CLOSED) from None
    return await future


def _inspect(connection: Connection, ref: Ref) -> Any:
    client = connection.asking
    try:
        if ref.kind in {Kind.VOLUME, Kind.NETWORK}:
            answer = belongings.inspect(connection, ref)
        elif ref.kind is Kind.IMAGE:
            answer = client.inspect_image(ref.id)  # type: ignore[no-untyped-call]
        else:
            answer = client.inspect_container(ref.id)
    except Exception as error:
        if status(error) == 404:
            raise ActionError(f"the {ref.kind} is gone") from error
        raise
    return clean_data(answer)


def _pid(connection: Connection, container: str) -> int:
    """A container's init process as the engine sees it; 0 where it has none."""
    try:
        return int((connection.asking.inspect_container(container).get("State") or {}).get("Pid") or 0)
    except Exception as error:
        if status(error):
            return 0
        raise


def _stats(connection: Connection, container: str) -> dict[str, Any] | None:
    """One sample; None where the engine has none for it, or not in time: that alone loses no connection."""
    try:
        answer = connection.asking.stats(container, stream=False, one_shot=True)
    except Exception as error:
        # Podman answers with nothing for a container that does not run
        if status(error) or is_timeout(error) or isinstance(error, ValueError):
            return None
        raise
    return answer if isinstance(answer, dict) else None
