"""Talks to VirtualBox in a process of its own: JSON lines in on stdin, JSON lines out on stdout.

This one file is sent to whichever interpreter can load VirtualBox's binding (Python 3.8 or newer), so it imports
nothing of boxtop: only the standard library and, after `hello`, pyvbox. It runs in one thread. VirtualBox's native
library prints to stdout and dies of a dead VBoxSVC, hence the process.

A request is {"id": n, "do": name, ...}; its answer {"id": n, "ok": result} or {"id": n, "error": words, "kind": word}.
Unasked: {"event": [machine ids]} (an empty list: anything may have changed) and {"lost": words} before an exit with
status LOST, when VBoxSVC is gone. Sizes are bytes, times Unix seconds. The end of stdin ends it.

API names are those of the VirtualBox SDK, seen in 7.2.22.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Waiting = Generator[None, None, None]
    """An action: it yields while it waits."""

LOST = 3
EVENT_PERIOD = 0.1
JOB_PERIOD = 0.1
REGISTER_PERIOD = 5.0
LAUNCH_TIMEOUT = 120.0
POWER_TIMEOUT = 120.0
SAVE_TIMEOUT = 1800.0
DELETE_TIMEOUT = 600.0
SHUTDOWN_TIMEOUT = 60.0
DEAF_TIMEOUT = 15.0
BUTTON_TIMEOUT = 4.0
UNLOCK_TIMEOUT = 15.0
END_TIMEOUT = 5.0
MAX_LINE = 1 << 20

EVENTS = (
    "OnMachineStateChanged",
    "OnMachineDataChanged",
    "OnMachineRegistered",
    "OnMachineGroupsChanged",
    "OnSessionStateChanged",
    "OnSnapshotTaken",
    "OnSnapshotDeleted",
    "OnSnapshotRestored",
    "OnSnapshotChanged",
)
# What inspect says by name where the API gives a number
ENUMS = {
    "state": "MachineState",
    "sessionState": "SessionState",
    "chipsetType": "ChipsetType",
    "firmwareType": "FirmwareType",
    "clipboardMode": "ClipboardMode",
    "dnDMode": "DnDMode",
    "paravirtProvider": "ParavirtProvider",
    "pointingHIDType": "PointingHIDType",
    "keyboardHIDType": "KeyboardHIDType",
    "autostopType": "AutostopType",
    "VMProcessPriority": "VMProcPriority",
    "iommuType": "IommuType",
}
BROKEN_CONNECTION = {
    0x80004004,  # NS_ERROR_ABORT: VBoxSVC is gone
    0x800706BE,  # RPC_S_CALL_FAILED
    0x800706BA,  # RPC_S_SERVER_UNAVAILABLE
    0xC1F30002,  # NS_ERROR_BASE + IPC not connected
}
# What a VM's console answers while the VM ends
ENDING = {
    0x80070005,  # E_ACCESSDENIED: the object is not ready
    0x80BB0002,  # VBOX_E_INVALID_VM_STATE
    0x8000FFFF,  # E_UNEXPECTED
}


class Refused(Exception):
    """A request that cannot be done, in words; `kind` tells the parent what to make of it."""

    def __init__(self, words: str, kind: str = "action") -> None:
        super().__init__(words)
        self.kind = kind


class Lost(Exception):
    """VBoxSVC is gone; only a new process can connect again."""


def status_of(error: BaseException) -> int | None:
    """The COM status of an exception of pyvbox (`value`) or of the binding (`errno`, `hresult`), else None."""
    for name in ("value", "errno", "hresult"):
        status = getattr(error, name, None)
        if isinstance(status, int):
            return status & 0xFFFFFFFF
    return None


def words_of(error: BaseException) -> str:
    message = getattr(error, "msg", None)
    status = status_of(error)
    if not message:
        message = str(error) or type(error).__name__
    words = " ".join(str(message).split())
    return words if status is None or "0x" in words else f"{words} (0x{status:08x})"


def load_pyvbox(site: str) -> Any:
    """Import pyvbox: this interpreter's own, else the one in folder `site`, and nothing but it from there."""
    try:
        import virtualbox
    except ImportError:
        folder = Path(site, "virtualbox")
        source = folder / "__init__.py"
        if not site or not os.access(source, os.R_OK):
            raise
        spec = importlib.util.spec_from_file_location("virtualbox", source, submodule_search_locations=[str(folder)])
        if spec is None or spec.loader is None:
            raise
        virtualbox = importlib.util.module_from_spec(spec)
        sys.modules["virtualbox"] = virtualbox
        try:
            spec.loader.exec_module(virtualbox)
        except BaseException:
            sys.modules.pop("virtualbox", None)
            raise
    from virtualbox.library_base import Interface

    # Without this a null event counts as true, and VBoxSVC crashes when it is handed back (pyvbox 2.1.1).
    Interface.__bool__ = lambda self: bool(self._i)
    return virtualbox


class Engine:
    """The connection to VBoxSVC, and what is known of its machines."""

    def __init__(self, virtualbox: Any) -> None:
        self.pyvbox = virtualbox
        self.manager = virtualbox.Manager()
        self.raw_manager = self.manager.manager
        self.constants = self.raw_manager.constants
        self.box = virtualbox.VirtualBox(manager=self.manager)._i
        self.states = self._names("MachineState")
        self.session_states = self._names("SessionState")
        self.machines: dict[str, Any] = {}
        self.details: dict[str, dict[str, Any]] = {}
        self.seen_states: dict[str, str] = {}
        self.pids: dict[str, tuple[int, int]] = {}
        self.os_types: dict[str, str] = {}
        self.source: Any = None
        self.listener: Any = None
        self.listening_since = 0.0
        self.wanted = False
        self.ticks = os.sysconf("SC_CLK_TCK")
        self.page = os.sysconf("SC_PAGE_SIZE")
        self.boot = self._boot_time()

    def _names(self, enum: str) -> dict[int, str]:
        # The numbers differ between versions: 7.0 inserted AbortedSaved. Only the running version's own count.
        values = self.constants.all_values(enum).items()
        # FirstOnline and its like are bounds with the number of a real state.
        return {int(number): name for name, number in values if not name.startswith(("First", "Last"))}

    def value(self, name: str) -> int:
        return int(getattr(self.constants, name))

    @staticmethod
    def _boot_time() -> float | None:
        try:
            with Path("/proc/stat").open() as text:
                return next(float(line.split()[1]) for line in text if line.startswith("btime "))
        except (OSError, StopIteration, ValueError):
            return None

    def hello(self) -> dict[str, Any]:
        return {
            "version": self.box.version,
            "revision": self.box.revision,
            "api": self.box.APIVersion,
            "python": ".".join(map(str, sys.version_info[:3])),
            "pid": os.getpid(),
        }

    # Events

    def listen(self) -> None:
        """Register a passive listener; VBoxSVC forgets one that was not asked for long."""
        self.wanted = True
        source = self.box.eventSource
        listener = source.createListener()
        types = []
        for name in EVENTS:
            try:
                types.append(self.value("VBoxEventType_" + name))
            except AttributeError:
                continue
        source.registerListener(listener, types, False)
        self.source, self.listener = source, listener
        self.listening_since = time.monotonic()

    def poll(self) -> set[str] | None:
        """Ids of machines with events since the last time; None when events may have been missed."""
        changed: set[str] = set()
        if not self.wanted:
            return changed
        if self.listener is None:
            if time.monotonic() - self.listening_since < REGISTER_PERIOD:
                return changed
            self.listen()
            return None
        for _ in range(1000):
            try:
                event = self.source.getEvent(self.listener, 0)
            except Exception as error:
                if status_of(error) in BROKEN_CONNECTION:
                    raise Lost(words_of(error)) from None
                self.listener = None
                self.listening_since = time.monotonic()
                self.details.clear()
                return None
            if event is None:
                return changed
            try:
                machine = self.raw_manager.queryInterface(event, "IMachineEvent").machineId
                self.details.pop(machine, None)
                self.pids.pop(machine, None)
                changed.add(machine)
            finally:
                self.source.eventProcessed(self.listener, event)
        return changed

    def unlisten(self) -> None:
        if self.listener is not None:
            self.source.unregisterListener(self.listener)

    # Listing

    def find(self, machine_id: str) -> Any:
        try:
            return self.box.findMachine(machine_id)
        except Exception as error:
            raise self.told(error, "gone") from None

    def list_all(self) -> list[dict[str, Any]]:
        known, states = self._everything()
        self.machines = known
        for cache in (self.details, self.seen_states, self.pids):
            for gone in set(cache) - set(known):
                del cache[gone]
        found = []
        for (machine_id, machine), number in zip(known.items(), states):  # noqa: B905 - Python 3.8
            state = self.states.get(int(number), "Unknown")
            if self.seen_states.get(machine_id) != state:
                self.details.pop(machine_id, None)
                self.seen_states[machine_id] = state
            found.append(self.detail(machine_id, machine, state))
        return found

    def _everything(self) -> tuple[dict[str, Any], list[int]]:
        """Machines by id, and their states in the same order: in one call each, whatever their number."""
        for attempt in range(3):
            try:
                machines = list(self.box.getMachines())
                states = list(self.box.getMachineStates(machines))
                return {machine.id: machine for machine in machines}, states
            except Exception as error:
                # A machine unregistered between the calls makes the second fail.
                if status_of(error) in BROKEN_CONNECTION or attempt == 2:
                    raise
        raise AssertionError

    def list_some(self, ids: list[str]) -> list[dict[str, Any]]:
        found = []
        for machine_id in ids:
            try:
                machine = self.box.findMachine(machine_id)
                state = self.states.get(int(machine.state), "Unknown")
                self.details.pop(machine_id, None)
                self.seen_states[machine_id] = state
                found.append(self.detail(machine_id, machine, state))
            except Refused:
                continue
            except Exception as error:
                if status_of(error) in BROKEN_CONNECTION:
                    raise Lost(words_of(error)) from None
                continue
        return found

    def detail(self, machine_id: str, machine: Any, state: str) -> dict[str, Any]:
        known = self.details.get(machine_id)
        if known is None:
            try:
                known = self._read(machine_id, machine, state)
            except Exception as error:
                if status_of(error) in BROKEN_CONNECTION:
                    raise Lost(words_of(error)) from None
                known = self._inaccessible(machine_id, machine, words_of(error))
            self.details[machine_id] = known
        return known

    def _read(self, machine_id: str, machine: Any, state: str) -> dict[str, Any]:
        if not machine.accessible:
            return self._inaccessible(machine_id, machine, machine.accessError.text)
        changed = machine.lastStateChange / 1000.0
        return {
            "id": machine_id,
            "name": machine.name,
            "state": state,
            "os_type": self.os_type(machine.OSTypeId),
            "cpus": machine.CPUCount,
            "memory": machine.memorySize << 20,
            "changed": changed,
            "started": self._started(machine_id, machine),
            "groups": list(machine.getGroups()),
            "description": machine.description,
            "snapshots": machine.snapshotCount,
            "session": self.session_states.get(int(machine.sessionState), ""),
            "error": "",
        }

    def _inaccessible(self, machine_id: str, machine: Any, words: str) -> dict[str, Any]:
        try:
            name = Path(machine.settingsFilePath).stem
        except Exception:
            name = ""
        return {
            "id": machine_id,
            "name": name or machine_id,
            "state": "Inaccessible",
            "os_type": "",
            "cpus": 0,
            "memory": 0,
            "changed": None,
            "started": None,
            "groups": [],
            "description": "",
            "snapshots": 0,
            "session": "",
            "error": words or "VirtualBox cannot read its settings",
        }

    def os_type(self, type_id: str) -> str:
        if type_id not in self.os_types:
            try:
                self.os_types[type_id] = self.box.getGuestOSType(type_id).description
            except Exception:
                self.os_types[type_id] = type_id
        return self.os_types[type_id]

    # Load: of the VM's own process. IPerformanceCollector counts the same process in VBoxSVC every period, reports
    # nothing in driverless mode, and setupMetrics on stopped VMs crashed VBoxSVC 7.2.22, which aborts running VMs.

    def _process(self, machine_id: str, machine: Any) -> tuple[int, int] | None:
        """(pid, start time in ticks) of a VM's process on this machine, else None."""
        known = self.pids.get(machine_id)
        if known is not None:
            return known
        pid = machine.sessionPID
        if not 0 < pid < 0x7FFFFFFF:
            return None
        try:
            with Path(f"/proc/{pid}/cmdline").open("rb") as text:
                command = text.read(65536)
                if b"VBox" not in command and b"VirtualBox" not in command:
                    return None
            start = self._stat(pid)[18]
        except (OSError, IndexError):
            return None
        self.pids[machine_id] = (pid, start)
        return self.pids[machine_id]

    @staticmethod
    def _stat(pid: int) -> list[int]:
        """Fields of /proc/<pid>/stat from the fourth on: 10 and 11 CPU ticks, 18 the start, 20 resident pages."""
        with Path(f"/proc/{pid}/stat").open("rb") as text:
            return [int(field) for field in text.read().rpartition(b") ")[2].split()[1:22]]

    def _started(self, machine_id: str, machine: Any) -> float | None:
        process = self._process(machine_id, machine)
        if process is None or self.boot is None:
            return None
        return self.boot + process[1] / float(self.ticks)

    def usage(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        """Counters of running machines since their processes began: CPU seconds, resident and disk bytes."""
        found = {}
        for machine_id in ids:
            machine = self.machines.get(machine_id)
            if machine is None:
                continue
            try:
                process = self._process(machine_id, machine)
            except Exception as error:
                if status_of(error) in BROKEN_CONNECTION:
                    raise Lost(words_of(error)) from None
                continue
            if process is None:
                continue
            pid, start = process
            try:
                fields = self._stat(pid)
            except (OSError, IndexError):
                fields = None
            if not fields or fields[18] != start:
                self.pids.pop(machine_id, None)
                continue
            counters = {
                "process": f"{pid}-{start}",
                "at": time.monotonic(),
                "cpu": (fields[10] + fields[11]) / float(self.ticks),
                "memory": fields[20] * self.page,
            }
            counters.update(self._disk(pid))
            found[machine_id] = counters
        return found

    @staticmethod
    def _disk(pid: int) -> dict[str, int]:
        # Readable for the same user only, and not where VirtualBox runs its VMs hardened
        try:
            with Path(f"/proc/{pid}/io").open() as text:
                io = dict(line.split(": ") for line in text.read().splitlines())
            return {"read": int(io["read_bytes"]), "written": int(io["write_bytes"])}
        except (OSError, ValueError, KeyError):
            return {}

    # Inspect

    def inspect(self, machine_id: str) -> dict[str, Any]:
        machine = self.find(machine_id)
        if not machine.accessible:
            return {"id": machine_id, "accessible": False, "accessError": machine.accessError.text}
        data = self._plain(machine)
        data["groups"] = list(machine.getGroups())
        data["OSType"] = self.os_type(machine.OSTypeId)
        data["storageControllers"] = [self._plain(item) for item in machine.getStorageControllers()]
        data["mediumAttachments"] = [self._attachment(item) for item in machine.getMediumAttachments()]
        adapters = []
        for slot in range(8):
            adapter = machine.getNetworkAdapter(slot)
            if adapter.enabled:
                adapters.append(self._plain(adapter, {"attachmentType": "NetworkAttachmentType"}))
        data["networkAdapters"] = adapters
        data["sharedFolders"] = [self._plain(item) for item in machine.getSharedFolders()]
        data["extraData"] = {key: machine.getExtraData(key) for key in machine.getExtraDataKeys()}
        names, values, _times, _flags = machine.enumerateGuestProperties("")
        data["guestProperties"] = dict(zip(names, values))  # noqa: B905 - Python 3.8
        snapshots = []
        for snapshot, depth in self._snapshots(machine):
            snapshots.append(
                {
                    "id": snapshot.id,
                    "name": snapshot.name,
                    "description": snapshot.description,
                    "time": snapshot.timeStamp / 1000.0,
                    "online": bool(snapshot.online),
                    "depth": depth,
                }
            )
        data["snapshots"] = snapshots
        return data

    def _attachment(self, attachment: Any) -> dict[str, Any]:
        data = self._plain(attachment, {"type": "DeviceType"})
        if attachment.medium is not None:
            medium = attachment.medium
            data["medium"] = {"location": medium.location, "format": medium.format, "size": medium.size}
        return data

    def _plain(self, item: Any, enums: dict[str, str] | None = None) -> dict[str, Any]:
        """Every attribute of an API object that is a number, a text or a truth value, by its name in the SDK."""
        names: set[str] = set()
        for info in item._interface_infos_.values():
            names.update(info[1] if info else ())
        enums = enums or ENUMS
        data = {}
        for name in sorted(names):
            if "eserved" in name or name == "midlDoesNotLikeEmptyInterfaces":
                continue
            try:
                value = getattr(item, name)
            except Exception as error:
                if status_of(error) in BROKEN_CONNECTION:
                    raise Lost(words_of(error)) from None
                continue
            if isinstance(value, int) and enums.get(name):
                value = self._names(enums[name]).get(value, value)
            if isinstance(value, (str, int, float, bool)):
                data[name] = value
        return data

    def _snapshots(self, machine: Any) -> Iterator[tuple[Any, int]]:
        """(snapshot, depth) of the whole tree, parents first."""
        if not machine.snapshotCount:
            return
        waiting = [(machine.findSnapshot(""), 0)]
        while waiting:
            snapshot, depth = waiting.pop()
            yield snapshot, depth
            waiting.extend((child, depth + 1) for child in reversed(list(snapshot.getChildren())))

    # Media

    def media(self, machine_id: str) -> list[dict[str, Any]]:
        """Every hard disk image that belongs to a machine: attached now, in its snapshots, and what those stand on."""
        machine = self.find(machine_id)
        if not machine.accessible:
            return []
        disk = self.value("DeviceType_HardDisk")
        owners = [machine] + [snapshot.machine for snapshot, _ in self._snapshots(machine)]
        found = {}
        for owner in owners:
            for attachment in owner.getMediumAttachments():
                medium = attachment.medium
                while medium is not None and int(medium.deviceType) == disk and medium.id not in found:
                    found[medium.id] = medium
                    medium = medium.parent
        names = {}
        answer = []
        for medium in found.values():
            others = [other for other in medium.getMachineIds() if other != machine_id]
            children = [child.id for child in medium.getChildren()]
            kept = ""
            if others:
                for other in others:
                    if other not in names:
                        names[other] = self._name(other)
                kept = "also attached to " + ", ".join(names[other] for other in others)
            elif any(child not in found for child in children):
                kept = "parent of other disk images"
            elif medium.hostDrive:
                kept = "a drive of the host"
            answer.append(
                {
                    "id": medium.id,
                    "location": medium.location,
                    "size": max(0, medium.size),
                    "children": [child for child in children if child in found],
                    "kept": kept,
                }
            )
        # What a kept image stands on stays too.
        kept_ids = {medium["id"] for medium in answer if medium["kept"]}
        again = True
        while again:
            again = False
            for medium in answer:
                if not medium["kept"] and kept_ids.intersection(medium["children"]):
                    medium["kept"] = "parent of a disk image that stays"
                    kept_ids.add(medium["id"])
                    again = True
        return answer

    def _name(self, machine_id: str) -> str:
        try:
            return str(self.box.findMachine(machine_id).name)
        except Exception:
            return machine_id

    # Actions: generators that yield while they wait, so that one thread serves all.

    def told(self, error: BaseException, kind: str = "action") -> Refused | Lost:
        """What to raise for an error of the API: Lost when VBoxSVC itself no longer answers."""
        if isinstance(error, (Refused, Lost)):
            return error
        if status_of(error) in BROKEN_CONNECTION:
            try:
                self.box.version  # noqa: B018
            except Exception:
                return Lost(words_of(error))
            return Refused("the VM's process ended", kind)
        return Refused(words_of(error), kind)

    def state_of(self, machine: Any) -> str:
        return self.states.get(int(machine.state), "Unknown")

    def finish(self, progress: Any, seconds: float, what: str) -> Waiting:
        deadline = time.monotonic() + seconds
        while not progress.completed:
            if time.monotonic() > deadline:
                raise Refused(f"{what} took longer than {seconds:.0f} s and goes on")
            yield
        if progress.resultCode:
            info = progress.errorInfo
            text = info.text if info is not None else ""
            raise Refused(" ".join((text or "").split()) or f"{what} failed (0x{progress.resultCode & 0xFFFFFFFF:08x})")

    def open(self, machine: Any) -> Any:
        # A shared lock on a machine that nobody holds would make this process its owner.
        if int(machine.sessionState) != self.value("SessionState_Locked"):
            raise Refused(f"{machine.name} is not running")
        session = self.manager.get_session()._i
        machine.lockMachine(session, self.value("LockType_Shared"))
        if session.console is None:
            self.release(session)
            raise Refused(f"{machine.name} is not running")
        return session

    def release(self, session: Any) -> None:
        # After the VM's process ended the session is often gone already: 0x8000ffff and others.
        with contextlib.suppress(Exception):
            if int(session.state) == self.value("SessionState_Locked"):
                session.unlockMachine()

    def unlocked(self, machine: Any) -> Waiting:
        """Wait until no other process holds the machine, as just after its VM ended."""
        deadline = time.monotonic() + UNLOCK_TIMEOUT
        while int(machine.sessionState) != self.value("SessionState_Unlocked") and time.monotonic() < deadline:
            yield

    def ended(self, machine: Any, error: BaseException) -> Waiting:
        """An error that only says that the VM's process has ended, as intended, is none. Raises any other."""
        if status_of(error) not in BROKEN_CONNECTION | ENDING:
            raise error
        deadline = time.monotonic() + END_TIMEOUT
        while self.state_of(machine) not in ("PoweredOff", "Saved"):
            if time.monotonic() > deadline or self.state_of(machine) == "Aborted":
                raise error
            yield

    def perform(self, action: str, machine_id: str, disks: list[str]) -> Waiting:
        machine = self.find(machine_id)
        if action != "delete" and not machine.accessible:
            raise Refused("VirtualBox cannot read its settings")
        try:
            if action == "delete":
                yield from self.do_delete(machine, disks)
            else:
                yield from getattr(self, "do_" + action)(machine)
        except Exception as error:
            raise self.told(error) from None

    def do_start(self, machine: Any) -> Waiting:
        state = self.state_of(machine)
        if state == "Paused":
            yield from self.do_resume(machine)
            return
        if state in ("Running", "Starting", "Restoring"):
            return
        yield from self.unlocked(machine)
        session = self.manager.get_session()._i
        try:
            # An empty list, not pyvbox's empty text, for the environment changes: 7.x refuses the text.
            progress = machine.launchVMProcess(session, "headless", [])
            yield from self.finish(progress, LAUNCH_TIMEOUT, "the start")
        finally:
            self.release(session)

    def press(self, machine: Any) -> Generator[None, None, bool]:
        """Press the ACPI power button; whether the guest has ACPI in use, as operating systems do once they are up."""
        session = self.open(machine)
        listens = False
        try:
            console = session.console
            # Asked before: a VM process that is asked while it powers off can deadlock (seen in 7.2.22).
            listens = bool(console.getGuestEnteredACPIMode())
            console.powerButton()
        except Exception as error:
            # The VM may end so fast that its console is gone.
            yield from self.ended(machine, error)
        finally:
            self.release(session)
        return listens

    def off_within(self, machine: Any, seconds: float) -> Generator[None, None, bool]:
        deadline = time.monotonic() + seconds
        while self.state_of(machine) not in ("PoweredOff", "Aborted", "Saved"):
            if time.monotonic() > deadline:
                return False
            yield
        return True

    def do_stop(self, machine: Any) -> Waiting:
        if not (yield from self.press(machine)) and not (yield from self.off_within(machine, BUTTON_TIMEOUT)):
            raise Refused("the guest ignored the power button: it does not handle ACPI, or is not up yet")

    def do_restart(self, machine: Any) -> Waiting:
        listens = yield from self.press(machine)
        seconds = SHUTDOWN_TIMEOUT if listens else DEAF_TIMEOUT
        if not (yield from self.off_within(machine, seconds)):
            raise Refused(f"the guest did not shut down within {seconds:.0f} s: power it off or reset it")
        yield from self.do_start(machine)

    def _on_console(self, machine: Any, method: str) -> Waiting:
        session = self.open(machine)
        try:
            getattr(session.console, method)()
        finally:
            self.release(session)
        yield

    def do_reset(self, machine: Any) -> Waiting:
        yield from self._on_console(machine, "reset")

    def do_pause(self, machine: Any) -> Waiting:
        yield from self._on_console(machine, "pause")

    def do_resume(self, machine: Any) -> Waiting:
        yield from self._on_console(machine, "resume")

    def do_kill(self, machine: Any) -> Waiting:
        session = self.open(machine)
        try:
            yield from self.finish(session.console.powerDown(), POWER_TIMEOUT, "the power off")
        except Exception as error:
            yield from self.ended(machine, error)
        finally:
            self.release(session)
        yield from self.unlocked(machine)

    def do_save(self, machine: Any) -> Waiting:
        session = self.open(machine)
        try:
            yield from self.finish(session.machine.saveState(), SAVE_TIMEOUT, "saving")
        except Exception as error:
            yield from self.ended(machine, error)
        finally:
            self.release(session)
        yield from self.unlocked(machine)

    def do_delete(self, machine: Any, disks: list[str]) -> Waiting:
        """Unregister, keeping every file; or with exactly these disk images, and the machine's own files, deleted."""
        if not disks:
            machine.unregister(self.value("CleanupMode_UnregisterOnly"))
            return
        media = {medium[key]: medium for medium in self.media(machine.id) for key in ("id", "location")}
        chosen = {}
        for location in disks:
            medium = media.get(location)
            if medium is None:
                raise Refused(f"{location} does not belong to this VM any more")
            if medium["kept"]:
                raise Refused(f"{location} is {medium['kept']}")
            chosen[medium["id"]] = medium
        for medium in chosen.values():
            if not set(medium["children"]) <= set(chosen):
                raise Refused(f"{medium['location']} is the parent of a disk image that would stay")
        yield from self.unlocked(machine)
        returned = machine.unregister(self.value("CleanupMode_DetachAllReturnHardDisksOnly"))
        doomed = {medium.id: medium for medium in returned if medium.id in chosen}
        yield from self.finish(machine.deleteConfig(list(doomed.values())), DELETE_TIMEOUT, "deleting the files")
        missed = sorted(medium["location"] for key, medium in chosen.items() if key not in doomed)
        if missed:
            raise Refused("unregistered, but VirtualBox kept " + ", ".join(missed))


class Server:
    """Reads requests, writes answers, steps the actions that wait, and polls for events."""

    def __init__(self, requests: int, answers: int) -> None:
        self.requests = requests
        self.answers = answers
        self.buffer = b""
        self.engine: Engine | None = None
        self.jobs: dict[int, Waiting] = {}
        self.next_poll = 0.0

    def run(self) -> int:
        while True:
            ready, _, _ = select.select([self.requests], [], [], self.pause())
            if ready and not self.read():
                return 0
            try:
                self.step()
                self.watch()
            except Lost as error:
                self.say({"lost": str(error)})
                return LOST

    def pause(self) -> float | None:
        if self.engine is None:
            return None
        wait = self.next_poll - time.monotonic()
        return max(0.0, min(wait, JOB_PERIOD) if self.jobs else wait)

    def say(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self.answers, data) :]

    def read(self) -> bool:
        """Take what stdin has; False at its end."""
        data = os.read(self.requests, 65536)
        if not data:
            return False
        self.buffer += data
        if len(self.buffer) > MAX_LINE:
            return False
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            request = json.loads(line.decode())
            if request["do"] == "bye":
                return False
            try:
                self.take(request)
            except Lost as error:
                self.say({"lost": str(error)})
                return False
        return True

    def take(self, request: dict[str, Any]) -> None:
        number, name = request["id"], request["do"]
        try:
            if name == "hello":
                self.say({"id": number, "ok": self.hello(request.get("site", ""), request["listen"])})
                return
            if self.engine is None:
                raise Refused("hello comes first", "engine")
            if name == "perform":
                self.jobs[number] = self.engine.perform(request["action"], request["machine"], request["disks"])
                return
            arguments = [request[key] for key in ("machine", "ids") if key in request]
            methods: dict[str, Callable[..., Any]] = {
                "list_all": self.engine.list_all,
                "list_some": self.engine.list_some,
                "usage": self.engine.usage,
                "inspect": self.engine.inspect,
                "media": self.engine.media,
            }
            self.say({"id": number, "ok": methods[name](*arguments)})
        except Refused as error:
            self.say({"id": number, "error": str(error), "kind": error.kind})
        except Lost:
            raise
        except Exception as error:
            if self.engine is not None and status_of(error) in BROKEN_CONNECTION:
                raise Lost(words_of(error)) from None
            self.say({"id": number, "error": words_of(error), "kind": "engine"})

    def hello(self, site: str, listen: bool) -> dict[str, Any]:
        try:
            import vboxapi  # noqa: F401
        except BaseException as error:
            raise Refused(f"it has no module vboxapi ({words_of(error)})", "binding") from None
        try:
            virtualbox = load_pyvbox(site)
        except BaseException as error:
            raise Refused(f"it cannot import pyvbox ({words_of(error)})", "library") from None
        try:
            engine = Engine(virtualbox)
        except BaseException as error:
            words = words_of(error)
            if status_of(error) is None:
                raise Refused(f"it cannot load VirtualBox's native library ({words})", "binding") from None
            raise Refused(words, "engine") from None
        if listen:
            engine.listen()
        answer = engine.hello()
        self.engine = engine
        return answer

    def step(self) -> None:
        for number, job in list(self.jobs.items()):
            try:
                next(job)
                continue
            except StopIteration:
                self.say({"id": number, "ok": None})
            except Refused as error:
                self.say({"id": number, "error": str(error), "kind": error.kind})
            except Lost:
                raise
            except Exception as error:
                self.say({"id": number, "error": words_of(error), "kind": "action"})
            del self.jobs[number]

    def watch(self) -> None:
        now = time.monotonic()
        if self.engine is None or now < self.next_poll:
            return
        self.next_poll = now + EVENT_PERIOD
        changed = self.engine.poll()
        if changed is None:
            self.say({"event": []})
        elif changed:
            self.say({"event": sorted(changed)})

    def close(self) -> None:
        """Let go of every session; VMs run on."""
        for job in self.jobs.values():
            with contextlib.suppress(Exception):
                job.close()
        if self.engine is not None:
            with contextlib.suppress(Exception):
                self.engine.unlisten()


def main() -> None:
    requests, answers = os.dup(0), os.dup(1)
    # A VBoxSVC started from here inherits 0 to 2: they must not be pipes that break when boxtop ends.
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    sys.setrecursionlimit(1000)
    server = Server(requests, answers)
    status = 1
    try:
        status = server.run()
    except (BrokenPipeError, ConnectionError):
        status = 0
    except Exception as error:
        try:
            server.say({"lost": "the helper failed: " + words_of(error)})
        except OSError:
            status = 1
    server.close()
    # The binding's own clean-up at exit can crash or hang when VBoxSVC is gone.
    os._exit(status)


if __name__ == "__main__":
    main()
