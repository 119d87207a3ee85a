"""Small pictures of figures over time: pure functions from samples to text, on a scale that does not move."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import LineView, join
from widgets.text import fit, width_of
from widgets.tones import Tone

Sample = float | None
Run = tuple[str, Tone]

_FIRST: Tone = "info"
_SECOND: Tone = "warn"

_BRAILLE = 0x2800
# Bits of a braille cell's dots from the bottom up: left column, right column.
_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)
_ALL_LEFT, _ALL_RIGHT = sum(_LEFT), sum(_RIGHT)


def spark(values: Sequence[Sample], width: int, top: float = 1.0, glyphs: Glyphs = BRAILLE) -> str:
    """One line of history in `width` cells, the newest sample at its right end, on the scale 0..top.

    Braille holds two samples a cell, the other sets one. Blank where there is no sample; any value above 0 shows.
    """
    return chart(values, width, 1, top, glyphs)[0]


def chart(values: Sequence[Sample], width: int, height: int, top: float, glyphs: Glyphs = BRAILLE) -> list[str]:
    """An area of `height` lines of `width` cells, filled from 0 up to each sample; as `spark` otherwise."""
    if glyphs.dots == "braille":
        levels = _levels(values, width * 2, height * 4, top)
        return _braille_lines(levels, width, height)
    steps = len(glyphs.levels) - 1
    levels = _levels(values, width, height * steps, top)
    signs = glyphs.levels
    lines: list[str] = []
    for line in range(height):
        floor = (height - 1 - line) * steps
        lines.append("".join([signs[min(steps, max(0, level - floor))] for level in levels]))
    return lines


def overlay(
    first: Sequence[Sample],
    second: Sequence[Sample],
    width: int,
    height: int,
    top: float,
    *,
    glyphs: Glyphs = BRAILLE,
) -> list[list[tuple[str, Tone]]]:
    """The first series as an area and the second as a line over it, in runs of (text, tone) for each line.

    Within the area the line is drawn by leaving its dots out: the two are told apart without colours too. On the
    area's edge it stays.
    """
    area = chart(first, width, height, top, glyphs)
    braille = glyphs.dots == "braille"
    steps = 4 if braille else len(glyphs.levels) - 1
    levels = _levels(second, capacity(width, glyphs), height * steps, top)
    edge = _levels(first, capacity(width, glyphs), height * steps, top)
    lines: list[list[tuple[str, Tone]]] = []
    for y in range(height):
        floor = (height - 1 - y) * steps
        runs: list[tuple[str, Tone]] = []
        for x in range(width):
            sign, on_line = area[y][x], False
            if braille:
                left, right = levels[2 * x] - floor, levels[2 * x + 1] - floor
                bits = (_LEFT[left - 1] if 0 < left <= 4 else 0) | (_RIGHT[right - 1] if 0 < right <= 4 else 0)
                on_line = bits > 0
                if on_line:
                    kept = (_ALL_LEFT if levels[2 * x] == edge[2 * x] else 0) | (
                        _ALL_RIGHT if levels[2 * x + 1] == edge[2 * x + 1] else 0
                    )
                    area_bits = 0 if sign == " " else ord(sign) - _BRAILLE
                    sign = chr(_BRAILLE + ((area_bits ^ bits) | (bits & kept)))
            elif 0 < levels[x] - floor <= steps:
                sign, on_line = glyphs.series[1], True
            tone = _SECOND if on_line else _FIRST
            if runs and (runs[-1][1] == tone or sign == " "):
                runs[-1] = (runs[-1][0] + sign, runs[-1][1])
            else:
                runs.append((sign, tone))
        lines.append(runs)
    return lines


def meter(fraction: float, width: int, glyphs: Glyphs = BRAILLE) -> str:
    """A bar of `width` cells filled to `fraction` (0..1, clamped); any fraction above 0 fills one cell."""
    fraction = min(1.0, max(0.0, fraction)) if fraction == fraction else 0.0  # noqa: PLR0124 - NaN
    full = min(width, max(1, round(fraction * width))) if fraction > 0 else 0
    return glyphs.meter_full * full + glyphs.meter_empty * (width - full)


def capacity(width: int, glyphs: Glyphs = BRAILLE) -> int:
    """How many samples `width` cells show."""
    return width * 2 if glyphs.dots == "braille" else width


def _levels(values: Sequence[Sample], count: int, steps: int, top: float) -> list[int]:
    """The last `count` samples as heights 0..steps, right-aligned."""
    shown = values[-count:] if count > 0 else ()
    scale = steps / top if top > 0 else 0.0
    levels = [0] * (count - len(shown))
    for value in shown:
        if value is None or not value > 0:
            levels.append(0)
        else:
            levels.append(max(1, min(steps, int(min(value * scale, steps) + 0.5))))
    return levels


def _braille_lines(levels: Sequence[int], width: int, height: int) -> list[str]:
    lines: list[str] = []
    for line in range(height):
        floor = (height - 1 - line) * 4
        cells: list[str] = []
        for cell in range(width):
            left, right = levels[2 * cell] - floor, levels[2 * cell + 1] - floor
            bits = _COLUMN[0][min(4, max(0, left))] | _COLUMN[1][min(4, max(0, right))]
            cells.append(chr(_BRAILLE + bits) if bits else " ")
        lines.append("".join(cells))
    return lines


def _filled(dots: tuple[int, int, int, int]) -> tuple[int, ...]:
    return tuple(sum(dots[:count]) for count in range(5))


_COLUMN = (_filled(_LEFT), _filled(_RIGHT))


def duration(seconds: float) -> str:
    """A span of time in its largest fitting unit: `45s`, `3m`, `2h`."""
    if seconds < 120:
        return f"{round(seconds)}s"
    return f"{round(seconds / 60)}m" if seconds < 7200 else f"{seconds / 3600:.3g}h"


_TALL = 7
"""Lines from which on a chart has room for a heading of two."""


class Chart(LineView):
    """A titled chart with axes: newest sample at the right, 0 at the bottom, `top` at the top.

    With `top` None the scale is the lowest of 1, 2 or 5 times a power of ten above all samples shown.
    """

    DEFAULT_CSS = """
    Chart { height: 8; }
    """

    def __init__(
        self,
        title: str,
        *,
        unit_format: Callable[[float], str],
        top: float | None = None,
        short_format: Callable[[float], str] | None = None,
        binary: bool = False,
        glyphs: Glyphs = BRAILLE,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`short_format` is for headings that lack room; `binary`: a free scale ends at 1, 2 or 5 of a binary unit."""
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self.title = title
        self._format = unit_format
        self._short = short_format or unit_format
        self._unit = 1024.0 if binary else 1.0
        self._note = ""
        self._axis = 0
        self._time_axis = True
        self._fixed_top = top
        self._top = top
        self._series: tuple[Sample, ...] = ()
        self._second: tuple[Sample, ...] | None = None
        self._legend = ("", "")
        self._seconds = 1.0
        self._lines: tuple[tuple[int, int], list[Strip]] | None = None

    def set_data(
        self,
        series: Sequence[Sample],
        seconds_per_sample: float,
        top: float | None = None,
        *,
        second: Sequence[Sample] | None = None,
        legend: tuple[str, str] = ("", ""),
        note: str = "",
    ) -> None:
        """New samples, oldest first; `top` None is the chart's own.

        `second` is drawn as a line over the first's area, both named by `legend`. `note` ends the heading.
        """
        self._series = tuple(series)
        self._second = None if second is None else tuple(second)
        self._seconds = seconds_per_sample
        self._legend = legend
        self._note = note
        self._top = self._fixed_top if top is None else top
        self._lines = None
        self.repaint()

    def label_width(self) -> int:
        """Cells the labels of the value axis take."""
        width, height = self.size
        lines = range(max(1, height - 3), max(2, height))
        return max(width_of(label) for plot in lines for label in self._labels(width, plot).values())

    def set_shape(self, axis: int, *, time_axis: bool) -> None:
        """Have at least `axis` cells for the labels of the value axis, and a time axis or none."""
        if (self._axis, self._time_axis) != (axis, time_axis):
            self._axis, self._time_axis = axis, time_axis
            self._lines = None
            self.repaint()

    def restyle(self) -> None:
        self._lines = None

    def line(self, y: int) -> Strip:
        size = (self.size.width, self.size.height)
        if self._lines is None or self._lines[0] != size:
            self._lines = (size, self._draw(*size))
        return self._lines[1][y]

    def _draw(self, width: int, height: int) -> list[Strip]:
        lines = [Strip(self.segments(runs, width), width) for runs in self._headings(width, height)]
        body = height - len(lines) - int(self._time_axis)
        if body >= 1:
            lines.extend(self._plot(width, body))
        blank = Strip(self.segments([], width), width)
        lines.extend([blank] * (height - len(lines)))
        return lines[:height]

    def _headings(self, width: int, height: int) -> list[list[Run]]:
        """All on one line, else a line for each series, else without words."""
        title: Run = (self.title, "strong")
        note: list[Run] = [(f"  {self._note}", "dim")] if self._note else []
        pairs = self._pairs()
        named: list[list[Run]] = [
            [(f"  {sign} {name}", tone), (self._figures(values), "")] for sign, name, tone, values in pairs
        ] or [[(self._figures(self._series), "")]]
        whole = [title, *(run for runs in named for run in runs), *note]
        if sum(width_of(text) for text, _ in whole) <= width:
            return [whole]
        if pairs and height >= _TALL:
            blank: Run = (" " * width_of(self.title), "")
            return [_noted([title, *named[0]], note, width), [blank, *named[1]]]
        short: list[Run] = []
        for sign, name, tone, values in pairs:
            short += [(f" {sign} {name}", tone), (self._in_short(values), "")]
        return [_noted([title, *(short or [(self._in_short(self._series), "")])], note, width)]

    def _pairs(self) -> list[tuple[str, str, Tone, Sequence[Sample]]]:
        """Sign, name, tone and samples of the two series; nothing where there is one."""
        if self._second is None:
            return []
        tones: tuple[Tone, Tone] = (_FIRST, _SECOND)
        return list(zip(self.glyphs.series, self._legend, tones, (self._series, self._second), strict=True))

    def _figures(self, values: Sequence[Sample]) -> str:
        known = [value for value in values if value is not None]
        if not known:
            return "  no data yet"
        now = values[-1]
        shown = "-" if now is None else self._format(now)
        return f"  now {shown}  avg {self._format(sum(known) / len(known))}  peak {self._format(max(known))}"

    def _in_short(self, values: Sequence[Sample]) -> str:
        known = [value for value in values if value is not None]
        if not known:
            return " no data"
        now = "-" if values[-1] is None else self._short(values[-1])
        return f" {now} avg {self._short(sum(known) / len(known))} peak {self._short(max(known))}"

    def _scale(self, width: int) -> float:
        samples = capacity(width, self.glyphs)
        return self._top or nice_top([*self._series[-samples:], *(self._second or ())[-samples:]], self._unit)

    def _labels(self, width: int, height: int) -> dict[int, str]:
        """What a plot's value axis says, by line: the value at that line's upper edge."""
        top = self._scale(width)
        labels = {0: self._format(top), height - 1: self._format(0.0)}
        if height >= 5:
            labels[height // 2] = self._format(top * (height - height // 2) / height)
        return labels

    def _plot(self, width: int, height: int) -> list[Strip]:
        top = self._scale(width)
        marks = self._labels(width, height)
        axis = min(max(self._axis, *map(width_of, marks.values())), max(0, width - 4))
        inner = max(0, width - axis - 1)
        if self._second is None:
            areas = [[(text, _FIRST)] for text in chart(self._series, inner, height, top, self.glyphs)]
        else:
            areas = overlay(self._series, self._second, inner, height, top, glyphs=self.glyphs)
        lines: list[Strip] = []
        for y in range(height):
            label = fit(marks.get(y, ""), axis, "right", self.glyphs.ellipsis)
            sign = self.glyphs.tick if y in marks else self.glyphs.vline
            lines.append(self._strip([(label + sign, "dim"), *areas[y]], width))
        if self._time_axis:
            lines.append(self._strip([(self._times(axis, inner), "dim")], width))
        return lines

    def _times(self, axis: int, inner: int) -> str:
        line = self.glyphs.hline * inner
        start = f"-{duration(capacity(inner, self.glyphs) * self._seconds)}"
        half = f"-{duration(capacity(inner, self.glyphs) * self._seconds / 2)}"
        if inner >= len(start) + 6:
            line = start + line[len(start) : -3] + "now"
        if inner >= 4 * len(half) + 8:
            at = inner // 2
            line = line[:at] + half + line[at + len(half) :]
        return " " * axis + self.glyphs.corner + line

    def _strip(self, runs: Sequence[tuple[str, Tone]], width: int) -> Strip:
        return Strip(join([(text, self.ink(tone)) for text, tone in runs]), width)


def _noted(runs: list[Run], note: list[Run], width: int) -> list[Run]:
    """With the note, where there is room for it."""
    whole = [*runs, *note]
    return whole if sum(width_of(text) for text, _ in whole) <= width else runs


def nice_top(values: Sequence[Sample], unit: float = 1.0) -> float:
    """The lowest of 1, 2 or 5 times a power of ten that is at least every sample; 1 without any above 0.

    With a `unit` of 1024 it is a power of ten of the largest binary unit below the peak.
    """
    peak = max((value for value in values if value is not None), default=0.0)
    if not peak > 0:
        return 1.0
    if unit > 1 and peak > unit:
        return unit * nice_top([peak / unit], unit)
    power = 1.0
    while power * 10 <= peak:
        power *= 10
    while power > peak:
        power /= 10
    return next((power * step for step in (1, 2, 5) if power * step >= peak), power * 10)
