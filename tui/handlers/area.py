"""What every group of command handlers rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.events import Key
from textual.screen import ModalScreen

from backends.abilities import ability_name
from backends.base import ActionError, Backend, EngineError
from backends.model import Item
from backends.secrets import mask_text
from tui.commands import Command
from tui.selection import name_of
from tui.store import Failure
from widgets.dialog import Dialog
from widgets.glyphs import Glyphs
from widgets.line_input import again
from widgets.picker import Picker, PickItem
from widgets.waiting import Waiting

if TYPE_CHECKING:
    from tui.app import BoxtopApp
    from tui.screens.main import MainScreen

RECREATE = "recreate"
"""The verb of the task that makes a container anew; quitting tells what it may leave."""

_TYPED: ContextVar[Sequence[Key]] = ContextVar("typed", default=())
"""Keys that came while a command waited for what it opens; each command has a context of its own."""

_Answer = TypeVar("_Answer")
_Ability = TypeVar("_Ability")
_Result = TypeVar("_Result")


class Area:
    """Methods named by the second part of their command's id. Commands on objects are handed them, others nothing.

    A coroutine runs as a task of its own, so that it may ask questions and wait for engines while the screen goes on,
    unless `at_once`: then the next key waits for it. An EngineError or ActionError it raises is told to the user.
    """

    at_once: ClassVar[bool] = False
    divides: ClassVar[bool] = False
    """It is handed also those objects a command cannot be done to, and tells of them itself."""

    def __init__(self, app: BoxtopApp) -> None:
        self.app = app

    def method_of(self, command: Command) -> Callable[..., Any]:
        """What does a command of this area."""
        method: Callable[..., Any] = getattr(self, command.id.partition(".")[2])
        return method

    @property
    def main(self) -> MainScreen:
        return self.app.main

    @property
    def glyphs(self) -> Glyphs:
        return self.app.look().glyphs

    async def browse_engine(self, engine: str, label: str, start: str) -> str | None:
        """A file of the machine an engine is on, where that is this one; of another machine none can be shown."""
        from tui.addresses import engine_host

        known = self.app.store.engines.get(engine)
        if known is not None and (machine := engine_host(known.url)):
            self.main.say(f"The files of {machine} cannot be shown here: type a path, or import a file in its media.")
            return None
        return await self.app.browse_host(f"{label}: which file?", start, kind="file")

    async def ask(self, dialog: ModalScreen[_Answer | None]) -> _Answer | None:
        """What the user answers a dialog; None when it was left with Esc. Only in a task of its own."""
        answered: asyncio.Future[_Answer | None] = asyncio.get_running_loop().create_future()
        self.type_into(dialog)
        await self.app.push_screen(dialog, lambda answer: None if answered.done() else answered.set_result(answer))
        return await answered

    def type_into(self, dialog: ModalScreen[Any]) -> None:
        """Have a dialog that is shown next begin with what was typed while it was waited for; a question does not."""
        if isinstance(dialog, Dialog):
            dialog.begin_with(_TYPED.get())
        _TYPED.set(())

    def type_on(self) -> None:
        """Have a view that is shown by now take what was typed while it was waited for."""
        for event in _TYPED.get():
            self.app.post_message(again(event))
        _TYPED.set(())

    async def wait_for(self, opening: Coroutine[Any, Any, _Result], text: str) -> _Result | None:
        """What this comes to, with `text` on screen when it takes long; None when the user gave up meanwhile.

        Keys typed ahead go to the dialog that the caller asks next, if it does so at once; else they mean nothing. Only
        in a task of its own.
        """
        _TYPED.set(())
        work = asyncio.create_task(opening)
        waiting = Waiting(text, glyphs=self.glyphs)

        def give_up(_: None) -> None:
            work.cancel()

        try:
            await self.app.push_screen(waiting, give_up)
            found = await work
            _TYPED.set(waiting.typed)
            return found
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            return None
        finally:
            work.cancel()
            waiting.end()

    def able(self, engine: str, kind: type[_Ability]) -> _Ability:
        """What does the things of this ability on an engine. Raises ActionError when it cannot, or is lost."""
        backend: Backend | None = self.app.session.backend(engine)
        found = backend.ability(kind) if backend else None
        if found is None:
            raise ActionError(f"{engine} cannot do that" if backend else f"{engine} is not connected any more")
        return found

    async def engine_with(self, kind: type, title: str, *, changes: bool = True) -> str | None:
        """The engine to do something new on: the selected row's, the only one that can, or the one picked."""
        able, own = self.engines_with(kind, title, changes=changes)
        if own or not able:
            return own
        entries = [PickItem(key, key, self.app.store.engines[key].url) for key in able]
        return await self.ask(Picker(f"{title}: on which engine?", entries, glyphs=self.glyphs))

    def engines_with(self, kind: type, title: str, *, changes: bool = True) -> tuple[list[str], str | None]:
        """The engines that can do it, and of them the selected row's or the only one; none is told to the user."""
        rights, name = self.app.store.rights, ability_name(kind)
        barred = rights.barred if changes else dict.fromkeys(rights.lost, "")
        able = [key for key, abilities in rights.abilities.items() if name in abilities and key not in barred]
        current = self.main.active.current if self.main.listing else None
        if current and current.ref.engine in able:
            return able, current.ref.engine
        if not able:
            reasons = [reason for key, reason in rights.barred.items() if name in rights.abilities.get(key, ())]
            self.main.say(f"{title}: {reasons[0] if reasons else 'no engine here can do that'}.", "warn")
        return able, able[0] if len(able) == 1 else None

    async def each(self, items: Sequence[Item], work: Callable[[Item], Awaitable[object]], verb: str) -> list[Item]:
        """Do something short to each object, four at once; failures are told and stay. The objects it was done to."""
        slots = asyncio.Semaphore(4)
        done: list[Item] = []
        batch = self.app.bulk.begin(verb, len(items))

        async def one(item: Item) -> None:
            async with slots:
                self.app.store.dismiss_failure(item.ref)
                reason = await self.app.noted(verb, item, work(item))
            batch.ended(name_of(item), reason)
            if reason is None:
                done.append(item)
                return
            self.app.store.fail(Failure(item.ref, name_of(item), verb, reason, again=work))
            self.main.warnings.of(item.ref, f"{verb} {name_of(item)}: {reason}")

        await asyncio.gather(*(one(item) for item in items))
        return done


def reason_of(error: EngineError | ActionError) -> str:
    """What went wrong in one line, with what to do about it."""
    remedy = f": {error.remedy}" if isinstance(error, EngineError) and error.remedy else ""
    return mask_text(f"{error}{remedy}")


def titled(label: str) -> str:
    """With a capital at its start; `VMs` stays as it is."""
    return label[:1].upper() + label[1:]
