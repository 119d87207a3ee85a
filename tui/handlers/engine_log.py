"""Commands of the log an engine writes of a VM."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model import Item
from tui.engine_log_view import EngineLogView
from tui.handlers.area import Area


class EngineLogArea(Area):
    at_once = True

    @property
    def _view(self) -> EngineLogView:
        found = self.main.views["engine-log"]
        assert isinstance(found, EngineLogView)  # noqa: S101
        return found

    async def open(self, items: Sequence[Item]) -> None:
        await self.main.show_view("engine-log")
        self._view.show(items[0])

    def find(self) -> None:
        self._view.ask_search()

    async def next(self) -> None:
        await self._view.step_match(1)

    async def previous(self) -> None:
        await self._view.step_match(-1)

    def follow(self) -> None:
        self._view.log_view.follow(not self._view.log_view.following)

    def wrap(self) -> None:
        self._view.toggle_wrap()

    def copy(self) -> None:
        text = self._view.chosen_text()
        if not text:
            self.main.say("There is nothing to copy.")
            return
        self.app.copy_to_clipboard(text)
        count = text.count("\n") + 1
        self.main.say(f"Copied {count} line{'s' if count > 1 else ''} (if the terminal takes OSC 52).")
