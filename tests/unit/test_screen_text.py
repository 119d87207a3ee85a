"""Text read from pictures of screens, and what a search finds in it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from backends import vga_font
from backends.abilities.screens import Picture
from backends.screen_text import UNKNOWN, Reader, ScreenText
from tui.screen_text_lines import Match, find, inked_lines

GREY, BLACK, BLUE, WHITE = b"\xaa\xaa\xaa", b"\0\0\0", b"\0\0\xaa", b"\xff\xff\xff"


def screen(
    lines: Sequence[str],
    size: tuple[int, int] = (720, 400),
    cell: tuple[int, int] = (9, 16),
    *,
    color: bytes = GREY,
    ground: bytes = BLACK,
    cursor: tuple[int, int] | None = None,
) -> Picture:
    """A picture of these lines, pixel by pixel."""
    (width, height), (wide, tall) = size, cell
    rows = [[ground] * width for _ in range(height)]
    for y, line in enumerate(lines):
        for x, char in enumerate(line):
            code = vga_font.CHARACTERS.index(char) if char != " " else 32
            for down, bits in enumerate(vga_font.glyphs(tall)[code]):
                for across in range(wide):
                    bit = bits >> (7 - across) & 1 if across < 8 else vga_font.repeats(code) and bits & 1
                    if bit:
                        rows[y * tall + down][x * wide + across] = color
    if cursor is not None:
        y, x = cursor
        for down in (13, 14):
            rows[y * tall + down][x * wide : (x + 1) * wide] = [color] * wide
    return Picture(width, height, b"".join(b"".join(row) for row in rows))


def read(picture: Picture) -> ScreenText:
    text = Reader().read(picture)
    assert text is not None
    return text


@pytest.mark.parametrize(
    ("size", "cell", "columns", "rows"),
    [
        ((720, 400), (9, 16), 80, 25),
        ((720, 400), (9, 8), 80, 50),
        ((360, 400), (9, 16), 40, 25),
        ((640, 400), (8, 16), 80, 25),
        ((640, 480), (8, 16), 80, 30),
        ((640, 350), (8, 14), 80, 25),
        ((1024, 768), (8, 16), 128, 48),
        ((800, 600), (8, 16), 100, 37),
    ],
)
def test_the_text_of_each_mode_is_read_exactly(size, cell, columns, rows):
    lines = [
        "Kernel panic - not syncing: VFS: Unable",
        "~!@#$%^&*()_+{}|:<>?[]\\;',./`-=\"",
        "",
        "abcdefghijklmnopqrstuvwxyz 0123456789",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "┌──╥─┐ ║▒▓░ äöüß ±≥",
    ]
    text = read(screen(lines, size, cell))
    assert (text.columns, text.rows, text.confidence) == (columns, rows, 1.0)
    assert text.text == "\n".join(lines)
    assert {len(line) for line in text.lines} == {columns}


def test_every_sign_of_the_font_is_told_from_every_other():
    signs = [char for char in vga_font.CHARACTERS if char not in " █"]
    lines = ["".join(signs[at : at + 60]) for at in range(0, len(signs), 60)]
    assert read(screen(lines)).text == "\n".join(lines)


def test_colours_and_reverse_video_are_kept():
    text = read(screen(["menu entry"], color=WHITE, ground=BLUE))
    assert text.runs[0][0].text.startswith("menu entry")
    assert (text.runs[0][0].color, text.runs[0][0].ground) == (WHITE, BLUE)
    picture = screen(["plain", "chosen"])
    stride = 720 * 3 * 16
    lines = picture.rgb[:stride], picture.rgb[stride : 2 * stride], picture.rgb[2 * stride :]
    swapped = lines[1].replace(GREY, b"\1\1\1").replace(BLACK, GREY).replace(b"\1\1\1", BLACK)
    text = read(Picture(720, 400, lines[0] + swapped + lines[2]))
    assert text.text == "plain\nchosen"
    assert (text.runs[1][0].color, text.runs[1][0].ground) == (BLACK, GREY)


def test_the_cursor_is_seen_and_hides_nothing():
    text = read(screen(["login: "], cursor=(0, 7)))
    assert (text.text, text.cursor) == ("login:", (0, 7))
    text = read(screen(["login: root"], cursor=(0, 8)))
    assert (text.text, text.cursor) == ("login: root", (0, 8))
    assert read(screen(["a_b"])).cursor is None


def test_what_is_no_text_is_not_taken_for_one():
    noise = random.Random(4).randbytes(640 * 480 * 3)
    assert Reader().read(Picture(640, 480, noise)) is None
    assert Reader().read(Picture(720, 400, BLUE * (720 * 400))) is None
    gradient = b"".join(bytes((y % 256, 0, x % 256)) for y in range(400) for x in range(720))
    assert Reader().read(Picture(720, 400, gradient)) is None
    assert Reader().read(Picture(1, 1, BLACK)) is None


def test_a_sign_of_another_font_is_counted_and_marked():
    picture = screen(["the rest is plain text here"])
    pixels = bytearray(picture.rgb)
    for y in range(3, 9):
        pixels[y * 2160 + 6 : y * 2160 + 9] = WHITE
    text = read(Picture(720, 400, bytes(pixels)))
    assert text.text == UNKNOWN + "he rest is plain text here"
    assert text.confidence == 21 / 22


def test_only_what_changed_is_read_again():
    reader = Reader()
    first = reader.read(screen(["one", "two", "three"]))
    second = reader.read(screen(["one", "2", "three"]))
    assert first is not None and second is not None
    assert (first.text, second.text) == ("one\ntwo\nthree", "one\n2\nthree")
    third = reader.read(screen(["x"], (640, 480), (8, 16)))
    assert third is not None
    assert (third.text, third.rows) == ("x", 30)


def test_a_search_goes_across_full_lines_and_ignores_case():
    text = read(screen(["x" * 77 + "end", "Panic here", "panic"]))
    assert find(text, "PANIC") == (Match(1, 0, 5), Match(2, 0, 5))
    assert find(text, "endpan") == (Match(0, 77, 80), Match(1, 0, 3))
    assert find(text, "") == ()
    assert find(text, "absent") == ()


def test_matches_and_the_cursor_are_marked_in_the_lines():
    text = read(screen(["find me"], cursor=(0, 6)))
    (match,) = find(text, "find")
    first = inked_lines(text, (match,), match, 0, 0)[0]
    assert [(inked.text, inked.mark) for inked in first[:4]] == [
        ("find", "match-current"),
        (" m", ""),
        ("e", "cursor"),
        (" " * 73, ""),
    ]
    assert inked_lines(text, (), None, 5, 0)[0][0].text == "m"
