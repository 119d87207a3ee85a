"""The list of images."""

from __future__ import annotations

from backends.model import Image
from tui.formats import age, size
from tui.rows.fields import Field, Look, trouble
from tui.selection import name_of, short_id
from widgets.table import Cell, Column


def _name(image: Image, look: Look) -> Cell:
    del look
    if image.tags:
        extra = len(image.tags) - 1
        return Cell(spans=((image.tags[0], ""), (f" +{extra}" if extra else "", "dim")))
    if image.digests:
        return Cell(image.digests[0].partition("@")[0] + " (no tag)", "dim")
    return Cell("(no tag)", "dim")


def users_text(image: Image, look: Look) -> str:
    """`dangling`, `unused` or how many containers use it."""
    users = len(look.store.users_of(image))
    if users:
        return f"{users} container{'s' if users > 1 else ''}"
    return "dangling" if image.dangling else "unused"


def _used(image: Image, look: Look) -> Cell:
    text = users_text(image, look)
    return trouble(image, look) or Cell(text, {"dangling": "warn", "unused": "dim"}.get(text, ""))  # type: ignore[arg-type]


FIELDS: tuple[Field, ...] = (
    Field(Column("name", "IMAGE", 16, flex=3), _name, lambda item, _: (not item.tags, name_of(item).lower()), "name"),
    Field(
        Column("id", "ID", 12, priority=4),
        lambda item, _: Cell(short_id(item.ref.id), "dim"),
        lambda item, _: item.ref.id,
        "id",
    ),
    Field(
        Column("size", "SIZE", 5, align="right", priority=1),
        lambda item, _: Cell(size(item.size)),
        lambda item, _: item.size,
        "size",
        descending=True,
    ),
    Field(
        Column("age", "AGE", 4, align="right", priority=3),
        lambda item, look: Cell(age(look.now - item.created) if item.created > 0 else "–", "dim"),
        lambda item, _: -item.created,
        "age",
    ),
    Field(
        Column("used", "USED BY", 13, priority=2),
        _used,
        lambda item, look: len(look.store.users_of(item)),
        "used by",
        descending=True,
    ),
)
