"""What VBoxSVC tells unasked, read by a passive listener."""

from __future__ import annotations

import time
from typing import Any

from backends.virtualbox.helper.connection import Connection
from backends.virtualbox.helper.faults import BROKEN_CONNECTION, Lost, status_of, words_of

REGISTER_PERIOD = 5.0
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
