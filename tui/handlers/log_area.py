"""What the commands of all views of logs do."""

from __future__ import annotations

from tui.handlers.area import Area
from tui.log_frame import LogFrame


class LogArea(Area):
    @property
    def view(self) -> LogFrame:
        """The view."""
        raise NotImplementedError

    def find(self) -> None:
        self.view.ask_search()

    async def next(self) -> None:
        await self.view.step_match(1)

    async def previous(self) -> None:
        await self.view.step_match(-1)

    def follow(self) -> None:
        self.view.log_view.follow(not self.view.log_view.following)

    def wrap(self) -> None:
        self.view.toggle_wrap()

    def copy(self) -> None:
        text = self.view.chosen_text()
        if not text:
            self.main.say("There is nothing to copy.")
            return
        self.app.copy_to_clipboard(text)
        count = text.count("\n") + 1
        self.main.say(f"Copied {count} line{'s' if count > 1 else ''} (if the terminal takes OSC 52).")
