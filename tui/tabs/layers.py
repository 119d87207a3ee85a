"""An image's layers: what made each, how large it is and when it came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on

from backends.abilities.images import History, Layer
from backends.model import Item
from backends.secrets import mask_text
from tui.formats import age, local_time, size, size_long
from tui.selection import short_id
from tui.tabs import TabSpec
from tui.tabs.table_tab import TableTab
from widgets.confirm import Choice, Confirm
from widgets.line import Line, Part
from widgets.table import Cell, Column, Row, Table
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.details import Details

_COLUMNS = (
    Column("size", "SIZE", 5, align="right"),
    Column("age", "AGE", 4, align="right", priority=1),
    Column("command", "MADE BY", 20, flex=4),
    Column("id", "ID", 12, priority=3),
)


class LayersTab(TableTab):
    def __init__(self, spec: TabSpec, frame: Details) -> None:
        glyphs = frame.look().glyphs
        self._sum = Line(glyphs=glyphs)
        self._layers: tuple[Layer, ...] = ()
        super().__init__(spec, frame, Table(_COLUMNS, id="layers", glyphs=glyphs), self._sum)

    async def ask(self, item: Item) -> tuple[Layer, ...]:
        return await self.frame.able(item.ref.engine, History).history(item.ref)

    def show_failure(self, reason: str) -> None:
        self._layers = ()
        super().show_failure(reason)

    def show_answer(self, item: Item, answer: Sequence[Layer]) -> None:
        del item
        self._layers = tuple(answer)
        filled = sum(layer.size > 0 for layer in answer)
        total = sum(layer.size for layer in answer)
        self._sum.set_parts(
            [Part(f" {len(answer)} steps, {filled} with files", "strong"), Part(f"  {size_long(total)}", "dim")]
        )
        self.table.set_message([("The engine knows no history of it.", "dim")])
        now = self.frame.look().now
        self.table.set_rows([row_of(number, layer, now) for number, layer in enumerate(answer)])

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        """The selected step whole, in a box to read."""
        event.stop()
        if not isinstance(event.key, int) or event.key >= len(self._layers):
            return
        layer = self._layers[event.key]
        lines: list[tuple[str, Tone]] = [(made_by(layer), "strong"), ("", "")]
        lines.append((f"{size_long(layer.size)}, {local_time(layer.created)}", ""))
        lines += [(f"tag {tag}", "accent") for tag in layer.tags]
        lines += [(text, "dim") for text in (layer.comment, layer.id) if text]
        glyphs = self.frame.look().glyphs
        close = (Choice("close", "Close"),)
        self.app.push_screen(Confirm("Layer", lines, choices=close, safe="close", glyphs=glyphs))

    def copied(self) -> tuple[str, str] | None:
        key = self.table.cursor_key
        if not isinstance(key, int) or key >= len(self._layers):
            return None
        return made_by(self._layers[key]), "command"


def row_of(number: int, layer: Layer, now: float) -> Row:
    command = made_by(layer)
    verb, blank, rest = command.partition(" ")
    tags = f"  {' '.join(layer.tags)}" if layer.tags else ""
    return Row(
        number,
        (
            Cell(size(layer.size), "" if layer.size else "dim"),
            Cell(age(now - layer.created) if layer.created > 0 else "–", "dim"),
            Cell(spans=((verb, "strong"), (f"{blank}{rest}", ""), (tags, "accent"))),
            Cell(short_id(layer.id), "dim"),
        ),
    )


def made_by(layer: Layer) -> str:
    """What made a layer as its Dockerfile had it, secrets masked."""
    command = " ".join(mask_text(layer.command).split())
    command = command.removesuffix(" # buildkit")
    shell, marker, rest = command.partition("#(nop) ")
    if marker and shell.startswith("/bin/sh -c"):
        command = rest.strip()
    elif command.startswith("/bin/sh -c "):
        command = "RUN " + command.removeprefix("/bin/sh -c ")
    elif command.startswith("RUN /bin/sh -c "):
        command = "RUN " + command.removeprefix("RUN /bin/sh -c ")
    return command or layer.comment or "–"
