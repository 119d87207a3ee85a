"""The signs widgets draw with, in three sets: for terminals with braille, without it, and with ASCII only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs; every sign is one cell wide."""

    dots: Literal["braille", "block", "ascii"]
    """How charts are drawn: 2x4 dots a cell, eighths of a block, or letters."""
    levels: str
    """Signs of rising height, blank first; `dots == "braille"` computes its own."""
    meter_full: str
    meter_empty: str
    ellipsis: str
    mark: str
    folded: str
    unfolded: str
    leaf: str
    sort_up: str
    sort_down: str
    thumb: str
    track: str
    hline: str
    vline: str
    corner: str
    tee: str
    tick: str
    series: tuple[str, str]
    """The legend's signs of a chart's first and second series."""
    mask: str
    dot: str
    checked: str
    unchecked: str


BRAILLE = Glyphs(
    dots="braille",
    levels=" ▁▂▃▄▅▆▇█",
    meter_full="■",
    meter_empty="·",
    ellipsis="…",
    mark="✓",
    folded="▸",
    unfolded="▾",
    leaf=" ",
    sort_up="▲",
    sort_down="▼",
    thumb="┃",
    track="│",
    hline="─",
    vline="│",
    corner="└",
    tee="├",
    tick="┤",
    series=("⣿", "⠤"),
    mask="•",
    dot="·",
    checked="[x]",
    unchecked="[ ]",
)

BLOCK = Glyphs(
    dots="block",
    levels=" ▁▂▃▄▅▆▇█",
    meter_full="█",
    meter_empty="░",
    ellipsis="…",
    mark="√",
    folded="►",
    unfolded="▼",
    leaf=" ",
    sort_up="▲",
    sort_down="▼",
    thumb="█",
    track="│",
    hline="─",
    vline="│",
    corner="└",
    tee="├",
    tick="┤",
    series=("█", "━"),
    mask="•",
    dot="·",
    checked="[x]",
    unchecked="[ ]",
)

ASCII = Glyphs(
    dots="ascii",
    levels=" _.-=+*#%",
    meter_full="#",
    meter_empty=".",
    ellipsis="~",
    mark="*",
    folded=">",
    unfolded="v",
    leaf=" ",
    sort_up="^",
    sort_down="v",
    thumb="#",
    track="|",
    hline="-",
    vline="|",
    corner="+",
    tee="+",
    tick="+",
    series=("#", "o"),
    mask="*",
    dot=".",
    checked="[x]",
    unchecked="[ ]",
)
