"""A line of a log in the rows it takes on screen: its time, its source, its stream, its text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.color import Color
from rich.style import Style
from textual.strip import Strip

from widgets.lines import LineView, join
from widgets.log_text import Finder, Pieces, Run, highlighted, rows, skip, styled
from widgets.text import fit, fit_runs, plain
from widgets.tones import Ground

NOTE = 0x8000
"""The tag's bit of lines that are no log's: what became of its stream, in plain clean text."""
_MOST_SOURCE = 16
_COLORS = tuple(Color.from_ansi(number) for number in (6, 3, 5, 2, 4, 14, 11, 13, 10, 12))


@dataclass(frozen=True, slots=True)
class LogLook:
    """How lines are drawn."""

    timestamps: bool = False
    wrap: bool = True


class LogPainter:
    """Draws with the styles of `view`; `pieces` cleans a raw line."""

    def __init__(self, view: LineView, pieces: Pieces) -> None:
        self.look = LogLook()
        self.sources: tuple[str, ...] = ()
        """Names of the logs, by the number in the tags; one alone is not named on its lines."""
        self.search: Finder | None = None
        self.left = 0
        """Cells scrolled off at the left, where lines are not wrapped."""
        self._view = view
        self._pieces = pieces

    def rows(self, raw: bytes, stamp: int, tag: int, width: int, picked: str) -> list[Strip]:
        """The rows of a line in `width` cells. `picked`: `one` or `many` when it is selected, alone or with others."""
        ink = self._view.ink
        ground: Ground = "" if not picked else "cursor" if self._view.has_focus else "cursor-blurred"
        base = ink("", ground)
        prefix: list[Run] = []
        if self.look.timestamps:
            prefix.append((f"{_moment(stamp)} ", base if picked else ink("dim")))
        if tag & NOTE:
            text = f"{self._view.glyphs.hline * 2} {plain(raw.decode(errors='replace'))}"
            return [self._strip([*prefix, (text, base if picked else ink("info"))], width, base)]
        prefix += self._source(tag >> 1, base)
        prefix.append(("! ", base if picked else ink("error")) if tag & 1 else ("  ", base))
        if tag & 1 and not picked:
            base = ink("warn")
        room = max(1, width - sum(len(text) for text, _ in prefix))
        if not self.look.wrap:
            # Only what can be seen: a line may be long
            raw = raw[: (self.left + room) * 4 + 512]
        runs = styled(self._pieces(raw), base)
        if self.search is not None:
            runs = highlighted(runs, self.search, ink("", "match-current" if picked == "one" else "match"))
        if not self.look.wrap:
            return [self._strip([*prefix, *skip(runs, self.left)], width, base)]
        blank = (" " * (width - room), base)
        return [self._strip([blank, *row] if index else [*prefix, *row], width, base)
                 for index, row in enumerate(rows(runs, room))]  # fmt: skip

    def _source(self, source: int, base: Style) -> list[Run]:
        if len(self.sources) < 2 or source >= len(self.sources):
            return []
        most = max(len(name) for name in self.sources)
        room = min(_MOST_SOURCE, most, max(4, self._view.size.width // 4))
        name = fit(self.sources[source], room, ellipsis=self._view.glyphs.ellipsis)
        return [(f"{name} ", base + Style(color=_COLORS[source % len(_COLORS)]))]

    def _strip(self, runs: Sequence[Run], width: int, pad: Style) -> Strip:
        return Strip(join(fit_runs(runs, width, pad, ellipsis=self._view.glyphs.ellipsis)), width)


def _moment(stamp: int) -> str:
    """Unix nanoseconds in the reader's time zone: `01-31 13:00:00.123`."""
    seconds, nanoseconds = divmod(stamp, 1_000_000_000)
    try:
        text = time.strftime("%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        text = "??-?? ??:??:??"
    return f"{text}.{nanoseconds // 1_000_000:03}"
