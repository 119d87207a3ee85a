"""Commands of the views of events and of the journal."""

from __future__ import annotations

from backends.secrets import mask_text
from tui.events_view import EventsView, what
from tui.formats import local_time
from tui.handlers.area import Area
from tui.journal_view import JournalView


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

    def open(self) -> None:
        self.view.open()

    def copy(self) -> None:
        event = self.view.current
        if event is None:
            return
        words = [local_time(event.time), event.engine, event.type, event.action, event.name, what(event)]
        self.app.copy_to_clipboard(mask_text("  ".join(word for word in words if word)))
        self.main.say(f"Copied the event of {event.name[:40]} (if the terminal takes OSC 52).")


class JournalArea(Area):
    at_once = True

    def open(self) -> None:
        view = self.main.views["journal"]
        assert isinstance(view, JournalView)  # noqa: S101
        view.open()
