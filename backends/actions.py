"""Which action applies to which object now, and why not: by state, before the engine is asked."""

from __future__ import annotations

from backends.model import VM, Action, Container, Image, Item, Network, State, Volume

_LIVE = {State.RUNNING, State.PAUSED, State.RESTARTING}
_DOWN = {State.OFF, State.EXITED, State.CREATED, State.CRASHED, State.SAVED}

_CONTAINER: dict[Action, frozenset[State]] = {
    Action.START: frozenset(_DOWN | {State.PAUSED}),
    Action.STOP: frozenset(_LIVE),
    Action.RESTART: frozenset(_LIVE | _DOWN),
    Action.PAUSE: frozenset({State.RUNNING}),
    Action.RESUME: frozenset({State.PAUSED}),
    # a stop that takes too long is cut short by a kill
    Action.KILL: frozenset(_LIVE | {State.STOPPING}),
    Action.DELETE: frozenset(_LIVE | _DOWN | {State.UNKNOWN}),
}
_VM: dict[Action, frozenset[State]] = {
    Action.START: frozenset(_DOWN | {State.PAUSED}),
    Action.STOP: frozenset({State.RUNNING}),
    Action.RESTART: frozenset({State.RUNNING}),
    Action.PAUSE: frozenset({State.RUNNING}),
    Action.RESUME: frozenset({State.PAUSED}),
    # a guru meditation is ended by powering off only
    Action.KILL: frozenset(_LIVE | {State.STARTING, State.STOPPING, State.CRASHED}),
    Action.SAVE: frozenset({State.RUNNING, State.PAUSED}),
    Action.RESET: frozenset({State.RUNNING}),
    Action.DELETE: frozenset(_DOWN | {State.UNKNOWN}),
}
_NEVER: dict[type[Item], dict[Action, str]] = {
    Container: {
        Action.SAVE: "a container's memory cannot be saved",
        Action.RESET: "only VMs can be reset",
    },
    VM: {},
    Image: dict.fromkeys(set(Action) - {Action.DELETE}, "images do not run"),
    Volume: dict.fromkeys(set(Action) - {Action.DELETE}, "volumes do not run"),
    Network: dict.fromkeys(set(Action) - {Action.DELETE}, "networks do not run"),
}


def refusal(action: Action, item: Item) -> str | None:
    """Why `action` cannot be done on `item` now, in words; None when it can."""
    never = _NEVER[type(item)].get(action)
    if never:
        return never
    for refused, reason in item.refusals:
        if refused is action:
            return reason
    if isinstance(item, Network) and item.builtin:
        return f"{item.name} is the engine's own: it cannot be removed"
    if isinstance(item, (Image, Volume, Network)):
        return None
    table = _CONTAINER if isinstance(item, Container) else _VM
    if item.state in table.get(action, frozenset()):
        return None
    if action is Action.DELETE and isinstance(item, VM) and item.state in _LIVE:
        return f"{item.name} is {item.state}: power it off first"
    if action is Action.START and item.state is State.RUNNING:
        return f"{item.name} is running already"
    if item.state is State.UNKNOWN:
        return f"the state of {item.name} is not known"
    return f"{item.name} is {item.state}"
