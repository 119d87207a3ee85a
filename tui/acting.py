"""From a key to an action: which objects, whether to ask first, then the runner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from backends.actions import refusal
from backends.base import ActionError, Backend, EngineError
from backends.model import Action, ActionOptions, Item, Kind, Loss, Ref
from tui.commands import Command, resolve
from tui.confirmations import (
    CANCEL,
    Confirmation,
    confirmation,
    differs,
    needed,
    options_from,
    preset,
    wants_losses,
)
from tui.runner import Runner, overtakes
from tui.selection import name_of, word_of
from tui.store import Store
from widgets.confirm import Answer

Ask = Callable[[Confirmation], Awaitable[Answer | None]]
Tell = Callable[[str], None]

_NOTHING = ActionOptions()
_NAMED = 3
_ASKED_AT_ONCE = 4
_SOON = 0.5


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
        """Ask where asking is due, then start the action on each object it applies to.

        One question for each kind of object; whoever says no to one of them has said no to all.
        """
        if not items:
            self._tell("Nothing is selected.")
            return
        action = resolve(command, items)
        able, skipped = self._divide(action, items)
        if not able:
            item, reason = skipped[0]
            self._tell(f"Cannot {word_of(action, item.ref.kind)} {name_of(item)}: {reason}.")
            return
        agreed: list[tuple[Item, ActionOptions]] = []
        left = ""
        if needed(action, able):
            for kind in Kind:
                of_kind = [item for item in able if item.ref.kind is kind]
                left_out = [(item, reason) for item, reason in skipped if item.ref.kind is kind]
                if of_kind:
                    answered = await self._agree(action, of_kind, left_out)
                    if answered is None:
                        return
                    agreed += answered
        else:
            agreed = [(item, ActionOptions()) for item in able]
            left = _words_of(skipped)  # no question has named them
        self._start(action, agreed, left)

    async def again(self, action: Action, failed: Sequence[tuple[Item, ActionOptions]]) -> bool:
        """Start what failed once more, as it was chosen then; asked for as the first time, and where it is several.

        Whether anything was started.
        """
        chosen = {item.ref: options for item, options in failed}
        able, skipped = self._divide(action, [item for item, _ in failed])
        if not able:
            item, reason = skipped[0]
            self._tell(f"Cannot {word_of(action, item.ref.kind)} {name_of(item)}: {reason}.")
            return False
        agreed: list[tuple[Item, ActionOptions]] = []
        for kind in Kind:
            of_kind = [item for item in able if item.ref.kind is kind]
            if not of_kind:
                continue
            if len(able) == 1 and not needed(action, able):
                agreed += [(item, chosen[item.ref]) for item in of_kind]
                continue
            left_out = [(item, reason) for item, reason in skipped if item.ref.kind is kind]
            answered = await self._agree(action, of_kind, left_out, chosen)
            if answered is None:
                return False
            agreed += answered
        self._start(action, agreed)
        return True

    def _divide(self, action: Action, items: Sequence[Item]) -> tuple[list[Item], list[tuple[Item, str]]]:
        able, skipped = [], []
        for item in items:
            reason = self._refusal(action, item)
            if reason is None:
                able.append(item)
            else:
                skipped.append((item, reason))
        return able, skipped

    def _refusal(self, action: Action, item: Item) -> str | None:
        pending = self._store.pending.get(item.ref)
        if pending is not None and not overtakes(action, pending):
            return f"{word_of(pending, item.ref.kind)} is still under way"
        reason = self._store.barred.get(item.ref.engine) or refusal(action, item)
        name = f"{name_of(item)} "
        # what tells it has named the object just before: its name twice cuts the reason off
        return f"it {reason[len(name) :]}" if reason and reason.startswith(f"{name}is ") else reason

    async def _agree(
        self,
        action: Action,
        items: list[Item],
        skipped: list[tuple[Item, str]],
        before: Mapping[Ref, ActionOptions] = MappingProxyType({}),
    ) -> list[tuple[Item, ActionOptions]] | None:
        """The objects of one kind the operator agreed to, each with the choices made for it; None: cancelled.

        `before`: what was chosen the last time; offered again where it was chosen for all.
        """
        losses: dict[Ref, tuple[Loss, ...]] = {}
        if wants_losses(action):
            losses, failed = await self._losses(action, items)
            skipped = [*skipped, *failed]
            items = [item for item in items if item.ref in losses]
            if not items:
                self._tell(
                    f"Cannot {word_of(action, skipped[0][0].ref.kind)} {name_of(skipped[0][0])}: {skipped[0][1]}"
                )
                return None
        asked = confirmation(action, items, losses, skipped)
        chosen = [before.get(item.ref, _NOTHING) for item in items]
        answer = await self._ask(replace(asked, options=preset(asked.options, chosen)))
        if answer is None or answer.choice == CANCEL:
            return None
        agreed = []
        for item, last in zip(items, chosen, strict=True):
            options = options_from(answer, item, losses.get(item.ref, ()))
            agreed.append((item, replace(options, signal=last.signal, timeout=last.timeout)))
        return agreed

    def _start(self, action: Action, agreed: Sequence[tuple[Item, ActionOptions]], left_out: str = "") -> None:
        untouched, begun = [], []
        for item, options in agreed:
            now = self._store.get(item.ref)
            reason = differs(item, now)
            if reason is None and now is not None:
                reason = self._refusal(action, now)
            if reason is None and now is not None:
                begun.append((now, options))
            else:
                untouched.append(f"{name_of(item)}: {reason}")
        self._runner.start_all(action, begun, left_out)
        if left_out and len(begun) < 2:
            self._tell(f"{word_of(action, agreed[0][0].ref.kind)}: left out {left_out}.")
        if untouched:
            self._tell(f"Nothing was done to {'; '.join(untouched)}.")

    async def _losses(
        self, action: Action, items: Sequence[Item]
    ) -> tuple[dict[Ref, tuple[Loss, ...]], list[tuple[Item, str]]]:
        """What would be lost with each, and the objects for which the engine did not say; four questions at once."""
        slots = asyncio.Semaphore(_ASKED_AT_ONCE)
        found: dict[Ref, tuple[Loss, ...]] = {}
        failed: list[tuple[Item, str]] = []
        lost: set[str] = set()

        async def ask(item: Item) -> None:
            async with slots:
                backend = self._backend_of(item.ref.engine)
                if backend is None or item.ref.engine in lost:
                    failed.append((item, f"{item.ref.engine} does not answer"))
                    return
                try:
                    found[item.ref] = await backend.losses(action, item.ref)
                except EngineError as error:
                    lost.add(item.ref.engine)
                    failed.append((item, error.reason))
                except ActionError as error:
                    failed.append((item, str(error)))

        waiting = asyncio.gather(*(ask(item) for item in items))
        done, _ = await asyncio.wait({waiting}, timeout=_SOON)
        if not done:
            self._tell(f"Asking {items[0].ref.engine} what would be lost ...")
        await waiting
        if items[0].ref.kind is Kind.VM:
            from tui.held import without_held

            found = await without_held(self._store, self._backend_of, found)
        return found, failed


def _words_of(skipped: Sequence[tuple[Item, str]]) -> str:
    """What was left out and why; the first of many."""
    words = [f"{name_of(item)}: {reason}" for item, reason in skipped[:_NAMED]]
    return "; ".join(words) + (f"; and {len(skipped) - _NAMED} more" if len(skipped) > _NAMED else "")
