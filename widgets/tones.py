"""Semantic tones and how they become styles: by component classes, so that the app's theme decides the colours."""

from __future__ import annotations

from typing import Literal, get_args

from rich.style import Style
from textual.widget import Widget

Tone = Literal["", "dim", "ok", "warn", "error", "info", "accent", "strong"]
Ground = Literal["", "cursor", "cursor-blurred", "faded", "header", "match", "match-current", "bar"]

TONES: tuple[Tone, ...] = get_args(Tone)

COMPONENT_CLASSES = frozenset(
    {f"tone--{tone}" for tone in TONES if tone} | {f"ground--{ground}" for ground in get_args(Ground) if ground}
)

CSS = """
    & > .tone--dim { color: $text-muted; }
    & > .tone--ok { color: $text-success; }
    & > .tone--warn { color: $text-warning; }
    & > .tone--error { color: $text-error; text-style: bold; }
    & > .tone--info { color: $text-primary; }
    & > .tone--accent { color: $text-accent; }
    & > .tone--strong { text-style: bold; }
    & > .ground--cursor {
        background: $block-cursor-background;
        color: $block-cursor-foreground;
        text-style: $block-cursor-text-style;
    }
    & > .ground--cursor-blurred { background: $block-cursor-blurred-background; }
    & > .ground--faded { color: $text-disabled; }
    & > .ground--header { color: $text-muted; text-style: bold; }
    & > .ground--match { background: $warning 40%; color: $text; }
    & > .ground--match-current { background: $warning; color: $background; text-style: bold; }
    & > .ground--bar { color: $foreground-muted; }
"""

# Grounds that paint every tone alike: the text stays readable whatever the theme's colours are.
_FLAT: frozenset[Ground] = frozenset({"cursor", "faded", "header", "match", "match-current", "bar"})

# Where colours are few or none, attributes carry what a background would.
_PLAIN: dict[Ground, Style] = {
    "cursor": Style(reverse=True),
    "cursor-blurred": Style(underline=True),
    "match": Style(underline=True, bold=True),
    "match-current": Style(reverse=True),
}

# The theme's shades come out as white in 16 colours; these are the exact ones of that palette, on dark and on light.
_SIXTEEN: dict[Tone, tuple[str, str]] = {
    "ok": ("#55ff55", "#00aa00"),
    "warn": ("#ffff55", "#aa5500"),
    "error": ("#ff5555", "#aa0000"),
    "info": ("#55ffff", "#0000aa"),
    "accent": ("#ff55ff", "#aa00aa"),
}


def few_colors(widget: Widget) -> bool:
    """Whether the terminal shows 16 colours or fewer, or the user asked for none (NO_COLOR)."""
    return widget.app.no_color or widget.app.console.color_system in {None, "standard", "windows"}


class Palette:
    """A widget's styles by tone and ground, resolved once. Make a new one when the widget's styles changed."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._few = few_colors(widget)
        self._styles: dict[tuple[Tone, Ground], Style] = {}
        self._base = self._component()

    def __call__(self, tone: Tone = "", ground: Ground = "") -> Style:
        key = (tone, ground)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._resolve(tone, ground)
        return style

    def same_as(self, other: Palette) -> bool:
        """Whether everything the other palette was asked for looks the same in this one."""
        return self._base == other._base and all(self(*key) == style for key, style in other._styles.items())

    def _component(self, *names: str) -> Style:
        style = self._widget.get_component_rich_style(*names) if names else self._widget.rich_style
        # Styles carry link and meta information nobody needs; without it equal looks are equal styles.
        return Style.from_color(style.color, style.bgcolor) + Style(
            bold=style.bold or None,
            dim=style.dim or None,
            italic=style.italic or None,
            underline=style.underline or None,
            reverse=style.reverse or None,
        )

    def _resolve(self, tone: Tone, ground: Ground) -> Style:
        toned = self._component(f"tone--{tone}") if tone else self._base
        if self._few and not self._widget.app.no_color and (pair := _SIXTEEN.get(tone)):
            toned += Style(color=pair[0 if self._widget.app.current_theme.dark else 1])
        if not ground:
            return toned
        if self._few and ground in _PLAIN:
            return (self._base if ground in _FLAT else toned) + _PLAIN[ground]
        grounded = self._component(f"ground--{ground}")
        return grounded if ground in _FLAT else toned + Style(bgcolor=grounded.bgcolor)
