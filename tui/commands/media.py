"""The commands of the view of disk images and ISOs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.commands.declare import Command, Scope

if TYPE_CHECKING:
    from backends.abilities.media import Medium

_PLACE = "media"


def _command(name: str, keys: tuple[str, ...], label: str, text: str, footer: int = 0, **more: Any) -> Command:
    return Command(f"media.{name}", keys, label, text, Scope.VIEW, where=_PLACE, footer=footer, **more)


def _only_disks(done: str) -> Callable[[Medium], str | None]:
    def refuse(medium: Medium) -> str | None:
        return medium.missing or (None if medium.kind == "disk" else f"only disks can be {done}")

    return refuse


def _kept(medium: Medium) -> str | None:
    return medium.keeps or None


COMMANDS: tuple[Command, ...] = (
    Command("view.media", ("=",), "media", "Disk images and ISOs the VMs' engines know", Scope.VIEW),
    _command("create", ("+",), "create", "Make an empty disk image", 1, changes=True, alone=True),
    _command(
        "bring",
        ("I",),
        "import",
        "Copy a disk image or an ISO to where the engine keeps such",
        2,
        changes=True,
        alone=True,
    ),
    _command("grow", ("s",), "grow", "Make the disk larger", 3, changes=True, refuse=_only_disks("grown")),
    _command(
        "convert",
        ("y",),
        "convert",
        "Copy the disk in another format",
        4,
        changes=True,
        refuse=_only_disks("converted"),
    ),
    _command(
        "base",
        ("b",),
        "base image",
        "Mark the disk as a base for linked copies, or take the mark away",
        5,
        changes=True,
        refuse=_only_disks("base images"),
    ),
    _command(
        "remove",
        ("d", "delete"),
        "delete",
        "Delete the image; asks for its name to be typed",
        6,
        changes=True,
        refuse=_kept,
    ),
    _command("filter", ("/",), "filter", "Show only media with these words", 7),
    _command("again", ("r",), "read again", "Ask the engines anew"),
)
