"""The commands of the view of disk images and ISOs."""

from __future__ import annotations

from tui.commands.declare import Command, Scope

_PLACE = "media"


def _command(name: str, keys: tuple[str, ...], label: str, text: str, footer: int = 0) -> Command:
    return Command(f"media.{name}", keys, label, text, Scope.VIEW, where=_PLACE, footer=footer)


COMMANDS: tuple[Command, ...] = (
    Command("view.media", ("=",), "media", "Disk images and ISOs the VMs' engines know", Scope.VIEW),
    _command("create", ("+",), "create", "Make an empty disk image", 1),
    _command("bring", ("I",), "import", "Copy a disk image or an ISO to where the engine keeps such", 2),
    _command("grow", ("s",), "grow", "Make the disk larger", 3),
    _command("convert", ("y",), "convert", "Copy the disk in another format", 4),
    _command("base", ("b",), "base image", "Mark the disk as a base for linked copies, or take the mark away", 5),
    _command("remove", ("d", "delete"), "delete", "Delete the image; asks for its name to be typed", 6),
    _command("filter", ("/",), "filter", "Show only media with these words", 7),
    _command("again", ("r",), "read again", "Ask the engines anew"),
)
