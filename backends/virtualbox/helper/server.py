"""Reads requests, answers them, and tells of events."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any

from backends.virtualbox.helper.actions import Actions
from backends.virtualbox.helper.clones import methods as clones_methods
from backends.virtualbox.helper.connection import Connection, load_pyvbox
from backends.virtualbox.helper.events import Events
from backends.virtualbox.helper.faults import BROKEN_CONNECTION, LOST, Lost, Refused, status_of, words_of
from backends.virtualbox.helper.hosting import methods as hosting_methods
from backends.virtualbox.helper.inspection import Inspector
from backends.virtualbox.helper.machines import Machines
from backends.virtualbox.helper.media import Media
from backends.virtualbox.helper.screen import methods as screen_methods
from backends.virtualbox.helper.snapshots import methods as snapshots_methods

EVENT_PERIOD = 0.1
MAX_LINE = 1 << 20


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
        for more in (clones_methods, hosting_methods, screen_methods, snapshots_methods):
            self.methods.update(more(connection))
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
