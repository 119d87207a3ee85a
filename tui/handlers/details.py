"""Commands of the details."""

from __future__ import annotations

from tui.handlers.area import Area


class DetailsArea(Area):
    at_once = True

    def open(self) -> None:
        self.main.open_details()

    async def back(self) -> None:
        await self.main.back()

    def next_tab(self) -> None:
        self._step_tab(1)

    def previous_tab(self) -> None:
        self._step_tab(-1)

    def _step_tab(self, by: int) -> None:
        main = self.main
        if not self.main.listing:
            main.say("The details belong to a row in a list.")
        elif main.details.display:
            focused = main.details.has_focus_within
            main.details.step(by)
            if focused:
                main.details.focus_content()
        else:
            main.open_details()

    def next_match(self) -> None:
        self._match(1)

    def previous_match(self) -> None:
        self._match(-1)

    def _match(self, by: int) -> None:
        tree = self.main.details.data_tree
        if not (self.main.details.display and self.main.details.tab == "inspect"):
            self.main.say("n and N go through the matches of a search in Inspect: press i, then /.")
            return
        if not tree.match_position[1]:
            self.main.say("Nothing is searched for, or nothing was found: press / in Inspect.")
        elif by > 0:
            tree.next_match()
        else:
            tree.previous_match()
