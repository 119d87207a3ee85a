"""Commands of the log an engine writes of a VM."""

from __future__ import annotations

from backends.model import Kind
from tui.commands.declare import Command, Scope

PLACE = "engine-log"

COMMANDS: tuple[Command, ...] = (
    Command(
        "engine_log.open",
        ("l", "L"),
        "engine's log",
        "Follow what the engine writes of the VM: VBox.log, QEMU's log",
        Scope.ITEM,
        kinds=frozenset({Kind.VM}),
        ability="engine_log.EngineLog",
        many=False,
    ),
    Command(
        "engine_log.find", ("/",), "search", "Search; /…/ is a regular expression", Scope.VIEW, footer=1, where=PLACE
    ),
    Command("engine_log.next", ("n",), "next match", "Next match", Scope.VIEW, footer=2, where=PLACE),
    Command("engine_log.previous", ("N",), "previous match", "Previous match", Scope.VIEW, where=PLACE),
    Command("engine_log.follow", ("f",), "follow", "Follow the end, or hold still", Scope.VIEW, footer=3, where=PLACE),
    Command("engine_log.wrap", ("w",), "wrap", "Wrap long lines, or cut them off", Scope.VIEW, footer=4, where=PLACE),
    Command(
        "engine_log.copy",
        ("c",),
        "copy",
        "Copy the selected lines (Shift-↑, Shift-↓, mouse), or those on screen",
        Scope.VIEW,
        footer=5,
        where=PLACE,
    ),
)
