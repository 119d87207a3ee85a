"""Sent by itself to the interpreter that can load VirtualBox's binding: what went through the adapters of running VMs.

Python 3.8, the standard library and vboxapi alone: pyvbox would take 10 MB more. Requests and answers are lines as of
`helper`; the one request is "moved". A VM's own process is asked, which may hang: this process may be killed at any
moment. The end of stdin ends it. API: VirtualBox 7.2.

Each VM's shared session is kept as long as it runs, as VirtualBox's own activity overview keeps it. With one opened
and closed for each question while VMs ended, VBoxSVC 7.2.22 crashed twice; with kept ones it did not.
"""

from __future__ import annotations

import json
import os
import re
import signal
from typing import Any

LIMIT = 15
PATTERN = "/Public/NetAdapter/*"
COUNTER = re.compile(r'<Counter c="(\d+)"[^>]* name="/Public/NetAdapter/\d+/Bytes(Received|Transmitted)"')


class Traffic:
    def __init__(self) -> None:
        import vboxapi

        self.manager = vboxapi.VirtualBoxManager(None, None)
        self.box = self.manager.getVirtualBox()
        self.constants = self.manager.constants
        self.sessions: dict[str, Any] = {}

    def moved(self, machine_id: str, keep: list[str]) -> dict[str, Any]:
        """Bytes received and sent since the VM's start, and by how many adapters; nothing when it does not run.

        Sessions are kept of `keep` alone.
        """
        for other in set(self.sessions) - set(keep):
            self.release(other)
        machine = self.box.findMachine(machine_id)
        running = int(machine.state) == self.constants.MachineState_Running
        if not running or int(machine.sessionState) != self.constants.SessionState_Locked:
            self.release(machine_id)
            return {}
        try:
            if machine_id not in self.sessions:
                session = self.manager.getSessionObject(self.box)
                machine.lockMachine(session, self.constants.LockType_Shared)
                self.sessions[machine_id] = session
            text = self.sessions[machine_id].console.debugger.getStats(PATTERN, False)
        except Exception:
            self.release(machine_id)
            raise
        moved = {"Received": 0, "Transmitted": 0}
        counters = COUNTER.findall(text)
        for figure, way in counters:
            moved[way] += int(figure)
        return {"adapters": len(counters) // 2, "received": moved["Received"], "sent": moved["Transmitted"]}

    def release(self, machine_id: str) -> None:
        session = self.sessions.pop(machine_id, None)
        try:
            if session is not None and int(session.state) == self.constants.SessionState_Locked:
                session.unlockMachine()
        except Exception:
            return  # it went with its VM

    def release_all(self) -> None:
        for machine_id in list(self.sessions):
            self.release(machine_id)


def serve(requests: Any, answers: Any) -> None:
    traffic = None
    for line in requests:
        request = json.loads(line)
        answer = {"id": request["id"]}
        # Without boxtop nobody else would end a process that a VM keeps waiting, and VMs wait for those with a session.
        signal.alarm(LIMIT)
        try:
            traffic = traffic or Traffic()
            answer["ok"] = traffic.moved(request["machine_id"], request["keep"])
        except Exception as error:
            answer["error"] = " ".join(str(getattr(error, "msg", "") or error).split())
        signal.alarm(0)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    if traffic is not None:
        traffic.release_all()


def main() -> None:
    requests, answers = os.fdopen(os.dup(0), "r", buffering=1), os.fdopen(os.dup(1), "w")
    # VirtualBox's native library prints to stdout.
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    try:
        serve(requests, answers)
    except OSError:
        os._exit(1)
    # The binding's own clean-up at exit can crash or hang when VBoxSVC is gone.
    os._exit(0)


if __name__ == "__main__":
    main()
