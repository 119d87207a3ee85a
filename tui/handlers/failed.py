"""What failed: once more, or out of sight."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model import Action, Item
from tui.confirmations import CANCEL
from tui.handlers.area import Area
from tui.store import Failure
from widgets.confirm import Choice, Confirm
from widgets.tones import Tone


class Failed(Area):
    async def retry(self, items: Sequence[Item]) -> None:
        """On these objects; where none of them failed, on all of the list that did."""
        failures = self._of(items) or self._of(self._listed())
        if not failures:
            self.main.say("Nothing failed in this list.")
            return
        by_action: dict[Action, list[Failure]] = {}
        others: list[Failure] = []
        for failure in failures:
            if failure.again is None and failure.action in list(Action):
                by_action.setdefault(Action(failure.action), []).append(failure)
            elif failure.again is not None:
                others.append(failure)
        for action, failed in by_action.items():
            found = [(item, failure.options) for failure in failed if (item := self.app.store.get(failure.ref))]
            if await self.app.acting.again(action, found):
                self.main.warnings.tried_again(failure.ref for failure in failed)
        if others:
            await self._again(others)

    async def dismiss(self) -> None:
        self.main.warnings.dismiss_all()

    async def _again(self, failures: Sequence[Failure]) -> None:
        """Work that is no engine's action: listed, agreed to, and done as it was."""
        lines: list[tuple[str, Tone]] = []
        for failure in failures:
            lines += [(f"{failure.action} {failure.name}  on {failure.ref.engine}", "strong")]
            lines += [(f"  failed: {failure.reason}", "dim")]
        title = f"Retry {failures[0].action} {failures[0].name}?" if len(failures) == 1 else f"Retry {len(failures)}?"
        choices = (Choice(CANCEL, "Cancel"), Choice("retry", "Retry", tone="warn"))
        answer = await self.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        if answer is None or answer.choice == CANCEL:
            return
        self.main.warnings.tried_again(failure.ref for failure in failures)
        by_verb: dict[str, list[Failure]] = {}
        for failure in failures:
            by_verb.setdefault(failure.action, []).append(failure)
        for verb, failed in by_verb.items():
            works = {failure.ref: failure.again for failure in failed}
            items = [item for failure in failed if (item := self.app.store.get(failure.ref))]

            async def work(item: Item, works: dict = works) -> object:  # type: ignore[type-arg]
                return await works[item.ref](item)

            await self.each(items, work, verb)

    def _of(self, items: Sequence[Item]) -> list[Failure]:
        failures = self.app.store.failures
        return [failures[item.ref] for item in items if item.ref in failures]

    def _listed(self) -> list[Item]:
        pane = self.main.active
        return [item for item in pane.spec.objects(self.app.store) if pane.filter.matches(item)]
