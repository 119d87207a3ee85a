"""The commands of images and their registries."""

from __future__ import annotations

from backends.model import Image, Item, Kind
from tui.commands.declare import Command, Scope

_IMAGES = frozenset({Kind.IMAGE})


def _untagged(item: Item) -> str | None:
    return None if isinstance(item, Image) and item.tags else "it has no tag: give it one first"


COMMANDS: tuple[Command, ...] = (
    Command(
        "image.pull",
        ("P",),
        "pull",
        "Pull an image from a registry; the marked ones again, one task each",
        Scope.ITEM,
        kinds=_IMAGES,
        footer=10,
        ability="images.Pull",
        changes=True,
        alone=True,
    ),
    Command(
        "image.push",
        ("U",),
        "push",
        "Push to the registry the image's name says, with the docker CLI's login",
        Scope.ITEM,
        kinds=_IMAGES,
        footer=11,
        ability="images.Push",
        refuse=_untagged,
        changes=True,
    ),
    Command(
        "image.tag",
        ("T",),
        "tag",
        "Give the image one more name",
        Scope.ITEM,
        kinds=_IMAGES,
        footer=12,
        ability="images.Tags",
        changes=True,
        many=False,
    ),
    Command(
        "image.untag",
        (),
        "untag",
        "Take a name from the image; asks first: the last name takes the image along",
        Scope.ITEM,
        kinds=_IMAGES,
        ability="images.Tags",
        refuse=_untagged,
        changes=True,
        many=False,
    ),
    Command(
        "image.history",
        ("H",),
        "layers",
        "Show the image's layers: what made each, and its size",
        Scope.ITEM,
        kinds=_IMAGES,
        footer=22,
        ability="images.History",
        many=False,
    ),
    Command(
        "image.save",
        (">",),
        "save",
        "Save images to a tar file on this machine",
        Scope.ITEM,
        kinds=_IMAGES,
        ability="images.Archives",
    ),
    Command(
        "image.load",
        ("<",),
        "load",
        "Load images from a tar file on this machine",
        Scope.ITEM,
        kinds=_IMAGES,
        ability="images.Archives",
        changes=True,
        alone=True,
    ),
    Command(
        "image.prune",
        ("X",),
        "prune",
        "Remove images nobody uses: dangling or all; asks first with the exact list",
        Scope.ITEM,
        kinds=_IMAGES,
        footer=21,
        ability="images.PruneImages",
        changes=True,
        alone=True,
    ),
    Command(
        "registry.search",
        ("I",),
        "search registry",
        "Search where the engine searches (Docker Hub), and pull from there",
        Scope.ITEM,
        kinds=_IMAGES,
        ability="images.Search",
        alone=True,
    ),
    Command(
        "registry.browse",
        (),
        "browse registry",
        "List a private registry's repositories and tags, and pull from there",
        Scope.ITEM,
        kinds=_IMAGES,
        ability="images.Registries",
        alone=True,
    ),
)
