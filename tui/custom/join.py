"""The user's commands among boxtop's own: in the menu, the palette, the footer, the help, and under their keys."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from backends.model import VM, Container, Item
from tui.commands.declare import Command, Scope
from tui.custom.declared import CustomCommand
from tui.custom.placeholders import Unfit, fill

_FOOTER = 18


def commands_of(declared: Sequence[CustomCommand]) -> tuple[Command, ...]:
    return tuple(_command(command) for command in declared)


def _command(own: CustomCommand) -> Command:
    return Command(
        own.id,
        (own.key,) if own.key else (),
        own.name,
        f"Your own: {shlex.join(own.command)}",
        Scope.ITEM,
        kinds=own.kinds,
        footer=_FOOTER if own.key else 0,
        refuse=lambda item: _refusal(own, item),
        changes=own.changes,
        many=own.output == "pane",
    )


def _refusal(own: CustomCommand, item: Item) -> str | None:
    if own.states and isinstance(item, (Container, VM)) and item.state not in own.states:
        return f"{item.name} is {item.state}"
    try:
        # the engine's address is no part of what can be unfit
        fill(own.command, item, "host")
    except Unfit as error:
        return str(error)
    return None
