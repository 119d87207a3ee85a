"""VirtualBox as boxtop sees it: the helper process where an interpreter can load the binding, else VBoxManage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from backends.abilities import Abilities
from backends.addresses import Addresses
from backends.base import Ability, ActionError, Backend, EngineError, EngineSettings
from backends.model import VM, Action, ActionOptions, Change, EngineInfo, Kind, Loss, Ref, Snapshot, State, Usage
from backends.text import clean, clean_data
from backends.virtualbox import interpreter, manage, traffic
from backends.virtualbox.abilities import ABILITIES
from backends.virtualbox.aside import Aside
from backends.virtualbox.interpreter import Candidate
from backends.virtualbox.machines import machine
from backends.virtualbox.process import CLOSED, HelperGone, HelperProcess, HelperRefused
from backends.virtualbox.traffic import Traffic

HELLO_TIMEOUT = 20.0
QUERY_TIMEOUT = 30.0
RETRIES = 3
RETRY_PERIOD = 0.5
# Each somewhat longer than the helper's own limit, which has the better words
_ACTION_TIMEOUTS = {
    Action.START: 150.0,
    Action.RESTART: 220.0,
    Action.KILL: 150.0,
    Action.SAVE: 1850.0,
    Action.DELETE: 650.0,
}
_ACTION_TIMEOUT = 40.0
# How long a guest may take that seems not to handle ACPI: for a restart longer, as it may still be starting up
_PATIENCE = {Action.STOP: 4.0, Action.RESTART: 15.0}
_INSTALL = "install VirtualBox from virtualbox.org or your distribution"
_BINDING = (
    "install your distribution's VirtualBox SDK for Python, or `pip install vbox-sdk` beside boxtop, "
    "or set virtualbox.python in the config"
)
_NETWORK_OFF = "not asked for: virtualbox.network in the config"
_Found = TypeVar("_Found")


class VirtualBoxBackend(Backend):
    """One user's VirtualBox on this machine; `url` is `virtualbox://`."""

    def __init__(self, engine: str, url: str, settings: EngineSettings) -> None:
        self.engine = engine
        self.url = url
        self._settings = settings
        self._helper: HelperProcess | None = None
        self._acting: set[HelperProcess] = set()
        self._candidate: Candidate | None = None
        self._manage: manage.VBoxManage | None = None
        self._command: tuple[str, ...] = ()
        self._abilities = Abilities(ABILITIES, self)
        self._aside = Aside(self._start_aside)
        self._cpus: dict[str, int] = {}
        self._counters: dict[str, dict[str, Any]] = {}
        self._states: dict[str, State] = {}
        self._shown: frozenset[str] = frozenset()
        self._changing: set[str] = set()
        self._traffic = Traffic(self._traffic_helper)
        self._addresses = Addresses(self._ask_addresses, self._has_other_addresses)
        self._guests: dict[str, tuple[tuple[str, str], ...]] = {}

    async def connect(self) -> EngineInfo:
        await self._let_go()
        try:
            candidates = interpreter.candidates(self._settings.virtualbox_python)
            command = interpreter.vboxmanage()
        except ValueError as error:
            raise EngineError(clean(str(error)), "correct the command line") from None
        self._command = command
        if not interpreter.installed(self._settings.virtualbox_python):
            raise EngineError("VirtualBox is not installed", _INSTALL, absent=True)
        reasons = []
        for candidate in candidates:
            answer = await self._try(candidate)
            if isinstance(answer, dict):
                return self._info(str(answer["version"]), str(answer["api"]))
            reasons.append(f"{candidate.origin} ({candidate.text}): {answer}")
        if not command:
            raise EngineError(clean("no Python can load VirtualBox's binding: " + "; ".join(reasons)), _BINDING)
        try:
            self._manage, version = await manage.connect(command)
        except EngineError as error:
            raise EngineError(error.reason, clean("; ".join(reasons))) from None
        notes = (
            "VBoxManage stands in for the binding: no live load, and changes show within seconds",
            *(clean(reason) for reason in reasons),
            _BINDING,
        )
        return self._info(version, "", notes)

    def _info(self, version: str, api: str, notes: tuple[str, ...] = ()) -> EngineInfo:
        return EngineInfo(
            engine=self.engine,
            product="virtualbox",
            version=clean(version.partition("_")[0]),
            url=self.url,
            kinds=(Kind.VM,),
            api_version=clean(api),
            abilities=self._abilities.names,
            notes=notes,
        )

    def ability(self, kind: type[Ability]) -> Ability | None:
        return self._abilities.get(kind)

    @property
    def binding(self) -> bool:
        """Whether the helper process answers, rather than VBoxManage alone."""
        return self._manage is None

    def manager(self) -> manage.VBoxManage:
        """VBoxManage, which does what the binding does not. Raises ActionError where it is not installed."""
        if self._manage is not None:
            return self._manage
        if not self._command:
            raise ActionError("VBoxManage is not installed: it is needed for this")
        return manage.VBoxManage(self._command)

    async def ask(self, name: str, seconds: float = QUERY_TIMEOUT, **arguments: Any) -> Any:
        """The helper's answer to a question that changes nothing. Raises ActionError, EngineError."""
        try:
            return await self._ask(name, seconds, **arguments)
        except HelperRefused as error:
            raise ActionError(str(error)) from None

    async def ask_aside(self, name: str, seconds: float, **arguments: Any) -> Any:
        """As `ask`, of a helper apart: for what a VM's own process answers, which may hang, but only that then."""
        return await self._aside.ask(name, seconds, **arguments)

    async def _start_aside(self) -> HelperProcess:
        if self._candidate is None:
            raise EngineError("VirtualBox is not connected")
        helper = HelperProcess(self._candidate.command, interpreter.environment())
        try:
            await helper.start()
            await helper.ask("hello", HELLO_TIMEOUT, site=interpreter.pyvbox_folder(), listen=False)
        except BaseException:
            await helper.end()
            raise
        return helper

    def _traffic_helper(self) -> HelperProcess:
        command = self._candidate.command if self._candidate else ()
        return HelperProcess(command, interpreter.environment(), traffic.program)

    async def _try(self, candidate: Candidate) -> dict[str, Any] | str:
        """The helper's greeting, or why this interpreter cannot run it. Raises EngineError when VirtualBox fails."""
        words = ""
        for _ in range(RETRIES):
            helper = HelperProcess(candidate.command, interpreter.environment())
            try:
                await helper.start()
                answer = await helper.ask("hello", HELLO_TIMEOUT, site=interpreter.pyvbox_folder(), listen=True)
            except HelperGone as error:
                await helper.end()
                return str(error)
            except TimeoutError:
                await helper.end()
                raise EngineError("VirtualBox's service VBoxSVC does not answer", "see whether it hangs") from None
            except HelperRefused as error:
                await helper.end()
                words = str(error)
                if error.kind != "engine":
                    return words
                # A VBoxSVC that is just shutting down refuses newcomers for a moment.
                await asyncio.sleep(RETRY_PERIOD)
            except BaseException:
                await helper.end()
                raise
            else:
                self._helper, self._candidate = helper, candidate
                return dict(answer)
        raise EngineError(f"VirtualBox's service VBoxSVC fails: {words}", "see whether VBoxManage list vms works")

    async def _ask(self, name: str, seconds: float = QUERY_TIMEOUT, **arguments: Any) -> Any:
        if self._helper is None:
            raise EngineError("VirtualBox is not connected")
        try:
            return await self._helper.ask(name, seconds, **arguments)
        except HelperGone as error:
            raise EngineError(f"lost VirtualBox: {error}") from None
        except TimeoutError:
            raise EngineError("VirtualBox does not answer") from None

    async def _query(self, name: str, **arguments: Any) -> Any:
        try:
            return await self._ask(name, **arguments)
        except HelperRefused as error:
            raise EngineError(f"VirtualBox: {error}") from None

    async def ask_alone(self, name: str, seconds: float = QUERY_TIMEOUT, **arguments: Any) -> Any:
        """As `ask`, of a helper of its own: also when the connection is lost, and a new VBoxSVC has to be started."""
        if self._candidate is None:
            raise EngineError("VirtualBox is not connected")
        for attempt in range(RETRIES):
            helper = HelperProcess(self._candidate.command, interpreter.environment())
            try:
                await helper.start()
                await helper.ask("hello", HELLO_TIMEOUT, site=interpreter.pyvbox_folder(), listen=False)
                return await helper.ask(name, seconds, **arguments)
            except HelperRefused as error:
                # A VBoxSVC that is just shutting down refuses newcomers for a moment.
                if error.kind != "engine" or attempt == RETRIES - 1:
                    raise ActionError(str(error)) from None
                await asyncio.sleep(RETRY_PERIOD)
            except HelperGone as error:
                if attempt == RETRIES - 1:
                    raise EngineError(f"lost VirtualBox: {error}") from None
            except TimeoutError:
                raise EngineError("VirtualBox does not answer") from None
            finally:
                await helper.end()
        raise AssertionError

    async def list_all(self) -> Snapshot:
        if self._manage is not None:
            found = await self._managed(self._manage.machines())
        else:
            found = await self._query("list_all")
        vms = self._machines(found)
        self._cpus = {vm.ref.id: vm.cpus for vm in vms}
        self._states = {vm.ref.id: vm.state for vm in vms}
        self._counters = {id_: counters for id_, counters in self._counters.items() if id_ in self._cpus}
        return Snapshot(self.engine, time.time(), vms=vms)

    async def list_some(self, refs: Collection[Ref]) -> Change:
        ids = [ref.id for ref in refs]
        if self._manage is not None:
            found, gone = await self._managed(self._manage.some(ids))
        else:
            answer = await self._query("list_some", ids=ids)
            found, gone = answer["updated"], answer["removed"]
        vms = self._machines(found)
        return Change(self.engine, time.time(), vms, tuple(ref for ref in refs if ref.id in gone))

    def _machines(self, found: list[dict[str, Any]]) -> tuple[VM, ...]:
        vms = tuple(
            replace(vm, addresses=self._addresses.of(vm.ref.id), guest=self._guests.get(vm.ref.id, ()))
            if vm.state is State.RUNNING
            else vm
            for vm in (machine(self.engine, data) for data in found)
        )
        self._cpus.update((vm.ref.id, vm.cpus) for vm in vms)
        self._states.update((vm.ref.id, vm.state) for vm in vms)
        return vms

    @staticmethod
    async def _managed(listing: Awaitable[_Found]) -> _Found:
        try:
            return await listing
        except manage.ManageError as error:
            raise EngineError(f"VBoxManage: {error}") from None

    async def events(self) -> AsyncIterator[frozenset[Ref]]:
        helper = self._helper
        if self._manage is not None:
            raise NotImplementedError("VBoxManage tells no events")
        if helper is None:
            raise EngineError("VirtualBox is not connected")
        while True:
            try:
                ids = await helper.next_event()
            except HelperGone as error:
                if helper.gone == CLOSED:
                    return
                raise EngineError(f"lost VirtualBox: {error}") from None
            yield frozenset(Ref(self.engine, Kind.VM, id_) for id_ in ids)

    def on_screen(self, refs: Collection[Ref]) -> None:
        self._shown = frozenset(ref.id for ref in refs if ref.engine == self.engine)

    async def usage(self, refs: Collection[Ref]) -> Mapping[Ref, Usage]:
        """CPU, memory and disk of each VM's own process on this machine, as the kernel counts them.

        The process is what the VM costs its host, guest and VirtualBox together. Memory is its resident set,
        with no limit: it may exceed what the guest has.
        Disk rates are missing where VirtualBox runs its processes hardened. Nothing is asked of VirtualBox but, where
        the settings want it, the network rates of what is on screen, which the VMs' processes tell.
        """
        if self._command:
            # not of the helper: a VM's process that hangs would block it
            running = {ref.id for ref in refs}
            self._addresses.want(running)
            self._guests = {machine: facts for machine, facts in self._guests.items() if machine in running}
        if self._manage is not None:
            return {}
        running = {ref.id for ref in refs if self._states.get(ref.id) is State.RUNNING}
        if self._settings.virtualbox_network:
            self._traffic.want((running & self._shown) - self._changing)
        found = await self._query("usage", ids=[ref.id for ref in refs])
        now = time.time()
        figures = {}
        for ref in refs:
            if counters := found.get(ref.id):
                figures[ref] = self._rates(ref.id, counters, now)
        return figures

    async def _ask_addresses(self, machine: str) -> list[str]:
        try:
            found, self._guests[machine] = await self.manager().guest(machine)
            return found
        except manage.ManageError as error:
            raise ActionError(str(error)) from None

    def _has_other_addresses(self, machine: str) -> None:
        if self._helper is not None:
            self._helper.tell_changed((machine,))

    def _rates(self, id_: str, counters: dict[str, Any], now: float) -> Usage:
        before = self._counters.get(id_)
        self._counters[id_] = counters
        seconds = 0.0
        if before is not None and before["process"] == counters["process"]:
            seconds = counters["at"] - before["at"]

        def rate(name: str) -> float | None:
            if before is None or seconds <= 0 or name not in before or name not in counters:
                return None
            return max(0.0, float(counters[name] - before[name]) / seconds)

        received, sent = self._traffic.rates(id_) or (None, None)
        return Usage(
            time=now,
            cpu=rate("cpu"),
            cpu_limit=self._cpus.get(id_),
            memory=int(counters["memory"]),
            network_receive=received,
            network_transmit=sent,
            network_missing="" if self._settings.virtualbox_network else _NETWORK_OFF,
            disk_read=rate("read"),
            disk_write=rate("written"),
        )

    async def inspect(self, ref: Ref) -> Any:
        try:
            if self._manage is not None:
                return clean_data(await self._manage.info(ref.id))
            return clean_data(await self._ask("inspect", machine_id=ref.id))
        except (HelperRefused, manage.ManageError) as error:
            raise ActionError(str(error)) from None

    async def losses(self, action: Action, ref: Ref) -> tuple[Loss, ...]:
        """For a deletion: the machine's hard disk images, which go only when chosen."""
        if action is not Action.DELETE:
            return ()
        try:
            if self._manage is not None:
                media = await self._manage.media(ref.id)
            else:
                media = await self._ask("media", machine_id=ref.id)
        except (HelperRefused, manage.ManageError) as error:
            raise ActionError(str(error)) from None
        from backends import bases

        marked = await asyncio.to_thread(bases.marked, self.url)
        for medium in media:
            if medium["location"] in marked and not medium["kept"]:
                medium["kept"] = bases.KEPT
        manage.keep_parents(media)
        losses = []
        for medium in media:
            location = clean(medium["location"])
            # VirtualBox takes either; a path that cannot be drawn as it is would not name the file.
            name = location if location == medium["location"] else str(medium["id"])
            losses.append(Loss(location, name, medium["size"], clean(medium["kept"])))
        return tuple(losses)

    async def holders(self, paths: Collection[str]) -> Mapping[str, str]:
        """By its media registry, which names images and not those that rest on them: these are registered, too."""
        from backends.virtualbox.hosting import Host

        return await Host(self).holders(paths) if self._command else {}

    async def perform(self, action: Action, ref: Ref, options: ActionOptions) -> None:
        """Do it. RESTART asks the guest to shut down and starts the VM again once it is off, within a minute.

        DELETE unregisters and keeps every file, or deletes exactly `options.disks` and the machine's own files; but
        VBoxManage keeps the latter beside images without snapshots. An action begun is finished even when cancelled.
        """
        if self._manage is not None:
            await self._manage.perform(action, ref.id, options.disks)
            return
        if self._helper is None or self._candidate is None:
            raise EngineError("VirtualBox is not connected")
        # A helper of its own: a VM process that hangs blocks whoever asks it, and must not block the listing.
        helper = HelperProcess(self._candidate.command, interpreter.environment())
        self._acting.add(helper)
        began = time.time()
        self._changing.add(ref.id)
        seconds = _ACTION_TIMEOUTS.get(action, _ACTION_TIMEOUT)
        try:
            await helper.start()
            await helper.ask("hello", HELLO_TIMEOUT, site=interpreter.pyvbox_folder(), listen=False)
            # From here on it ends by itself: when it has done the action, also without boxtop, or at its limit.
            helper.spared = True
            await helper.ask(
                "perform",
                seconds,
                action=action.value,
                machine_id=ref.id,
                disks=list(options.disks),
                patience=_PATIENCE.get(action, 0.0),
                limit=int(seconds) + 1,
            )
        except HelperRefused as error:
            raise ActionError(str(error)) from None
        except HelperGone as error:
            from backends.virtualbox import aftermath

            if not await aftermath.performed(self, action, ref, options, began):
                raise EngineError(f"lost VirtualBox: {error}") from None
        except TimeoutError:
            raise ActionError("no answer: the VM's process or VBoxSVC hangs") from None
        finally:
            try:
                await helper.end()
            finally:
                self._acting.discard(helper)
                self._changing.discard(ref.id)

    async def close(self) -> None:
        await asyncio.gather(self._let_go(), self._aside.end(), *(helper.end() for helper in tuple(self._acting)))

    async def _let_go(self) -> None:
        await asyncio.gather(self._addresses.close(), self._traffic.close())
        helper, self._helper, self._manage = self._helper, None, None
        self._counters.clear()
        if helper is not None:
            await helper.end()
