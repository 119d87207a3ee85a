"""The commands of the views of events and of the journal."""

from __future__ import annotations

from tui.commands.declare import Command, Scope

COMMANDS: tuple[Command, ...] = (
    Command("events.filter", ("/",), "filter", "Filter the events by words", Scope.VIEW, footer=1, where="events"),
    Command("events.follow", ("f",), "follow/hold", "Follow the newest, or hold the list", Scope.VIEW, footer=2,
            where="events"),
    Command("events.chatter", ("a",), "all", "Show also what goes on all the time: health checks, process listings",
            Scope.VIEW, footer=3, where="events"),
    Command("events.open", ("enter",), "open", "The selected event whole", Scope.VIEW, footer=4, where="events"),
    Command("journal.open", ("enter",), "open", "The selected entry whole", Scope.VIEW, footer=1, where="journal"),
    Command("events.copy", ("c",), "copy", "Copy the event to the clipboard (OSC 52)", Scope.VIEW, where="events"),
)  # fmt: skip
