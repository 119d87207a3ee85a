"""An app mixin that writes exactly the cells that are due.

Textual's partial update writes each changed region from the left edge of its widget, once per region, with a full
escape sequence for every segment. Over a slow line that is most of what a live table costs.
"""

from __future__ import annotations

from typing import Any

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip


class ExactUpdate(ChopsUpdate):
    """The same update, cropped at both ends of each span, a style's sequence written only where it changes."""

    def render_segments(self, console: Console) -> str:
        color_system = console._color_system or ColorSystem.TRUECOLOR
        out: list[str] = []
        current = ""
        for y, x1, x2 in self.spans:
            at = -1
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, x1), min(end, x2)
                if strip is None or first >= last:
                    continue
                if at != first:
                    out.append(f"\x1b[{y + 1};{first + 1}H")
                for text, style, control in strip.crop(first - x, last - x):
                    if control:
                        continue
                    ansi = _ansi(style, color_system)
                    if ansi != current:
                        out.append(f"\x1b[0;{ansi}m" if ansi else "\x1b[0m")
                        current = ansi
                    if style is not None and style.link:
                        text = f"\x1b]8;id={style.link_id};{style.link}\x1b\\{text}\x1b]8;;\x1b\\"  # noqa: PLW2901
                    out.append(text)
                at = last
        if current:
            out.append("\x1b[0m")
        return "".join(out)


def _ansi(style: Style | None, color_system: ColorSystem) -> str:
    return Strip.render_ansi(style, color_system) if style else ""


class ExactUpdates(App[Any]):
    """Mix into an app, before `App`, to have its partial updates written exactly."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if type(renderable) is ChopsUpdate and renderable.spans:
            renderable = ExactUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
        super()._display(screen, renderable)
