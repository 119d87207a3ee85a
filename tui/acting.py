"""From a key to an action: which objects, whether to ask first, then the runner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from backends.base import ActionError, Backend, EngineError
from backends.model import Action, ActionOptions, Item, Kind, Loss, Ref
from tui.commands import Command, refusal_here, resolve
from tui.confirmations import CANCEL, Confirmation, confirmation, needed, options_from, wants_losses
from tui.runner import Runner
from tui.selection import name_of
from tui.store import Store
from widgets.confirm import Answer, Confirm

Ask = Callable[[Confirm], Awaitable[Answer | None]]
Tell = Callable[[str], None]


class Acting:
    """Carries out an action command on the objects it was given."""

    def __init__(
        self, store: Store, runner: Runner, backend_of: Callable[[str], Backend | None], ask: Ask, tell: Tell
    ) -> None:
        self._store = store
        self._runner = runner
        self._backend_of = backend_of
        self._ask = ask
        self._tell = tell

    async def act(self, command: Command, items: Sequence[Item]) -> None:
        """Ask where asking is due, then start the action on each object it applies to."""
        if not items:
            self._tell("Nothing is selected.")
            return
        action = resolve(command, items)
        able, skipped = self._divide(action, items)
        if not able:
            item, reason = skipped[0]
            self._tell(f"Cannot {action} {name_of(item)}: {reason}.")
            return
        for kind in Kind:
            of_kind = [item for item in able if item.ref.kind is kind]
            if of_kind:
                left_out = [(item, reason) for item, reason in skipped if item.ref.kind is kind]
                await self._act_on_kind(action, of_kind, left_out)

    def _divide(self, action: Action, items: Sequence[Item]) -> tuple[list[Item], list[tuple[Item, str]]]:
        able, skipped = [], []
        for item in items:
            reason = refusal_here(action, item, self._store.read_only)
            if reason is None and not self._store.reachable(item.ref):
                reason = f"{item.ref.engine} does not answer"
            if reason is None:
                able.append(item)
            else:
                skipped.append((item, reason))
        return able, skipped

    async def _act_on_kind(self, action: Action, items: list[Item], skipped: list[tuple[Item, str]]) -> None:
        if not needed(action, items):
            for item in items:
                self._runner.start(action, item, ActionOptions())
            return
        losses: dict[Ref, tuple[Loss, ...]] = {}
        if wants_losses(action):
            for item in list(items):
                try:
                    losses[item.ref] = await self._losses(action, item.ref)
                except (ActionError, EngineError) as error:
                    items.remove(item)
                    skipped.append((item, str(error)))
            if not items:
                self._tell(f"Cannot {action} {name_of(skipped[0][0])}: {skipped[0][1]}")
                return
        answer = await self._ask(_dialog(confirmation(action, items, losses, skipped)))
        if answer is None or answer.choice == CANCEL:
            return
        for item in items:
            now = self._store.get(item.ref)
            if now is None:
                self._tell(f"{name_of(item)} is gone already.")
            elif (name_of(now), now.ref) != (name_of(item), item.ref):
                self._tell(f"{name_of(item)} was renamed to {name_of(now)} meanwhile: nothing was done to it.")
            else:
                self._runner.start(action, now, options_from(answer, losses.get(item.ref, ())))

    async def _losses(self, action: Action, ref: Ref) -> tuple[Loss, ...]:
        backend = self._backend_of(ref.engine)
        if backend is None:
            raise EngineError(f"{ref.engine} is not connected any more")
        return await backend.losses(action, ref)


def _dialog(asked: Confirmation) -> Confirm:
    return Confirm(
        asked.title,
        asked.lines,
        choices=asked.choices,
        options=asked.options,
        typed=asked.typed,
        safe=CANCEL,
    )
