"""An app mixin that writes exactly the cells that are due.

Textual 8.2's partial update writes each changed region from the left edge of its widget, once per region, with a full
escape sequence for every segment. Over a slow line that is most of what a live table costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from rich.color import Color, ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip

from widgets.text import width_of

_ASCII = str.maketrans("–—…→←↑↓°─━│┃┌┐└┘├┤┬┴┼╭╮╯╰•·✓■", "--~><^v --||+++++++++++++*.*#")


# one sign or several, of other widths than measured, as the terminal likes: joined and coloured emoji, flags
_JOINED = re.compile("[^ ](?:[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff]|\u200d.?)+", re.DOTALL)


@lru_cache(8192)
def in_ascii(text: str) -> str:
    """The text in ASCII characters, in as many cells; what has no likeness there is a question mark."""
    if text.isascii():
        return text
    text = _JOINED.sub(lambda sign: "?" * width_of(sign.group()), text.translate(_ASCII))
    return "".join(char if char.isascii() else "?" * width_of(char) for char in text)


def pinned(text: str, x: int) -> str:
    """The text as drawn from column `x` (from 0), what follows a sign of unsure width put where it belongs."""
    out: list[str] = []
    done = 0
    for sign in _JOINED.finditer(text):
        at, end = x + width_of(text[: sign.start()]), x + width_of(text[: sign.end()])
        # what it does not cover must not keep what was there
        out.append(f"{text[done : sign.start()]}\x1b[{end - at}X{sign.group()}\x1b[{end + 1}G")
        done = sign.end()
    return "".join([*out, text[done:]]) if out else text


class ExactUpdate(ChopsUpdate):
    """The same partial update, cropped at both ends of each span."""

    ascii_only = False

    def render_segments(self, console: Console) -> str:
        pen = _Pen(console, ascii_only=self.ascii_only)
        for y, x1, x2 in self.spans:
            at = -1
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, x1), min(end, x2)
                if strip is None or first >= last:
                    continue
                if at != first:
                    pen.move(first, y)
                pen.write(strip.crop(first - x, last - x))
                at = last
        return pen.text()


class ExactLayout(LayoutUpdate):
    """The same full update with the shorter sequences."""

    ascii_only = False

    def render_segments(self, console: Console) -> str:
        pen = _Pen(console, ascii_only=self.ascii_only)
        for y, strips in enumerate(self.strips, self.region.y):
            pen.move(self.region.x, y)
            for strip in strips:
                if strip is not None:
                    pen.write(strip)
        return pen.text()


class _Pen:
    """Collects what is written; of each style only what differs from the one before."""

    def __init__(self, console: Console, *, ascii_only: bool) -> None:
        self._ascii_only = ascii_only
        self._colors = console._color_system or ColorSystem.TRUECOLOR
        self._style: Style | None = None
        self._out: list[str] = []
        self._x = 0

    def move(self, x: int, y: int) -> None:
        self._x = x
        self._out.append(f"\x1b[{y + 1};{x + 1}H")

    def write(self, segments: Iterable[Segment]) -> None:
        for drawn, style, control in segments:
            if control or not drawn:
                continue
            text = in_ascii(drawn) if self._ascii_only else drawn if drawn.isascii() else pinned(drawn, self._x)
            self._x += width_of(drawn)
            if style is not self._style:
                self._out.append(_change(self._style, style, self._colors))
                self._style = style
            if style is not None and style.link:
                self._out.append(f"\x1b]8;id={style.link_id};{style.link}\x1b\\{text}\x1b]8;;\x1b\\")
            else:
                self._out.append(text)

    def text(self) -> str:
        return "".join([*self._out, _change(self._style, None, self._colors)])


@lru_cache(8192)
def _change(old: Style | None, new: Style | None, colors: ColorSystem) -> str:
    """The sequence from one style to another."""
    before, after = _codes(old, colors), _codes(new, colors)
    if before == after:
        return ""
    if before[0] == after[0] and all(after[i] or not before[i] for i in (1, 2)):
        return f"\x1b[{';'.join(after[i] for i in (1, 2) if after[i] != before[i])}m"
    return f"\x1b[{';'.join(['0', *filter(None, after)])}m" if any(after) else "\x1b[0m"


@lru_cache(4096)
def _codes(style: Style | None, colors: ColorSystem) -> tuple[str, str, str]:
    """A style's codes: attributes, foreground, background; empty where it has none."""
    if not style:
        return "", "", ""
    return (
        Strip.render_ansi(style.without_color, colors),
        _color_codes(style.color, colors, foreground=True),
        _color_codes(style.bgcolor, colors, foreground=False),
    )


def _color_codes(color: Color | None, colors: ColorSystem, *, foreground: bool) -> str:
    return "" if color is None else ";".join(color.downgrade(colors).get_ansi_codes(foreground))


class ExactUpdates(App[Any]):
    """Mix into an app, before `App`, to have its updates written exactly."""

    ascii_only = False
    """Whether everything drawn, by whatever widget, is put in ASCII."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if type(renderable) is ChopsUpdate:
            renderable = ExactUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
        elif type(renderable) is LayoutUpdate:
            renderable = ExactLayout(renderable.strips, renderable.region)
        if isinstance(renderable, ExactUpdate | ExactLayout):
            renderable.ascii_only = self.ascii_only
        super()._display(screen, renderable)
