"""The commands of files: of those in containers, and of builds from a folder."""

from __future__ import annotations

from backends.model import Kind
from tui.commands.declare import Command, Scope

COMMANDS: tuple[Command, ...] = (
    Command(
        "files.browse",
        ("f",),
        "files",
        "Look at the container's files, and copy them out and in",
        Scope.ITEM,
        kinds=frozenset({Kind.CONTAINER}),
        footer=19,
        ability="files.Files",
        many=False,
    ),
    Command(
        "build.image",
        ("B",),
        "build",
        "Build an image from a folder with a Dockerfile",
        Scope.LIST,
    ),
)
