"""The Textual app: joins the session, the store, the commands and the main screen."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import termios
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.widgets import Input

from backends.base import ActionError, Backend, EngineError
from backends.model import Action, Item, Ref
from backends.text import clean
from tui import journal, logs
from tui.acting import Acting
from tui.bulk import Bulk
from tui.commands import BY_ID, Scope
from tui.commands.screen import STOP_TYPING
from tui.confirmations import Confirmation
from tui.custom.join import commands_of
from tui.driver import TerminalDriver
from tui.handlers import Handlers
from tui.handlers.area import reason_of
from tui.keymap import Keymap
from tui.options import Options
from tui.rows.fields import Look
from tui.rows.marks import ASCII as ASCII_MARKS
from tui.rows.marks import UNICODE as UNICODE_MARKS
from tui.runner import Runner
from tui.screens.main import MainScreen
from tui.selection import name_of, word_of
from tui.session import Session
from tui.status import no_engine
from tui.store import Delta, Store
from tui.task_news import TaskNews
from tui.tasks import HURRIED, Tasks
from widgets.confirm import Answer
from widgets.dialog import Dialog
from widgets.exact import ExactUpdates
from widgets.glyphs import ASCII, BLOCK, BRAILLE
from widgets.line_input import again
from widgets.picker import Picker, PickItem
from widgets.prompt import Prompt

log = logging.getLogger(__name__)

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_TERMINAL_LOOKED_AT = 0.5
"""Seconds between two looks whether the terminal is still there."""
_SAYS_AFTER = 0.4
"""Seconds after its end until boxtop says what it is still undoing."""


class BoxtopApp(ExactUpdates, App[int]):
    """Holds the parts together; each of them does its own work."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "boxtop"

    def __init__(
        self, options: Options, *, journal_file: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` gives Unix time, for what is shown and for the demo's figures."""
        super().__init__(driver_class=TerminalDriver)
        self._clock = clock
        self.options = options
        self.keymap = Keymap(options.keys, commands_of(options.commands))
        self.store = Store()
        self.journal_file = journal_file or journal.default_file()
        self.session = Session(self.store, options, self._refs_on_screen, clock)
        self._glyphs = ASCII if options.ascii else BLOCK if _console() else BRAILLE
        self._marks = ASCII_MARKS if options.ascii or _console() else UNICODE_MARKS
        self.main = MainScreen(self.look, self.keymap, options.interval, demo=options.demo, group=options.group)
        self.store.listen(self._store_changed)
        self._handlers = Handlers(self)
        self.leaving = False
        self.animation_level = "none"
        self.ascii_only = options.ascii
        self.theme = options.theme

    def look(self) -> Look:
        return Look(self.store, self._clock(), self._marks, self._glyphs)

    async def on_mount(self) -> None:
        self.bulk = Bulk(self.main.show_standing)
        self.runner = Runner(
            self.store,
            self._backend,
            self._failed,
            self._ignored_shutdown,
            self.journal_file,
            noted=self._noted,
            bulk=self.bulk,
        )
        self.tasks = Tasks(self.journal_file, noted=self._noted, clock=self._clock)
        self.task_news = TaskNews(self)
        self.acting = Acting(self.store, self.runner, self._backend, self._ask, self.main.say)
        if self.options.keys:
            from tui.widget_keys import textual_keymap

            self.set_keymap(textual_keymap(self.options.keys))
        for key, commands in self.keymap.all_keys().items():
            # one argument: Textual hands an action with a variable number of them only the first
            ids = repr(" ".join(command.id for command in commands))
            # make_bindings knows that * is called asterisk; bind alone does not
            for binding in Binding.make_bindings([Binding(key, f"command({ids})", commands[0].label)]):
                self.bind(binding.key, binding.action, description=binding.description, show=False)
        for number in _ENDING:
            asyncio.get_running_loop().add_signal_handler(number, self._told_to_end, number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        if not self.is_headless:
            self.set_interval(_TERMINAL_LOOKED_AT, self._look_at_terminal)
        # engines answer from their own threads while the screen is made
        self.session.start()
        await self.push_screen(self.main)

    async def on_unmount(self) -> None:
        ending = asyncio.gather(self.runner.close(), self.tasks.close())
        await asyncio.wait([ending], timeout=_SAYS_AFTER)
        if not ending.done() and isinstance(self._driver, TerminalDriver):
            # the terminal is the shell's again
            begun = ", ".join(task.title for task in self.tasks.under_way)
            self._driver.write(f"boxtop: ending, as soon as this is taken back: {begun}\r\n")
        await ending
        await self.session.close()

    async def action_command(self, command_ids: str) -> None:
        """Run a command by its id, from a key or a click; of several that share a key, the one that belongs here.

        Their ids are set apart by blanks.
        """
        self.main.touched()
        if self.screen is not self.main and command_ids != "app.quit":
            return
        if self.main.takes_keys and STOP_TYPING not in command_ids.split():
            return
        commands = [self.keymap.by_id[command_id] for command_id in command_ids.split()]
        here = self.main.places
        commands.sort(key=lambda command: not command.where)
        chosen = next((command for command in commands if not command.places.isdisjoint(here)), None)
        if chosen is not None:
            await self._handlers.run(chosen)
        elif of_rows := [command for command in commands if command.scope is Scope.ITEM]:
            await self._handlers.run(of_rows[0])  # which says what to choose first

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a view takes every key, none is a command's: neither ours nor those that Textual binds by priority."""
        if self.main.is_attached and self.screen is self.main and self.main.takes_keys:
            return False
        return super().check_action(action, parameters)

    def leave(self) -> None:
        """Quit once the tasks under way have taken back what they began; at once when asked again meanwhile."""
        waits = self.tasks.under_way and not self.leaving
        if self.leaving:
            self.tasks.patience = HURRIED
        self.leaving = True
        if not waits:
            self.exit(0)
            return
        for task in self.tasks.under_way:
            self.tasks.cancel(task)
        self.tasks.listen_ends(lambda _: None if self.tasks.under_way else self.exit(0))
        key = self.keymap.first(BY_ID["app.quit"]) or "To quit again"
        self.main.say(f"Taking back what tasks have begun, then boxtop quits: {key} quits at once.", "warn")

    async def run_command(self, command_id: str, items: Sequence[Item]) -> None:
        """Do what a command does, to these objects."""
        await self._handlers.run(self.keymap.by_id[command_id], items)

    def pick_command(self, title: str, entries: Sequence[PickItem], items: Sequence[Item]) -> None:
        """Offer commands for these objects: it is done to them, whatever is selected by then."""

        async def run(chosen: str | None) -> None:
            if chosen:
                await self._handlers.run(self.keymap.by_id[chosen], items)

        self.push_screen(Picker(title, entries, glyphs=self._glyphs), run)

    async def noted(self, verb: str, item: Item, work: Awaitable[object]) -> str | None:
        """Wait for what is done to an object and write it to the journal: the reason of a failure, or None."""
        began = time.time()
        reason: str | None = None
        try:
            await work
        except (ActionError, EngineError) as error:
            reason = reason_of(error)
        took = round(time.time() - began, 3)
        ref = item.ref
        entry = journal.Entry(began, ref.engine, str(ref.kind), name_of(item), ref.id, verb, reason or "done", took)
        try:
            await asyncio.to_thread(journal.append, self.journal_file, entry)
        except OSError as error:
            log.error("the journal cannot be written: %s", error)
        self._noted()
        return reason

    async def on_key(self, event: events.Key) -> None:
        """What was on its way to a list when a dialog or a text field took the keyboard is theirs: no command."""
        if isinstance(self.screen, Dialog):
            if self.screen.hold(event):
                event.prevent_default()
                return
            if self.screen.is_late(event):
                event.prevent_default()
                await self.on_event(again(event))
                return
        if isinstance(self.focused, Prompt):
            if self.focused.take(event):
                event.prevent_default()
            return
        if isinstance(self.focused, Input) and event.is_printable and event.character:
            event.prevent_default()
            self.focused.insert_text_at_cursor(event.character)

    async def browse_host(
        self, title: str, start: str = "", *, kind: Literal["file", "folder", "any", "save"] = "file"
    ) -> str | None:
        """A path of this machine that the user chooses; None on Esc. Only in a task of its own."""
        from tui.host_files import browse_host

        return await browse_host(self, title, start, kind=kind)

    async def inspect(self, ref: Ref) -> Any:
        """The engine's full answer as data. Raises ActionError or EngineError."""
        backend = self._backend(ref.engine)
        if backend is None:
            raise ActionError(f"{ref.engine} is not connected any more")
        return await backend.inspect(ref)

    async def switch_to_demo(self) -> None:
        """Leave the engines that did not answer for simulated ones."""
        await self.session.close()
        self.options = replace(self.options, demo=True, hosts=())
        self.store.clear()
        self.session = Session(self.store, self.options, self._refs_on_screen, self._clock)
        self.main.demo = True
        self.session.start()

    @property
    def without_engine(self) -> bool:
        return no_engine(self.look())

    def _backend(self, engine: str) -> Backend | None:
        return self.session.backend(engine)

    def _store_changed(self, delta: Delta) -> None:
        self.main.store_changed(delta)

    def _refs_on_screen(self) -> Collection[Ref]:
        refs = {ref for pane in self.main.panes_shown for ref in pane.refs_on_screen()}
        current = self.main.active.current
        return refs | {current.ref} if current else refs

    async def _ask(self, asked: Confirmation) -> Answer | None:
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        dialog = asked.dialog(self.look().glyphs)
        await self.push_screen(dialog, lambda answer: None if answered.done() else answered.set_result(answer))
        return await answered

    def _failed(self, item: Item, action: Action, reason: str) -> None:
        self.main.warnings.of(item.ref, f"{word_of(action, item.ref.kind)} {name_of(item)}: {reason}")

    def _noted(self) -> None:
        if self.main.view == "journal":
            self.main.draw_view()

    async def action_quit(self) -> None:
        """Ctrl-Q, which Textual binds before every other key: the same as the command, with its question."""
        if "ctrl+q" in self.keymap.keys(BY_ID["app.quit"]):
            await self._handlers.run(BY_ID["app.quit"])

    def action_help_quit(self) -> None:
        """Ctrl-C: Textual would name its own key."""
        self.main.say(f"{self.keymap.first(BY_ID['app.quit']) or 'The palette'} quits.")

    def _ignored_shutdown(self, item: Item, seconds: float) -> None:
        if not self.store.reachable(item.ref):
            return  # nobody knows what it did, and no key could end it now
        # the key first: a long name must not push it off the line
        key = self.keymap.first(BY_ID["item.kill"]) or "the menu"
        unheard = f"it did not react to its power button in {seconds:.0f} s"
        self.main.warnings.of(item.ref, f"{key} powers off {name_of(item)}: {unheard}", while_running=True)

    def _fatal_error(self) -> None:
        """A fault of boxtop itself: the trace goes to the log, one line to the user, the terminal is restored."""
        log.critical("boxtop failed", exc_info=True)
        error = sys.exc_info()[1]
        text = clean(f"{type(error).__name__}: {error}", 200)
        self.panic(Text(f"boxtop: internal error: {text}; the log has more: {logs.default_file()}"))

    def _look_at_terminal(self) -> None:
        """End when the terminal is gone: SIGHUP may be blocked or be sent to another, and Textual would spin on it."""
        try:
            termios.tcgetattr(0)
        except termios.error:
            self._told_to_end(signal.SIGHUP)

    def _told_to_end(self, number: int) -> None:
        self.exit(128 + number, 128 + number)


def _console() -> bool:
    import os

    return os.environ.get("TERM") == "linux"


def run_app(options: Options) -> int:
    """Run the dashboard on the terminal; the exit status."""
    logs.start(options.log_level)
    app = BoxtopApp(options)
    # a signal while the screen is set up waits until it can be answered by restoring the terminal
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    app.run(mouse=options.mouse)
    return app.return_code or 0
