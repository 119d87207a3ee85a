"""The list of machines, read again only where something changed, and their load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backends.virtualbox.helper.connection import Connection
from backends.virtualbox.helper.faults import BROKEN_CONNECTION, OBJECT_NOT_FOUND, Lost, Unreadable, status_of, words_of
from backends.virtualbox.helper.processes import Processes


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
