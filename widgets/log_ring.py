"""The newest lines of one or several logs by time, raw, within bounds; and which of them a filter lets through.

Lines have numbers, rising with their place; a line keeps its number while older ones are dropped. Older lines that come
late, and lines of several sources whose times interleave, are put where they belong, which numbers those after anew.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

MOST_LINES = 100_000
MOST_BYTES = 16_000_000
"""Of text, and of what each line takes beside its text."""
_EACH = 64
_MOST_AT_ONCE = 2000
_SPARE = 20
"""A twentieth over the bounds is let stand, so that not every line costs a move of all."""

Matcher = Callable[[bytes], bool]


class LogRing:
    """`texts`, `stamps` (Unix nanoseconds) and `tags` (source * 2, plus 1 for stderr) by place, oldest first."""

    def __init__(self, most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES) -> None:
        self.texts: list[bytes] = []
        self.stamps: array[int] = array("q")
        self.tags: array[int] = array("H")
        self.base = 0
        """The number of the line at place 0."""
        self.dropped = 0
        """Lines left out for the bounds."""
        self.renumbered: int | None = None
        """The first number that stands for another line since the last `add`; None: all stand for the same."""
        self._bytes = 0
        self._most_lines, self._most_bytes = most_lines, most_bytes
        self._filter: Matcher | None = None
        self._shown: array[int] = array("q")
        """Numbers of the lines the filter lets through; unused without one."""
        self._unsifted = 0
        """So many places from the start have not been looked at yet."""

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def end(self) -> int:
        """The number after the newest line's."""
        return self.base + len(self.texts)

    def add(self, texts: Sequence[bytes], stamps: Sequence[int], tags: Sequence[int]) -> None:
        """New lines in the order of their times; those older than what is here already are put among it."""
        self.renumbered = None
        if not texts:
            return
        self._bytes += sum(map(len, texts)) + _EACH * len(texts)
        first = stamps[0]
        if not self.stamps or first >= self.stamps[-1]:
            start = len(self.texts)
            self.texts += texts
            self.stamps.extend(stamps)
            self.tags.extend(tags)
        else:
            start = self._merge(texts, stamps, tags)
        self._sift_from(start)
        self._bound()

    def add_older(self, texts: Sequence[bytes], stamps: Sequence[int], tags: Sequence[int]) -> None:
        """As `add`, for lines that most likely come before all: then those here keep their numbers."""
        if not texts or not self.stamps or stamps[-1] > self.stamps[0]:
            self.add(texts, stamps, tags)
            return
        self.renumbered = None
        self._bytes += sum(map(len, texts)) + _EACH * len(texts)
        self.texts[:0] = texts
        self.stamps = array("q", stamps) + self.stamps
        self.tags = array("H", tags) + self.tags
        self.base -= len(texts)
        if self._filter is not None:
            self._shown = self._passing(0, len(texts)) + self._shown
            self._unsifted += len(texts) if self._unsifted else 0
        self._bound()

    def has_room(self, lines: int) -> bool:
        """Whether so many lines of usual length can be added without dropping others."""
        return len(self.texts) + lines <= self._most_lines and self._bytes + lines * 200 <= self._most_bytes

    def find(self, text: bytes, stamp: int) -> int | None:
        """The number of just this line, the very object."""
        at = bisect_left(self.stamps, stamp)
        while at < len(self.stamps) and self.stamps[at] == stamp:
            if self.texts[at] is text:
                return self.base + at
            at += 1
        return None

    def _merge(self, texts: Sequence[bytes], stamps: Sequence[int], tags: Sequence[int]) -> int:
        """Put lines among those here. Returns the first place that changed."""
        # Those here already come first where times are equal
        start = bisect_right(self.stamps, stamps[0])
        joined = self.stamps[start:]
        joined.extend(stamps)
        all_texts = [*self.texts[start:], *texts]
        all_tags = self.tags[start:]
        all_tags.extend(tags)
        # Two sorted runs: timsort takes them as they are
        order = sorted(range(len(joined)), key=joined.__getitem__)
        self.texts[start:] = [all_texts[at] for at in order]
        self.stamps[start:] = array("q", [joined[at] for at in order])
        self.tags[start:] = array("H", [all_tags[at] for at in order])
        self.renumbered = self.base + start
        return start

    def clear(self) -> None:
        """Forget every line; numbers go on."""
        self.base = self.end
        self.texts.clear()
        self.stamps = array("q")
        self.tags = array("H")
        self._shown = array("q")
        self._bytes = self._unsifted = 0

    def _bound(self) -> None:
        count, size = len(self.texts), self._bytes
        if count <= self._most_lines + self._most_lines // _SPARE and size <= self._most_bytes * (_SPARE + 1) // _SPARE:
            return
        gone = max(0, count - self._most_lines)
        size -= sum(map(len, self.texts[:gone])) + _EACH * gone
        while size > self._most_bytes and gone < count - 1:
            size -= len(self.texts[gone]) + _EACH
            gone += 1
        del self.texts[:gone], self.stamps[:gone], self.tags[:gone]
        self._bytes = size
        self.base += gone
        self.dropped += gone
        self._unsifted = max(0, self._unsifted - gone)
        if self._filter is not None:
            del self._shown[: bisect_left(self._shown, self.base)]

    # -- what a filter lets through -----------------------------------------------------------------------------

    def set_filter(self, lets_through: Matcher | None) -> None:
        """Show only these lines; `sift` then looks for them, newest first."""
        self._filter = lets_through
        self._shown = array("q")
        self._unsifted = len(self.texts) if lets_through else 0

    @property
    def sifting(self) -> bool:
        """Whether older lines have still to be looked at."""
        return self._unsifted > 0

    def sift(self, most: int) -> None:
        """Look at so many more lines, going back."""
        if self._filter is None or not self._unsifted:
            return
        start = max(0, self._unsifted - most)
        found = self._passing(start, self._unsifted)
        self._shown = found + self._shown
        self._unsifted = start

    def sift_for(self, seconds: float, lines: int) -> int:
        """Look at more lines for about so long, at first so many at once. Returns how many to begin with next time."""
        until = began = perf_counter()
        until += seconds
        while self._unsifted and began < until:
            self.sift(lines)
            now = perf_counter()
            lines = max(1, lines // 2) if now - began > seconds else min(_MOST_AT_ONCE, lines * 2)
            began = now
        return lines

    def _sift_from(self, start: int) -> None:
        """Places from `start` on are new or others."""
        if self._filter is None:
            return
        del self._shown[bisect_left(self._shown, self.base + start) :]
        self._unsifted = min(self._unsifted, start)
        self._shown.extend(self._passing(start, len(self.texts)))

    def _passing(self, start: int, stop: int) -> array[int]:
        lets_through, base = self._filter, self.base
        assert lets_through is not None  # noqa: S101
        return array("q", [base + at for at in range(start, stop) if lets_through(self.texts[at])])

    @property
    def count(self) -> int:
        """Lines that are shown."""
        return len(self.texts) if self._filter is None else len(self._shown)

    def number(self, place: int) -> int:
        """The number of the shown line at a place among those shown."""
        return self.base + place if self._filter is None else self._shown[place]

    def place(self, number: int) -> int:
        """The place among those shown of a line, or of the next shown after it."""
        if self._filter is None:
            return max(0, min(number - self.base, len(self.texts)))
        return bisect_left(self._shown, number)

    def numbers(self, start: int, step: int) -> Iterator[int]:
        """The numbers of shown lines from a place on, up or down."""
        place = start
        while 0 <= place < self.count:
            yield self.number(place)
            place += step
