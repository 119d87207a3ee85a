"""The mark before a name: each state has its own shape, so that colour alone never tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backends.model import VM, Container, Health, State
from widgets.tones import Tone


@dataclass(frozen=True, slots=True)
class Marks:
    states: Mapping[State, str]
    unhealthy: str
    connected: str
    lost: str
    down: str
    up: str

    def of(self, state: State, item: Container | VM) -> tuple[str, Tone]:
        """The mark and its tone for an object in this (shown) state."""
        if state is State.RUNNING and isinstance(item, Container) and item.health is Health.UNHEALTHY:
            return self.unhealthy, "error"
        return self.states[state], STATE_TONES[state]


STATE_TONES: Mapping[State, Tone] = {
    State.RUNNING: "ok",
    State.PAUSED: "warn",
    State.STARTING: "info",
    State.STOPPING: "info",
    State.RESTARTING: "warn",
    State.SAVING: "info",
    State.SAVED: "info",
    State.OFF: "dim",
    State.EXITED: "dim",
    State.CREATED: "dim",
    State.CRASHED: "error",
    State.DELETING: "info",
    State.UNKNOWN: "error",
}

UNICODE = Marks(
    {
        State.RUNNING: "●",
        State.PAUSED: "‖",
        State.STARTING: "◔",
        State.STOPPING: "◑",
        State.RESTARTING: "↻",
        State.SAVING: "◑",
        State.SAVED: "◆",
        State.OFF: "○",
        State.EXITED: "○",
        State.CREATED: "◌",
        State.CRASHED: "✖",
        State.DELETING: "✕",
        State.UNKNOWN: "?",
    },
    unhealthy="▲",
    connected="●",
    lost="✖",
    down="↓",
    up="↑",
)

ASCII = Marks(
    {
        State.RUNNING: "*",
        State.PAUSED: "=",
        State.STARTING: ">",
        State.STOPPING: "<",
        State.RESTARTING: "@",
        State.SAVING: "<",
        State.SAVED: "#",
        State.OFF: "-",
        State.EXITED: "-",
        State.CREATED: ".",
        State.CRASHED: "!",
        State.DELETING: "x",
        State.UNKNOWN: "?",
    },
    unhealthy="^",
    connected="*",
    lost="!",
    down="in",
    up="out",
)
