"""The ring of a log's lines, its filter, and a line made safe and drawn in its own colours."""

from __future__ import annotations

import random
import re
import time

from rich.style import Style

from backends.log_text import pieces, plain, searched
from tui.log_pattern import Pattern
from widgets.log_ring import LogRing
from widgets.log_text import highlighted, rows, skip, styled

PLAIN = Style()


def filled(stamps: list[int], ring: LogRing | None = None) -> LogRing:
    ring = LogRing() if ring is None else ring
    ring.add([b"%d" % stamp for stamp in stamps], stamps, [0] * len(stamps))
    return ring


def shown(ring: LogRing) -> list[bytes]:
    return [ring.texts[ring.number(place) - ring.base] for place in range(ring.count)]


def test_lines_of_several_sources_stand_in_the_order_of_their_times():
    ring = filled([1, 5, 9])
    filled([2, 6, 10], ring)
    filled([6, 6, 11], ring)
    assert list(ring.stamps) == [1, 2, 5, 6, 6, 6, 9, 10, 11]
    assert ring.texts == [b"%d" % stamp for stamp in ring.stamps]
    ring.add_older([b"-2", b"-1"], [-2, -1], [0, 0])
    assert ring.renumbered is None
    assert ring.base == -2
    assert ring.texts[:3] == [b"-2", b"-1", b"1"]
    ring.add_older([b"0", b"7"], [0, 7], [0, 0])
    assert list(ring.stamps) == sorted(ring.stamps)
    assert ring.renumbered == 0


def test_it_keeps_within_its_bounds_and_counts_what_it_dropped():
    ring = LogRing(most_lines=1000, most_bytes=10**9)
    for start in range(0, 50_000, 100):
        filled(list(range(start, start + 100)), ring)
        assert len(ring) <= 1050
        assert ring.base == ring.dropped
        assert ring.texts[-1] == b"%d" % (start + 99)
    assert ring.dropped + len(ring) == 50_000
    heavy = LogRing(most_lines=1000, most_bytes=200_000)
    for number in range(100):
        heavy.add([b"x" * 32_000], [number], [0])
        assert sum(map(len, heavy.texts)) < 250_000
    assert heavy.dropped + len(heavy) == 100
    heavy.add([b"y" * 300_000], [1000], [0])
    assert [text[:1] for text in heavy.texts] == [b"y"]


def test_a_filter_shows_the_newest_at_once_and_older_ones_as_they_are_looked_at():
    ring = filled(list(range(10_000)))
    ring.set_filter(lambda raw: raw.endswith(b"7"))
    ring.sift(1000)
    assert ring.count == 100
    assert ring.sifting
    filled([10_007, 10_008], ring)
    assert shown(ring)[-2:] == [b"9997", b"10007"]
    while ring.sifting:
        ring.sift(3000)
    assert shown(ring) == [b"%d" % number for number in range(7, 10_008, 10)]
    assert ring.place(ring.number(500)) == 500
    ring.set_filter(None)
    assert ring.count == 10_002


def test_a_filter_holds_whatever_comes_goes_and_is_put_in_between():
    chance = random.Random(3)
    ring = LogRing(most_lines=500, most_bytes=10**9)
    ring.set_filter(lambda raw: int(raw) % 3 == 0)
    newest = 1000
    for step in range(400):
        first = newest - chance.randrange(30)
        stamps = sorted(first + chance.randrange(40) for _ in range(chance.randrange(1, 12)))
        newest = max(newest, stamps[-1])
        filled(stamps, ring)
        if step % 50 == 20:
            ring.add_older([b"%d" % ring.stamps[0]], [ring.stamps[0]], [0])
        if step % 100 == 60:
            ring.set_filter(lambda raw: int(raw) % 3 == 0)
            ring.sift(100)
        if not ring.sifting:
            assert shown(ring) == [text for text in ring.texts if int(text) % 3 == 0]
        ring.sift(200)
        assert list(ring.stamps) == sorted(ring.stamps)
        assert all(int(text) == stamp for text, stamp in zip(ring.texts, ring.stamps, strict=True))


def test_a_flood_costs_little():
    ring = LogRing()
    batch = [b"a line of a log of usual length, GET /index.html 200 0.003"] * 10_000
    began = time.process_time()
    for number in range(20):
        ring.add(batch, range(number * 10_000, number * 10_000 + 10_000), [0] * 10_000)
    assert time.process_time() - began < 1.0


def test_what_a_pattern_means():
    assert Pattern("error").passes("an ERROR here")
    assert not Pattern("Error").passes("an ERROR here")
    assert Pattern("a.c").passes("xa.cx") and not Pattern("a.c").passes("abc")
    assert Pattern("/a.c/").passes("abc")
    assert Pattern("!debug", inverts=True).passes("info")
    assert not Pattern("!/^d/", inverts=True).passes("debug")
    assert Pattern("!", inverts=True).passes("wow!")
    assert not Pattern("!x").passes("no exclamation mark")
    assert not Pattern("  ").active
    for wrong in ("/(/", "/a{99999999999}/", "/" + "(" * 5000 + "/"):
        try:
            Pattern(wrong)
        except ValueError as error:
            assert "\n" not in str(error)
        else:
            raise AssertionError(wrong)


def test_colours_stay_and_everything_else_is_made_harmless():
    raw = b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07\x1b[2J\x1b[H\xc2\x9b5n\x00\x07bell\rback\x08 "
    raw += b"\xe2\x80\xaebidi \xff\x1b[8mhid\x1b[5m\x1b[7m"
    found = pieces(raw)
    assert found[0] == ("red", "1;31")
    text = "".join(part for part, _ in found)
    assert text == "red ␀␇bell␍back␈ �bidi �hid"
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", text)
    assert plain(raw) == text
    assert "\x1b" not in searched(raw)
    runs = styled(found, PLAIN)
    assert runs[0][0] == "red"
    assert runs[0][1].bold and runs[0][1].color is not None and runs[0][1].color.number == 1
    assert not any(style.conceal or style.blink or style.reverse for _, style in runs)
    assert styled(pieces(b"\x1b[31;41mhidden"), PLAIN)[-1][1].color is None
    for odd in (b"\x1b[38;5mx", b"\x1b[38;2;1;2mx", b"\x1b[999;;;:;38;5;300mx", b"\x1b[38;5;208mx", b"\x1b["):
        assert "".join(part for part, _ in styled(pieces(odd), PLAIN)) in {"x", ""}


def test_matches_lie_over_the_colours():
    hit = Style(reverse=True)
    red = Style(color="red")
    found = highlighted([("foo", red), ("bar foo", PLAIN)], re.compile("ob|foo$"), hit)
    assert found == [("fo", red), ("o", hit), ("b", hit), ("ar ", PLAIN), ("foo", hit)]
    assert highlighted([("foo", red)], re.compile("x*"), hit) == [("foo", red)]


def test_long_lines_wrap_into_rows_and_wide_characters_stay_whole():
    assert [row[0][0] for row in rows([("abcdefgh", PLAIN)], 3)] == ["abc", "def", "gh"]
    assert list(rows([("", PLAIN)], 3)) == [[]]
    wide = ["".join(text for text, _ in row) for row in rows([("a漢字b", PLAIN), ("c", PLAIN)], 3)]
    assert wide == ["a漢", "字b", "c"]
    assert "".join(text for text, _ in skip([("ab漢", PLAIN), ("字cd", PLAIN)], 4)) == "字cd"
    assert sum(1 for _ in rows([("漢", PLAIN)], 1)) == 1
    began = time.process_time()
    assert sum(1 for _ in rows([("x" * 90_000, PLAIN)], 150)) == 600
    assert sum(1 for _ in rows([("漢" * 30_000, PLAIN)], 150)) == 400
    assert time.process_time() - began < 0.5


def test_an_expression_that_would_take_years_gives_up_and_says_so():
    pattern = Pattern("/(x+x+)+y/")
    began = time.thread_time()
    assert pattern.passes("error: xx y and so on") is False
    assert pattern.passes("a line with xxy in it")
    assert not pattern.gave_up
    for _ in range(1000):
        assert not pattern.passes("x" * 3000)
    assert time.thread_time() - began < 0.5
    assert "takes too long" in pattern.gave_up
    assert list(pattern.expression.finditer("xxy")) == []


def test_an_expression_that_is_merely_slow_on_long_lines_goes_on():
    pattern = Pattern("/(GET|POST).*4\\d\\d$/")
    line = "GET /index.html?" + "q" * 5000 + " 404"
    assert all(pattern.passes(line) for _ in range(2000))
    assert not pattern.gave_up


def test_a_filter_looks_at_many_lines_in_short_turns():
    ring = LogRing(300_000, 10**9)
    count = 100_000
    ring.add([b"line %d of a usual log" % n for n in range(count)], range(count), [0] * count)
    pattern = Pattern("/line .*7 of/")
    ring.set_filter(lambda raw: pattern.passes(raw.decode()))
    lines, worst, began = 100, 0.0, time.thread_time()
    while ring.sifting:
        turn = time.thread_time()
        lines = ring.sift_for(0.01, lines)
        worst = max(worst, time.thread_time() - turn)
    assert ring.count == count // 10
    assert worst < 0.05
    assert time.thread_time() - began < 1.0
