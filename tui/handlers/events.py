"""Commands of the view of events."""

from __future__ import annotations

from backends.secrets import mask_text
from tui.events_view import EventsView, what
from tui.formats import local_time
from tui.handlers.area import Area


class EventsArea(Area):
    at_once = True

    @property
    def view(self) -> EventsView:
        view = self.main.views["events"]
        assert isinstance(view, EventsView)  # noqa: S101
        return view

    async def filter(self) -> None:
        await self.view.ask_filter()

    def follow(self) -> None:
        self.view.toggle_follow()

    def chatter(self) -> None:
        self.view.toggle_chatter()

    def copy(self) -> None:
        event = self.view.current
        if event is None:
            return
        words = [local_time(event.time), event.engine, event.type, event.action, event.name, what(event)]
        self.app.copy_to_clipboard(mask_text("  ".join(word for word in words if word)))
        self.main.say(f"Copied the event of {event.name[:40]} (if the terminal takes OSC 52).")
