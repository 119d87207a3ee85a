"""Commands of the user's own: which objects, the question, then the program in a pane or on the terminal."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from backends.abilities import ability_name
from backends.abilities.environment import Environment
from backends.base import ActionError
from backends.model import Item
from backends.programs import run_program
from backends.progress import Report
from backends.text import clean
from tui.commands import Command, refusal_here
from tui.custom.declared import CustomCommand
from tui.custom.placeholders import Unfit, fill
from tui.handlers.area import Area
from tui.output_view import OutputView
from tui.selection import name_of
from tui.tasks import Task
from tui.terminal.foreground import in_foreground
from tui.terminal.outcome import How, Outcome, ending
from tui.terminal.program import run_on_terminal
from widgets.confirm import Choice, Confirm
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_PLAIN = {"TERM": "dumb", "NO_COLOR": "1"}
"""What a pane can show: lines of text."""
_RUN, _CANCEL = "run", "cancel"


class Custom(Area):
    divides = True

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(app)
        self._own = {own.id: own for own in app.options.commands}

    def method_of(self, command: Command) -> Callable[..., Any]:
        return partial(self._run, command, self._own[command.id])

    async def _run(self, command: Command, own: CustomCommand, items: Sequence[Item]) -> None:
        able, skipped = self._divide(command, items)
        if own.confirm:
            choices = (Choice(_CANCEL, "Cancel"), Choice(_RUN, "Run", tone="warn"))
            lines = self._about(own, able, skipped)
            title = f"Run {own.name} on {name_of(able[0]) if len(able) == 1 else f'{len(able)} objects'}?"
            answer = await self.ask(Confirm(title, lines, choices=choices, safe=_CANCEL, glyphs=self.glyphs))
            if answer is None or answer.choice != _RUN:
                return
            # what was named in the question may be another by now
            now = [fresh for item in able if (fresh := self.app.store.get(item.ref)) is not None]
            changed = [item for item in able if self._line(own, item) not in {self._line(own, fresh) for fresh in now}]
            able, skipped = self._divide(command, [item for item in now if item not in changed])
            if not able:
                self.main.say(f"{own.name}: nothing was run: what it was for has changed meanwhile.", "warn")
                return
        if own.output == "terminal":
            await self._on_terminal(own, able[0])
        else:
            await self._in_pane(own, able)

    def _divide(self, command: Command, items: Sequence[Item]) -> tuple[list[Item], list[tuple[Item, str]]]:
        """Those it can be run on, and the others with the reason."""
        rights = self.app.store.rights
        reasons = [(item, refusal_here(command, item, rights)) for item in items]
        able = [item for item, reason in reasons if reason is None]
        return able, [(item, reason) for item, reason in reasons if reason is not None]

    def _about(
        self, own: CustomCommand, able: Sequence[Item], skipped: Sequence[tuple[Item, str]]
    ) -> list[tuple[str, Tone]]:
        lines: list[tuple[str, Tone]] = [(self._line(own, item), "") for item in able]
        lines += [(f"not on {name_of(item)}: {reason}", "dim") for item, reason in skipped]
        if not own.changes:
            return lines
        return [*lines, ("", ""), ("What it does is its own affair: boxtop cannot undo it.", "warn")]

    def _line(self, own: CustomCommand, item: Item) -> str:
        return clean(shlex.join(self._arguments(own, item)))

    def _arguments(self, own: CustomCommand, item: Item) -> list[str]:
        engine = self.app.store.engines.get(item.ref.engine)
        url = (engine.info.url if engine.info else engine.url) if engine else ""
        try:
            return fill(own.command, item, url)
        except Unfit as error:
            raise ActionError(str(error)) from error

    def _environment(self, item: Item) -> Mapping[str, str]:
        """boxtop's own variables, leading tools to the object's engine where it has such."""
        engine = self.app.store.engines.get(item.ref.engine)
        if engine and engine.info and ability_name(Environment) in engine.info.abilities:
            return self.able(item.ref.engine, Environment).leading(os.environ)
        return os.environ

    def _simulated(self, item: Item) -> bool:
        """Whether a real program would take a simulated object for a real one of the same name."""
        engine = self.app.store.engines.get(item.ref.engine)
        return engine is not None and engine.url.startswith("demo:")

    async def _in_pane(self, own: CustomCommand, items: Sequence[Item]) -> None:
        tasks = [self._start(own, item) for item in items]
        await self.main.show_view("output")
        view = self.main.views["output"]
        if isinstance(view, OutputView):
            view.watch_task(tasks[0])

    def _start(self, own: CustomCommand, item: Item) -> Task:
        arguments, environment = self._arguments(own, item), self._environment(item)
        simulated = self._simulated(item)

        async def work(report: Report) -> str:
            report.line(f"$ {clean(shlex.join(arguments))}")
            if simulated:
                report.line("This object is simulated: nothing was run.")
                return "nothing was run: the object is simulated"
            try:
                async with asyncio.timeout(own.timeout or None):
                    status = await run_program(arguments, {**environment, **_PLAIN}, report.line)
            except TimeoutError:
                raise ActionError(f"ended by boxtop: it took more than {own.timeout:g} s") from None
            said = ending(Outcome(How.FAR_END, status))
            if status:
                raise ActionError(said)
            return said

        return self.app.tasks.start(own.name, name_of(item), item.ref.engine, work, ref=item.ref, asked=own.confirm)

    async def _on_terminal(self, own: CustomCommand, item: Item) -> None:
        arguments, environment = self._arguments(own, item), self._environment(item)
        name = f"{own.name} {name_of(item)}"
        if self._simulated(item):
            self.main.say(f"{name}: nothing was run: the object is simulated.")
            return

        async def session() -> None:
            try:
                outcome = in_foreground(
                    self.app,
                    lambda: run_on_terminal(
                        arguments, environment, f"boxtop: {clean(shlex.join(arguments))}", own.timeout
                    ),
                )
            except OSError as error:
                raise ActionError(f"{clean(arguments[0], 200)} cannot be started: {error.strerror or error}") from error
            if outcome.status or outcome.how is not How.FAR_END:
                raise ActionError(ending(outcome))

        reason = await self.app.noted(own.name, item, session())
        self.app.session.refresh_engine(item.ref.engine)
        if reason:
            self.main.warnings.of(item.ref, f"{name}: {reason}")
        else:
            self.main.say(f"{name} ended.")
