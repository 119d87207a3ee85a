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
            main.details.step(by)
        else:
            main.open_details()

    def next_match(self) -> None:
        self._match(1)

    def previous_match(self) -> None:
        self._match(-1)

    def _match(self, by: int) -> None:
        details = self.main.details
        tab = details.current if details.display else None
        said = tab.step_match(by) if tab else "n and N go through the matches of a search in Inspect: press i, then /."
        if said:
            self.main.say(said)
