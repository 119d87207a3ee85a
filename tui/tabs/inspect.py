"""The engine's full answer as a tree."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.widget import Widget

from backends.model import Item
from backends.secrets import walk
from tui.tabs import TabSpec
from tui.tabs.asking import AskingTab
from widgets.keybar import Hint
from widgets.tree import DataTree, Masked

if TYPE_CHECKING:
    from tui.details import Details


class InspectTab(AskingTab):
    finds: ClassVar[str] = "search: Enter, then n and N"

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        self.tree_view = DataTree(glyphs=frame.look().glyphs)
        super().__init__(spec, frame, self.tree_view)

    async def ask(self, item: Item) -> Any:
        return await self.frame.inspected(item)

    def show_waiting(self) -> None:
        self.tree_view.set_data({"": "asking the engine ..."}, keep_folds=False)

    def show_answer(self, item: Item, answer: Any) -> None:
        del item
        self.tree_view.set_data(walk(answer, lambda secret: Masked(secret, secret.masked)))

    def show_failure(self, reason: str) -> None:
        self.tree_view.set_data({"not available": textwrap.wrap(reason, 44)})

    def main_widget(self) -> Widget:
        return self.tree_view

    def hints(self) -> Sequence[Hint]:
        keymap = self.frame.boxtop.keymap
        hints = keymap.hints_of("list.filter", "details.next_match", "item.copy_name")
        hints[1:1] = [Hint("v", "reveal", "tree.reveal"), Hint("E", "unfold all", "tree.expand_all")]
        return hints

    def run_hint(self, hint_id: str) -> None:
        self.run_worker(self.tree_view.run_action(hint_id.partition(".")[2]))

    def find(self, text: str, *, done: bool) -> str:
        if not done:
            return ""
        found = self.tree_view.search(text)
        if not text:
            return ""
        ways = "; n and N go through them" if found > 1 else ""
        return f"{found or 'no'} match{'' if found == 1 else 'es'} of {text}{ways}."

    def step_match(self, by: int) -> str:
        if not self.tree_view.match_position[1]:
            return "Nothing is searched for, or nothing was found: press / in Inspect."
        if by > 0:
            self.tree_view.next_match()
        else:
            self.tree_view.previous_match()
        return ""

    def copied(self) -> tuple[str, str] | None:
        return self.tree_view.current_text(), "value"
