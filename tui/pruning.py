"""Removing what nobody uses: a question that lists exactly what goes, and a task that removes exactly that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from backends.base import ActionError
from backends.model import Item
from backends.progress import Progress, Report
from tui.confirmations import CANCEL
from tui.formats import size_long
from tui.selection import name_of, short_id
from tui.tasks import Task
from widgets.confirm import Choice, Confirm
from widgets.glyphs import BRAILLE, Glyphs
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_AT_ONCE = 4
_ID = 64


@dataclass(frozen=True, slots=True)
class Going:
    """One object to be removed. `about` tells in a few words why it is in nobody's way."""

    item: Item
    about: str = ""
    size: int | None = None
    """Bytes that come free; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What one button removes, beside all lots before it. Needs its number typed when it holds data that was named."""

    id: str
    heading: str
    going: tuple[Going, ...]
    typed: bool = False


def question(noun: str, lots: Sequence[Lot], note: str, glyphs: Glyphs = BRAILLE) -> Confirm:
    """Asks which of the lots are to go; `chosen` says what its answer means. `noun` is the plural: `images`."""
    filled = [lot for lot in lots if lot.going]
    lines: list[tuple[str, Tone]] = []
    choices = [Choice(CANCEL, "Cancel")]
    so_far: list[Going] = []
    for lot in filled:
        so_far += lot.going
        lines += [("", "")] if lines else []
        lines.append((f"{lot.heading}: {len(lot.going)}{_total(lot.going)}", "strong"))
        lines += [(f"  {_line(going)}", "") for going in lot.going]
        label = f"Remove {len(so_far)} {noun if len(so_far) > 1 else noun.removesuffix('s')}"
        choices.append(Choice(lot.id, label, tone="error", needs_typed=lot.typed))
    if note:
        lines += [("", ""), (note, "warn")]
    typed = f"delete {len(so_far)} {noun}" if any(choice.needs_typed for choice in choices) else ""
    return Confirm(f"Prune {noun}?", lines, choices=choices, typed=typed, safe=CANCEL, glyphs=glyphs)


def chosen(lots: Sequence[Lot], choice: str) -> list[Going]:
    """What goes by this answer of `question`: the lot of this id and those before it."""
    going: list[Going] = []
    for lot in lots:
        going += lot.going
        if lot.id == choice:
            return going
    return []


def start(app: BoxtopApp, noun: str, going: Sequence[Going], remove: Callable[[Item], Awaitable[object]]) -> list[Task]:
    """Remove exactly these in the background, a task for each engine and a journal line for each object.

    `remove` raises ActionError for one that cannot go (any more); the others go all the same.
    """
    tasks = []
    for engine in sorted({one.item.ref.engine for one in going}):
        mine = [one for one in going if one.item.ref.engine == engine]
        target = f"{len(mine)} {noun}" if len(mine) > 1 else name_of(mine[0].item)
        tasks.append(app.tasks.start("prune", target, engine, partial(_remove_all, app, mine, remove), asked=True))
    return tasks


async def _remove_all(
    app: BoxtopApp, going: Sequence[Going], remove: Callable[[Item], Awaitable[object]], report: Report
) -> str:
    slots = asyncio.Semaphore(_AT_ONCE)
    gone: list[Going] = []
    failed: list[str] = []

    async def one(which: Going) -> None:
        async with slots:
            reason = await app.noted("prune", which.item, remove(which.item))
        name = name_of(which.item)
        if reason is None:
            gone.append(which)
            report.line(f"removed {name}{_size(which)}")
        else:
            failed.append(f"{name}: {reason}")
            report.line(f"kept {name}: {reason}")
        report.progress(Progress(name, len(gone) + len(failed), len(going), bytes=False))

    # one task is cancelled: so are all of these
    await asyncio.gather(*(one(which) for which in going))
    said = f"{len(gone)} removed{_total(gone)}"
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise ActionError(f"{said}, {len(failed)} kept: {failed[0]}{more}")
    return said


def _line(going: Going) -> str:
    about = f"  {going.about}" if going.about else ""
    return f"{_name(going)}{about}{_size(going)}  on {going.item.ref.engine}"


def _name(going: Going) -> str:
    """An id that stands for a name is abbreviated as engines do."""
    name = name_of(going.item)
    return short_id(name) if len(name) == _ID else name


def _size(going: Going) -> str:
    return f"  {size_long(going.size)}" if going.size is not None else ""


def _total(going: Sequence[Going]) -> str:
    """How much comes free; with a word where not every size is known."""
    known = [one.size for one in going if one.size is not None]
    if not known:
        return ""
    least = "at least " if len(known) < len(going) else ""
    return f", {least}{size_long(sum(known))}"
