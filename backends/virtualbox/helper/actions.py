"""What is done to a machine."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import Any

from backends.virtualbox.helper.connection import Connection
from backends.virtualbox.helper.faults import BROKEN_CONNECTION, Refused, status_of
from backends.virtualbox.helper.media import Media, unused

WAIT_PERIOD = 0.05
LAUNCH_TIMEOUT = 120.0
POWER_TIMEOUT = 120.0
SAVE_TIMEOUT = 1800.0
DELETE_TIMEOUT = 600.0
SHUTDOWN_TIMEOUT = 60.0
UNLOCK_TIMEOUT = 15.0
END_TIMEOUT = 5.0
# What a VM's console answers while the VM ends
ENDING = {
    0x80070005,  # E_ACCESSDENIED: the object is not ready
    0x80BB0002,  # VBOX_E_INVALID_VM_STATE
    0x8000FFFF,  # E_UNEXPECTED
}


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
            raise Refused("the guest ignored the power button: it does not handle ACPI, or is not up yet; power it off")

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
