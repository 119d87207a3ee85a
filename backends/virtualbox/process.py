"""Owns one helper process: starts it, asks it, hands its events on, ends it.

Requests and answers are the lines described in `helper`. Nothing here restarts: once it is over, it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from backends.text import clean

EXIT_PERIOD = 0.01
LINE_LIMIT = 16 * 1024 * 1024
EVENT_LIMIT = 1000
END_TIMEOUT = 0.4
KILL_TIMEOUT = 0.2
CLOSED = "the connection was closed"
_MODULES = (
    "faults",
    "connection",
    "events",
    "processes",
    "snapshots",
    "machines",
    "inspection",
    "media",
    "actions",
    "hosting",
    "screen",
    "clones",
    "server",
)
"""Of the package `helper`, each after those it imports."""
# Reads the program from stdin, byte by byte counted, so that the rest of stdin is left to it. Short in `ps`.
_BOOTSTRAP = (
    "import os\ns=b''\nwhile len(s)<{size}:\n p=os.read(0,{size}-len(s))\n if not p: break\n s+=p\n"
    "exec(compile(s,'boxtop-virtualbox-helper','exec'))"
)


class HelperGone(Exception):
    """The helper ended or never came up; the text says why in one clean line."""


class HelperRefused(Exception):
    """The helper answered with an error; `kind` is the helper's word for whose fault it is."""

    def __init__(self, words: str, kind: str) -> None:
        super().__init__(words)
        self.kind = kind


class HelperProcess:
    """One helper in one interpreter. All methods run on the event loop."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], source: Callable[[], bytes] | None = None
    ) -> None:
        """`source`: another program that keeps to the helper's lines."""
        self.command = tuple(command)
        self._source = source or program
        self._environment = dict(environment)
        # Not asyncio's own kind of process, which is killed with its loop
        self._process: Popen[bytes] | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._reader: asyncio.Task[None] | None = None
        self.spared = False
        """Whether `end` leaves it alone: it holds something, and ends by itself when that is done."""
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._gone = ""
        self._events: asyncio.Queue[tuple[str, ...] | None] = asyncio.Queue(EVENT_LIMIT)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def gone(self) -> str:
        """Why the helper is no longer there; empty while it is."""
        return self._gone

    async def start(self) -> None:
        """Start the interpreter and send it the helper. Raises HelperGone when it cannot be started."""
        source = self._source()
        try:
            process = self._process = self._spawn(len(source))
        except (OSError, ValueError) as error:
            self._gone = clean(str(error))
            raise HelperGone(self._gone) from None
        loop = asyncio.get_running_loop()
        answers = asyncio.StreamReader(LINE_LIMIT)
        stdout, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), process.stdout)
        self._reader = asyncio.create_task(self._read(process, answers, stdout), name="virtualbox helper")
        self._stdin, _ = await loop.connect_write_pipe(asyncio.Protocol, process.stdin)
        self._stdin.write(source)

    def _spawn(self, size: int) -> Popen[bytes]:
        return Popen(
            [*self.command, "-c", _BOOTSTRAP.format(size=size)],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            # No module is to be found in the folder boxtop was started in.
            cwd="/",
            env=os.environ | self._environment,
            # A Ctrl-C at the terminal must not reach a VBoxSVC that VirtualBox starts below the helper.
            start_new_session=True,
        )

    async def ask(self, name: str, seconds: float, **arguments: Any) -> Any:
        """The answer to one request, texts as the engine gave them.

        Raises HelperRefused, HelperGone, or TimeoutError; an answer after that is dropped.
        """
        if self._gone or self._stdin is None:
            raise HelperGone(self._gone or "it was not started")
        self._number += 1
        number = self._number
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._stdin.write(json.dumps({"id": number, "do": name, **arguments}).encode() + b"\n")
            return await asyncio.wait_for(future, seconds)
        finally:
            self._waiting.pop(number, None)

    async def next_event(self) -> tuple[str, ...]:
        """Ids of machines that changed, waiting for it; empty: anything may have. Raises HelperGone at the end."""
        if self._gone and self._events.empty():
            raise HelperGone(self._gone)
        event = await self._events.get()
        if event is None:
            raise HelperGone(self._gone)
        return event

    async def end(self) -> None:
        """Let the helper release what it holds and end, within 0.6 s; kill it when it does not, also when cancelled."""
        self._over(CLOSED)
        if self._stdin is not None:
            self._stdin.close()
        reader = self._reader
        try:
            if reader is not None:
                await asyncio.wait({reader}, timeout=END_TIMEOUT)
                if not reader.done() and not self.spared:
                    self._kill()
                    await asyncio.wait({reader}, timeout=KILL_TIMEOUT)
        finally:
            if not self.spared and (reader is None or not reader.done()):
                self._kill()

    def _kill(self) -> None:
        # Only the helper itself: a VBoxSVC it started lives in the same group.
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()

    async def _read(self, process: Popen[bytes], answers: asyncio.StreamReader, stdout: asyncio.BaseTransport) -> None:
        try:
            while line := await answers.readline():
                message = json.loads(line)
                if "event" in message:
                    self._announce(tuple(map(str, message["event"])))
                elif "lost" in message:
                    self._over(clean(f"VirtualBox's service VBoxSVC is gone: {message['lost']}"))
                else:
                    self._answer(message)
        except (ValueError, TypeError, KeyError, OSError) as error:
            self._over(clean(f"its answer cannot be read: {error}"))
        finally:
            stdout.close()
        while (status := process.poll()) is None:  # noqa: ASYNC110 - a process is no event
            await asyncio.sleep(EXIT_PERIOD)
        self._over(f"it was ended by signal {-status}" if status < 0 else f"it ended with status {status}")

    def tell_changed(self, ids: tuple[str, ...]) -> None:
        """As if VirtualBox had told that these machines changed."""
        if not self._gone:
            self._announce(ids)

    def _announce(self, ids: tuple[str, ...]) -> None:
        while self._events.qsize() > EVENT_LIMIT - 2:
            self._events.get_nowait()
            ids = ()
        self._events.put_nowait(ids)

    def _answer(self, message: dict[str, Any]) -> None:
        future = self._waiting.pop(int(message["id"]), None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(HelperRefused(clean(str(message["error"])), str(message.get("kind", ""))))
        else:
            future.set_result(message["ok"])

    def _over(self, why: str) -> None:
        if self._gone:
            return
        self._gone = why
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(HelperGone(why))
        self._waiting.clear()
        with contextlib.suppress(asyncio.QueueFull):
            self._events.put_nowait(None)


def program() -> bytes:
    """The helper's modules as one text; they find each other in `sys.modules`, as boxtop is not installed there."""
    package = "backends.virtualbox.helper"
    folder = files(package)
    lines = ["import sys, types"]
    lines += [f"sys.modules[{name!r}] = types.ModuleType({name!r})" for name in _packages(package)]
    for module in _MODULES:
        name, text = f"{package}.{module}", folder.joinpath(f"{module}.py").read_text("utf-8")
        lines.append(f"sys.modules[{name!r}] = types.ModuleType({name!r})")
        lines.append(f"exec(compile({text!r}, {name!r}, 'exec'), sys.modules[{name!r}].__dict__)")
    lines.append(f"sys.modules['{package}.server'].main()")
    return "\n".join(lines).encode()


def _packages(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
