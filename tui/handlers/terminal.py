"""Shells and attached processes on the real terminal."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backends.abilities.shell import Attach, Attachable, Shell, Size
from backends.base import ActionError, EngineError
from backends.console import Console
from backends.detach_keys import read_detach_keys
from backends.model import Item
from tui.commands import BY_ID
from tui.handlers.area import Area, titled
from tui.selection import name_of
from tui.terminal.foreground import in_foreground
from tui.terminal.keys import DETACH, THRICE, Leave
from tui.terminal.outcome import How, Outcome
from tui.terminal.pump import show_console
from widgets.confirm import Choice, Confirm
from widgets.tones import Tone

if TYPE_CHECKING:
    from widgets.form import Values

_STATUS_WAIT = 2.0
_NOT_STARTED = (126, 127)
"""Exit statuses of a command that cannot be run, and of one that is not there."""


class Terminal(Area):
    async def shell(self, items: Sequence[Item]) -> None:
        item = items[0]
        shell = self.able(item.ref.engine, Shell)

        async def opening() -> tuple[Console, str]:
            found = await shell.find(item.ref)
            if not found:
                raise ActionError(self._no_shell(item))
            return await shell.open(item.ref, [found[0]], _size()), found[0]

        await self._shell(item, opening())

    async def shell_as(self, items: Sequence[Item]) -> None:
        from widgets.form import ChoiceField, Form, TextField

        item = items[0]
        shell = self.able(item.ref.engine, Shell)
        found = await self.wait_for(shell.find(item.ref), f"Looking for shells in {name_of(item)} ...")
        if found is None:
            return
        options = (*((path, path) for path in found), ("", "another command"))
        fields = (
            ChoiceField("shell", "Shell", options, found[0] if found else ""),
            TextField("command", "Or command", placeholder="instead of a shell: python3 -q"),
            TextField("user", "User", placeholder="the container's own; name, uid or user:group"),
        )

        info = self.app.store.engines[item.ref.engine].info
        program = "podman" if info and info.product == "podman" else "docker"

        def line(values: Values) -> str:
            command, user = _chosen(values)
            return shlex.join([program, "exec", "-it", *(["--user", user] if user else []), name_of(item), *command])

        values = await self.ask(
            Form(
                f"Shell in {name_of(item)}",
                fields,
                submit="Open",
                check=_wrong_in,
                preview=lambda values: "" if _wrong_in(values) else line(values),
                glyphs=self.glyphs,
            )
        )
        if values is None:
            return
        command, user = _chosen(values)

        async def opening() -> tuple[Console, str]:
            return await shell.open(item.ref, command, _size(), user=user), shlex.join(command)

        await self._shell(item, opening())

    def _no_shell(self, item: Item) -> str:
        key = self.app.keymap.first(BY_ID["terminal.shell_as"]) or "the menu"
        return f"{name_of(item)} holds no bash, ash or sh; {key} runs another command in it"

    async def _shell(self, item: Item, opening: Coroutine[Any, Any, tuple[Console, str]]) -> None:
        opened = await self.wait_for(opening, f"Opening a shell in {name_of(item)} ...")
        if opened is None:
            return
        console, command = opened
        leave = await self._leave(THRICE)
        banner = f"boxtop: {command} in {name_of(item)} on {item.ref.engine}; exit or Ctrl-D returns"

        async def session() -> None:
            outcome = await self._session(console, f"{banner}, {leave.text} when it hangs.", leave)
            self._tell_shell(item, *outcome)

        await self.app.noted("shell", item, session())

    def _tell_shell(self, item: Item, outcome: Outcome, status: int | None) -> None:
        name = name_of(item)
        if outcome.how is How.LEFT:
            self.main.say(f"The shell in {name} was left; what was started in it may still run.", "warn")
        elif outcome.how is How.LOST:
            self.main.warnings.of(item.ref, f"shell in {name}: the connection broke: {outcome.error}")
        elif status in _NOT_STARTED and outcome.last_line and not outcome.typed:
            self.main.warnings.of(item.ref, f"shell in {name}: exit status {status}: {_told(outcome)}")
        elif status is None:
            self.main.say(f"The shell in {name} ended: its container or the engine may have ended.", "warn")
        else:
            self.main.say(f"The shell in {name} ended with exit status {status}.", "warn" if status else "info")

    async def attach(self, items: Sequence[Item]) -> None:
        item = items[0]
        attach = self.able(item.ref.engine, Attach)
        wiring = await attach.wiring(item.ref)
        leave = await self._leave(DETACH)
        choices = (Choice("attach", "Attach"), Choice("cancel", "Cancel"))
        dialog = Confirm(
            f"Attach to {name_of(item)}", _about(wiring, leave), choices=choices, safe="attach", glyphs=self.glyphs
        )
        answer = await self.ask(dialog)
        if answer is None or answer.choice != "attach":
            return
        console = await self.wait_for(attach.attach(item.ref, _size()), f"Attaching to {name_of(item)} ...")
        if console is not None:
            await self.app.noted("attach", item, self._attached(item, wiring, console, leave))

    async def _leave(self, usual: Leave) -> Leave:
        """The keys that leave: those of the docker CLI's config, else the usual ones."""
        found = await asyncio.to_thread(read_detach_keys)
        if found.wrong:
            self.main.say(f"{usual.text} leaves: {found.wrong}.", "warn")
        return Leave(found.keys, found.text) if found.keys else usual

    async def _attached(self, item: Item, wiring: Attachable, console: Console, leave: Leave) -> None:
        banner = f"boxtop: attached to {name_of(item)} on {item.ref.engine}; {_way_out(wiring, leave)}."
        outcome, status = await self._session(console, banner, leave)
        name = name_of(item)
        if outcome.how is How.LEFT:
            self.main.say(f"Detached from {name}.")
        elif outcome.how is How.LOST:
            self.main.warnings.of(item.ref, f"attach {name}: the connection broke: {outcome.error}")
        elif status is None:
            self.main.say(f"Detached from {name}: the connection was closed.", "warn")
        else:
            self.main.say(f"{name} ended with exit status {status}.", "warn" if status else "info")

    async def _session(self, console: Console, banner: str, leave: Leave) -> tuple[Outcome, int | None]:
        """Give the terminal away; how that ended, and the exit status where there is one."""
        status = None
        try:
            outcome = in_foreground(self.app, lambda: show_console(console, banner, leave))
            if outcome.how is How.FAR_END:
                with suppress(ActionError, EngineError, TimeoutError):
                    async with asyncio.timeout(_STATUS_WAIT):
                        status = await console.exit_status()
        finally:
            await asyncio.to_thread(console.close)
        return outcome, status


def _told(outcome: Outcome) -> str:
    """What an engine said of a command it could not run, without the names of those who passed it on."""
    line = outcome.last_line
    return line[max(0, line.find('exec: "')) :]


def _chosen(values: Values) -> tuple[list[str], str]:
    """The command and the user of the form."""
    command = str(values["command"])
    return (shlex.split(command) if command else [str(values["shell"])]), str(values["user"])


def _wrong_in(values: Values) -> Mapping[str, str]:
    command = str(values["command"])
    try:
        shlex.split(command)
    except ValueError as error:
        return {"command": f"{error}".lower()}
    if not command and not values["shell"]:
        return {"command": "name the command to run"}
    return {}


def _size() -> Size:
    with suppress(OSError):
        return Size(*os.get_terminal_size(0))
    return Size(80, 24)


def _about(wiring: Attachable, leave: Leave) -> list[tuple[str, Tone]]:
    """What attaching means here, and the keys that lead back."""
    lines: list[tuple[str, Tone]] = [(f"{titled(_way_out(wiring, leave))}.", "strong"), ("", "")]
    if wiring.terminal and wiring.takes_input:
        lines.append(("All other keys go to the container's own process, Ctrl-C too, which may end it.", "warn"))
    elif wiring.takes_input:
        lines.append(("It has no terminal: what you type goes to it line by line; Ctrl-D ends its input.", ""))
        if wiring.input_ends:
            lines.append(("It was made to lose its input when somebody leaves, which may end it.", "warn"))
    else:
        lines.append(("It takes no input: its output is shown as it comes.", ""))
    return lines


def _way_out(wiring: Attachable, leave: Leave) -> str:
    if wiring.terminal and wiring.takes_input:
        return f"{leave.text} leaves it running"
    if wiring.takes_input:
        return f"{leave.text} or Ctrl-C leaves"
    return "q or Ctrl-C leaves it running"
