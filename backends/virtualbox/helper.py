"""Talks to VirtualBox in a process of its own: JSON lines in on stdin, JSON lines out on stdout.

This file is sent to whichever interpreter can load VirtualBox's binding (Python 3.8 or newer), with the modules named
in `process.FED`. None of them imports anything of boxtop: only the standard library and, after `hello`, pyvbox. It
runs in one thread. VirtualBox's native library prints to stdout and dies of a dead VBoxSVC, hence the process. One
helper lists; each action has a helper of its own, which finishes its action also when boxtop is gone by then.

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
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LOST = 3
EVENT_PERIOD = 0.1
WAIT_PERIOD = 0.05
REGISTER_PERIOD = 5.0
LAUNCH_TIMEOUT = 120.0
POWER_TIMEOUT = 120.0
SAVE_TIMEOUT = 1800.0
DELETE_TIMEOUT = 600.0
SHUTDOWN_TIMEOUT = 60.0
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
OBJECT_NOT_FOUND = 0x80BB0001  # VBOX_E_OBJECT_NOT_FOUND
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


# Errors


class Refused(Exception):
    """A request that cannot be done, in words; `kind` tells the parent what to make of it."""

    def __init__(self, words: str, kind: str = "action") -> None:
        super().__init__(words)
        self.kind = kind


class Unreadable(Exception):
    """A machine that was never read cannot be read now."""


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


# The connection


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


class Connection:
    """The connection to VBoxSVC."""

    def __init__(self, virtualbox: Any) -> None:
        self.manager = virtualbox.Manager()
        self.raw_manager = self.manager.manager
        self.constants = self.raw_manager.constants
        self.box = virtualbox.VirtualBox(manager=self.manager)._i
        self.states = self.names("MachineState")
        self.os_types: dict[str, str] = {}

    def names(self, enum: str) -> dict[int, str]:
        # The numbers differ between versions: 7.0 inserted AbortedSaved. Only the running version's own count.
        values = self.constants.all_values(enum).items()
        # FirstOnline and its like are bounds with the number of a real state.
        return {int(number): name for name, number in values if not name.startswith(("First", "Last"))}

    def value(self, name: str) -> int:
        return int(getattr(self.constants, name))

    def hello(self) -> dict[str, Any]:
        return {
            "version": self.box.version,
            "revision": self.box.revision,
            "api": self.box.APIVersion,
            "python": ".".join(map(str, sys.version_info[:3])),
            "pid": os.getpid(),
        }

    def find(self, machine_id: str) -> Any:
        try:
            return self.box.findMachine(machine_id)
        except Exception as error:
            raise self.told(error, "gone") from None

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

    def os_type(self, type_id: str) -> str:
        if type_id not in self.os_types:
            try:
                self.os_types[type_id] = self.box.getGuestOSType(type_id).description
            except Exception:
                self.os_types[type_id] = type_id
        return self.os_types[type_id]


# Events


class Events:
    """A passive listener at VBoxSVC."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.source: Any = None
        self.listener: Any = None
        self.listening_since = 0.0

    def listen(self) -> None:
        """Register a passive listener; VBoxSVC forgets one that was not asked for long."""
        source = self.connection.box.eventSource
        listener = source.createListener()
        types = []
        for name in EVENTS:
            try:
                types.append(self.connection.value("VBoxEventType_" + name))
            except AttributeError:
                continue
        source.registerListener(listener, types, False)
        self.source, self.listener = source, listener
        self.listening_since = time.monotonic()

    def poll(self) -> set[str] | None:
        """Ids of machines with events since the last time; None when events may have been missed."""
        changed: set[str] = set()
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
                return None
            if event is None:
                return changed
            try:
                machine = self.connection.raw_manager.queryInterface(event, "IMachineEvent").machineId
                changed.add(machine)
            finally:
                self.source.eventProcessed(self.listener, event)
        return changed

    def unlisten(self) -> None:
        if self.listener is not None:
            self.source.unregisterListener(self.listener)


# Listing and load


class Machines:
    """What is known of the machines, and asked again only of those that changed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.box = connection.box
        self.session_states = connection.names("SessionState")
        self.machines: dict[str, Any] = {}
        self.details: dict[str, dict[str, Any]] = {}
        self.stale: set[str] = set()
        self.processes = Processes()

    def changed(self, ids: set[str] | None) -> None:
        """Ask these machines again when they are listed next; all of them for None."""
        if ids is None:
            ids = set(self.details)
        else:
            self.processes.forget(ids)
        self.stale |= ids

    def list_all(self) -> list[dict[str, Any]]:
        self.machines, states = self._everything()
        self.processes.forget(set(self.processes.known) - set(self.machines))
        for gone in set(self.details) - set(self.machines):
            del self.details[gone]
        self.stale &= set(self.details)
        found = []
        for (machine_id, machine), number in zip(self.machines.items(), states):  # noqa: B905 - Python 3.8
            state = self.connection.states.get(int(number), "Unknown")
            try:
                found.append(self.detail(machine_id, machine, state))
            except Unreadable as error:
                found.append(self._inaccessible(machine_id, machine, str(error)))
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

    def list_some(self, ids: list[str]) -> dict[str, list[Any]]:
        """Details of those that could be asked, and the ids of those that are gone; neither for the rest."""
        updated, removed = [], []
        for machine_id in ids:
            self.stale.add(machine_id)
            try:
                machine = self.box.findMachine(machine_id)
                state = self.connection.state_of(machine)
                updated.append(self.detail(machine_id, machine, state))
            except Unreadable:
                continue
            except Lost:
                raise
            except Exception as error:
                if status_of(error) in BROKEN_CONNECTION:
                    raise Lost(words_of(error)) from None
                # Any other error passes: a VM that is just ending cannot be asked for a moment.
                if status_of(error) == OBJECT_NOT_FOUND:
                    removed.append(machine_id)
                elif machine_id in self.details:
                    updated.append(self.details[machine_id])
        return {"updated": updated, "removed": removed}

    def detail(self, machine_id: str, machine: Any, state: str) -> dict[str, Any]:
        """As last read when nothing changed or it cannot be read now. Raises Unreadable when it never was read."""
        known = self.details.get(machine_id)
        if known is not None and known["state"] == state and machine_id not in self.stale:
            return known
        try:
            read = self._read(machine_id, machine, state)
        except Exception as error:
            if status_of(error) in BROKEN_CONNECTION:
                raise Lost(words_of(error)) from None
            if known is None:
                raise Unreadable(words_of(error)) from None
            self.stale.add(machine_id)
            read = dict(known, state=state)
        else:
            self.stale.discard(machine_id)
        self.details[machine_id] = read
        return read

    def _read(self, machine_id: str, machine: Any, state: str) -> dict[str, Any]:
        if not machine.accessible:
            return self._inaccessible(machine_id, machine, machine.accessError.text)
        changed = machine.lastStateChange / 1000.0
        return {
            "id": machine_id,
            "name": machine.name,
            "state": state,
            "os_type": self.connection.os_type(machine.OSTypeId),
            "cpus": machine.CPUCount,
            "memory": machine.memorySize << 20,
            "changed": changed,
            "started": self.processes.started(machine_id, machine),
            "groups": list(machine.getGroups()),
            "description": machine.description,
            "snapshots": machine.snapshotCount,
            "autostart": bool(machine.autostartEnabled),
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

    def usage(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        """Counters of running machines since their processes began: CPU seconds, resident and disk bytes."""
        found = {}
        for machine_id in ids:
            machine = self.machines.get(machine_id)
            if machine is None:
                continue
            try:
                counters = self.processes.counters(machine_id, machine)
            except Exception as error:
                if status_of(error) in BROKEN_CONNECTION:
                    raise Lost(words_of(error)) from None
                continue
            if counters is not None:
                found[machine_id] = counters
        return found


class Processes:
    """The VMs' own processes on this machine, and their load.

    IPerformanceCollector counts the same processes in VBoxSVC every period, reports nothing in driverless mode, and
    setupMetrics on stopped VMs crashed VBoxSVC 7.2.22, which aborts running VMs.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[int, int]] = {}
        self.ticks = os.sysconf("SC_CLK_TCK")
        self.page = os.sysconf("SC_PAGE_SIZE")
        self.boot = self._boot_time()

    @staticmethod
    def _boot_time() -> float | None:
        try:
            with Path("/proc/stat").open() as text:
                return next(float(line.split()[1]) for line in text if line.startswith("btime "))
        except (OSError, StopIteration, ValueError):
            return None

    def forget(self, ids: set[str]) -> None:
        for machine_id in ids:
            self.known.pop(machine_id, None)

    def _process(self, machine_id: str, machine: Any) -> tuple[int, int] | None:
        """(pid, start time in ticks) of a VM's process on this machine, else None."""
        known = self.known.get(machine_id)
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
        self.known[machine_id] = (pid, start)
        return self.known[machine_id]

    @staticmethod
    def _stat(pid: int) -> list[int]:
        """Fields of /proc/<pid>/stat from the fourth on: 10 and 11 CPU ticks, 18 the start, 20 resident pages."""
        with Path(f"/proc/{pid}/stat").open("rb") as text:
            return [int(field) for field in text.read().rpartition(b") ")[2].split()[1:22]]

    def started(self, machine_id: str, machine: Any) -> float | None:
        process = self._process(machine_id, machine)
        if process is None or self.boot is None:
            return None
        return self.boot + process[1] / float(self.ticks)

    def counters(self, machine_id: str, machine: Any) -> dict[str, Any] | None:
        process = self._process(machine_id, machine)
        if process is None:
            return None
        pid, start = process
        try:
            fields = self._stat(pid)
        except (OSError, IndexError):
            fields = None
        if not fields or fields[18] != start:
            self.known.pop(machine_id, None)
            return None
        counters = {
            "process": f"{pid}-{start}",
            "at": time.monotonic(),
            "cpu": (fields[10] + fields[11]) / float(self.ticks),
            "memory": fields[20] * self.page,
        }
        counters.update(self._disk(pid))
        return counters

    @staticmethod
    def _disk(pid: int) -> dict[str, int]:
        # Readable for the same user only, and not where VirtualBox runs its VMs hardened
        try:
            with Path(f"/proc/{pid}/io").open() as text:
                io = dict(line.split(": ") for line in text.read().splitlines())
            return {"read": int(io["read_bytes"]), "written": int(io["write_bytes"])}
        except (OSError, ValueError, KeyError):
            return {}


# Details


def snapshots_of(machine: Any) -> Iterator[tuple[Any, int]]:
    """(snapshot, depth) of the whole tree, parents first."""
    if not machine.snapshotCount:
        return
    waiting = [(machine.findSnapshot(""), 0)]
    while waiting:
        snapshot, depth = waiting.pop()
        yield snapshot, depth
        waiting.extend((child, depth + 1) for child in reversed(list(snapshot.getChildren())))


class Inspector:
    """Everything that VirtualBox says of one machine."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def inspect(self, machine_id: str) -> dict[str, Any]:
        machine = self.connection.find(machine_id)
        if not machine.accessible:
            return {"id": machine_id, "accessible": False, "accessError": machine.accessError.text}
        data = self._plain(machine)
        data["groups"] = list(machine.getGroups())
        data["OSType"] = self.connection.os_type(machine.OSTypeId)
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
        for snapshot, depth in snapshots_of(machine):
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
                value = self.connection.names(enums[name]).get(value, value)
            if isinstance(value, (str, int, float, bool)):
                data[name] = value
        return data


# Disk images


class Media:
    """The hard disk images of one machine, and which of them may go with it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def of(self, machine_id: str) -> list[dict[str, Any]]:
        """Every hard disk image that belongs to a machine: attached now, in its snapshots, and what those stand on."""
        machine = self.connection.find(machine_id)
        if not machine.accessible:
            return []
        disk = self.connection.value("DeviceType_HardDisk")
        owners = [machine] + [snapshot.machine for snapshot, _ in snapshots_of(machine)]
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
            return str(self.connection.box.findMachine(machine_id).name)
        except Exception:
            return machine_id

    def chosen(self, machine_id: str, disks: list[str]) -> dict[str, dict[str, Any]]:
        """What `of` says of these ids or locations, by id. Raises Refused when one of them may not go."""
        media = {medium[key]: medium for medium in self.of(machine_id) for key in ("id", "location")}
        chosen = {}
        for disk in disks:
            medium = media.get(disk)
            if medium is None:
                raise Refused(f"{disk} does not belong to this VM any more")
            if medium["kept"]:
                raise Refused(f"{disk} is {medium['kept']}")
            chosen[medium["id"]] = medium
        for medium in chosen.values():
            if not set(medium["children"]) <= set(chosen):
                raise Refused(f"{medium['location']} is the parent of a disk image that would stay")
        return chosen


def unused(media: list[Any]) -> list[Any]:
    """Those that no machine has attached and on which nothing stands that is not among them as well."""
    free = {medium.id: medium for medium in media if not medium.getMachineIds()}
    while True:
        held = [key for key, medium in free.items() if any(child.id not in free for child in medium.getChildren())]
        if not held:
            return list(free.values())
        for key in held:
            del free[key]


# Actions


class Actions:
    """What is done to one machine."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.patience = 0.0

    def perform(self, action: str, machine_id: str, disks: list[str], *, patience: float, limit: int) -> None:
        """Do it, and return when it is done.

        `patience` is the seconds that a guest has which seems not to handle ACPI. After `limit` seconds this process
        ends, whatever it does: a call that never returns must not keep it for ever.
        """
        signal.alarm(limit)
        self.patience = patience
        machine = self.connection.find(machine_id)
        if action != "delete" and not machine.accessible:
            raise Refused("VirtualBox cannot read its settings")
        try:
            if action == "delete":
                self.do_delete(machine, disks)
            else:
                getattr(self, "do_" + action)(machine)
        except Exception as error:
            raise self.connection.told(error) from None

    def finish(self, progress: Any, seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not progress.completed:
            if time.monotonic() > deadline:
                raise Refused(f"{what} took longer than {seconds:.0f} s and goes on")
            time.sleep(WAIT_PERIOD)
        if progress.resultCode:
            info = progress.errorInfo
            text = info.text if info is not None else ""
            raise Refused(" ".join((text or "").split()) or f"{what} failed (0x{progress.resultCode & 0xFFFFFFFF:08x})")

    def open(self, machine: Any) -> Any:
        # A shared lock on a machine that nobody holds would make this process its owner.
        if int(machine.sessionState) != self.connection.value("SessionState_Locked"):
            raise Refused(f"{machine.name} is not running")
        session = self.connection.manager.get_session()._i
        machine.lockMachine(session, self.connection.value("LockType_Shared"))
        if session.console is None:
            self.release(session)
            raise Refused(f"{machine.name} is not running")
        return session

    def release(self, session: Any) -> None:
        # After the VM's process ended the session is often gone already: 0x8000ffff and others.
        with contextlib.suppress(Exception):
            if int(session.state) == self.connection.value("SessionState_Locked"):
                session.unlockMachine()

    def unlocked(self, machine: Any) -> None:
        """Wait until no other process holds the machine, as just after its VM ended."""
        deadline = time.monotonic() + UNLOCK_TIMEOUT
        while (
            int(machine.sessionState) != self.connection.value("SessionState_Unlocked") and time.monotonic() < deadline
        ):
            time.sleep(WAIT_PERIOD)

    def ended(self, machine: Any, error: BaseException) -> None:
        """An error that only says that the VM's process has ended, as intended, is none. Raises any other."""
        if status_of(error) not in BROKEN_CONNECTION | ENDING:
            raise error
        deadline = time.monotonic() + END_TIMEOUT
        while self.connection.state_of(machine) not in ("PoweredOff", "Saved"):
            if time.monotonic() > deadline or self.connection.state_of(machine) == "Aborted":
                raise error
            time.sleep(WAIT_PERIOD)

    def do_start(self, machine: Any) -> None:
        state = self.connection.state_of(machine)
        if state == "Paused":
            self.do_resume(machine)
            return
        if state in ("Running", "Starting", "Restoring"):
            return
        self.unlocked(machine)
        session = self.connection.manager.get_session()._i
        try:
            # An empty list, not pyvbox's empty text, for the environment changes: 7.x refuses the text.
            progress = machine.launchVMProcess(session, "headless", [])
            self.finish(progress, LAUNCH_TIMEOUT, "the start")
        finally:
            self.release(session)

    def press(self, machine: Any) -> bool:
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
            self.ended(machine, error)
        finally:
            self.release(session)
        return listens

    def off_within(self, machine: Any, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.connection.state_of(machine) not in ("PoweredOff", "Aborted", "Saved"):
            if time.monotonic() > deadline:
                return False
            time.sleep(WAIT_PERIOD)
        return True

    def do_stop(self, machine: Any) -> None:
        if not self.press(machine) and not self.off_within(machine, self.patience):
            raise Refused("the guest ignored the power button: it does not handle ACPI, or is not up yet")

    def do_restart(self, machine: Any) -> None:
        seconds = SHUTDOWN_TIMEOUT if self.press(machine) else self.patience
        if not self.off_within(machine, seconds):
            raise Refused(f"the guest did not shut down within {seconds:.0f} s: power it off or reset it")
        self.do_start(machine)

    def _on_console(self, machine: Any, method: str) -> None:
        session = self.open(machine)
        try:
            getattr(session.console, method)()
        finally:
            self.release(session)

    def do_reset(self, machine: Any) -> None:
        self._on_console(machine, "reset")

    def do_pause(self, machine: Any) -> None:
        self._on_console(machine, "pause")

    def do_resume(self, machine: Any) -> None:
        self._on_console(machine, "resume")

    def do_kill(self, machine: Any) -> None:
        session = self.open(machine)
        try:
            self.finish(session.console.powerDown(), POWER_TIMEOUT, "the power off")
        except Exception as error:
            self.ended(machine, error)
        finally:
            self.release(session)
        self.unlocked(machine)

    def do_save(self, machine: Any) -> None:
        session = self.open(machine)
        try:
            self.finish(session.machine.saveState(), SAVE_TIMEOUT, "saving")
        except Exception as error:
            self.ended(machine, error)
        finally:
            self.release(session)
        self.unlocked(machine)

    def do_delete(self, machine: Any, disks: list[str]) -> None:
        """Unregister, keeping every file; or with exactly these disk images, and the machine's own files, deleted."""
        if not disks:
            machine.unregister(self.connection.value("CleanupMode_UnregisterOnly"))
            return
        self.unlocked(machine)
        chosen = Media(self.connection).chosen(machine.id, disks)
        returned = machine.unregister(self.connection.value("CleanupMode_DetachAllReturnHardDisksOnly"))
        # Between the choice and now another machine may have come to use one.
        doomed = unused([medium for medium in returned if medium.id in chosen])
        missed = set(chosen) - {medium.id for medium in doomed}
        self.finish(machine.deleteConfig(doomed), DELETE_TIMEOUT, "deleting the files")
        if missed:
            kept = sorted(chosen[key]["location"] for key in missed)
            raise Refused("unregistered, but in use elsewhere and kept: " + ", ".join(kept))


# Requests


class Server:
    """Reads requests, writes answers, and polls for events."""

    def __init__(self, requests: int, answers: int) -> None:
        self.requests = requests
        self.answers = answers
        self.buffer = b""
        self.connection: Connection | None = None
        self.events: Events | None = None
        self.machines: Machines | None = None
        self.methods: dict[str, Callable[..., Any]] = {}
        self.next_poll = 0.0

    def run(self) -> int:
        try:
            while True:
                wait = None if self.events is None else max(0.0, self.next_poll - time.monotonic())
                ready, _, _ = select.select([self.requests], [], [], wait)
                if ready and not self.read():
                    return 0
                self.watch()
        except Lost as error:
            self.say({"lost": str(error)})
            return LOST

    def say(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self.answers, data) :]

    def read(self) -> bool:
        """Take what stdin has; False at its end."""
        data = os.read(self.requests, 65536)
        self.buffer += data
        if not data or len(self.buffer) > MAX_LINE:
            return False
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            self.take(json.loads(line.decode()))
        return True

    def take(self, request: dict[str, Any]) -> None:
        number, name = request.pop("id"), request.pop("do")
        try:
            if name == "hello":
                answer = self.hello(**request)
            elif self.connection is None:
                raise Refused("hello comes first", "engine")
            else:
                answer = self.methods[name](**request)
        except Refused as error:
            self.say({"id": number, "error": str(error), "kind": error.kind})
        except Lost:
            raise
        except Exception as error:
            if self.connection is not None and status_of(error) in BROKEN_CONNECTION:
                raise Lost(words_of(error)) from None
            self.say({"id": number, "error": words_of(error), "kind": "engine"})
        else:
            self.say({"id": number, "ok": answer})

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
            connection = Connection(virtualbox)
        except BaseException as error:
            words = words_of(error)
            if status_of(error) is None:
                raise Refused(f"it cannot load VirtualBox's native library ({words})", "binding") from None
            raise Refused(words, "engine") from None
        machines = Machines(connection)
        if listen:
            self.events, self.machines = Events(connection), machines
            self.events.listen()
        self.methods = {
            "list_all": machines.list_all,
            "list_some": machines.list_some,
            "usage": machines.usage,
            "inspect": Inspector(connection).inspect,
            "media": Media(connection).of,
            "perform": Actions(connection).perform,
        }
        for fed in globals().get("FED", ()):
            self.methods.update(sys.modules[fed].methods(connection))
        answer = connection.hello()
        self.connection = connection
        return answer

    def watch(self) -> None:
        now = time.monotonic()
        if self.events is None or self.machines is None or now < self.next_poll:
            return
        self.next_poll = now + EVENT_PERIOD
        changed = self.events.poll()
        if changed is None or changed:
            self.machines.changed(changed)
            self.say({"event": sorted(changed or ())})

    def close(self) -> None:
        if self.events is not None:
            with contextlib.suppress(Exception):
                self.events.unlisten()


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
