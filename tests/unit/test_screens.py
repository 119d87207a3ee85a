"""Keys of a VM's keyboard, PNG files, and pictures in character cells."""

from __future__ import annotations

import random
import struct
import zlib

import pytest

from backends import png
from backends.abilities.screens import Picture
from backends.base import ActionError
from backends.keyboard import CTRL_ALT_DEL, chord_of, chords_of, make_and_break, scan_codes
from backends.libvirt.screens import picture_of
from backends.virtualbox.screens import _codes
from tui.screen_keys import chord_for
from widgets.glyphs import ASCII, BRAILLE
from widgets.half_blocks import Inked, Scaler, Window, drawn


def test_every_printable_character_is_typed_on_the_us_layout():
    chords = chords_of("".join(map(chr, range(0x20, 0x7F))) + "\n\t")
    assert len(set(chords)) == 97
    assert chord_of("A") == ("shift", "a")
    assert chord_of("?") == ("shift", "/")
    assert make_and_break(("shift", "a")) == [0x2A, 0x1E, 0x9E, 0xAA]
    assert make_and_break(CTRL_ALT_DEL) == [0x1D, 0x38, 0xE0, 0x53, 0xE0, 0xD3, 0xB8, 0x9D]
    assert chords_of("a\r\nb\rc") == chords_of("a\nb\nc")


def test_what_cannot_be_typed_is_named_and_nothing_is_typed():
    with pytest.raises(ActionError, match="a US keyboard cannot type ß ü €: nothing was typed"):
        chords_of("Grüße €")
    with pytest.raises(ActionError, match=r"U\+001B"):
        chords_of("\x1b[A")
    with pytest.raises(ActionError, match="no key called 'meta'"):
        scan_codes(("meta",))


@pytest.mark.parametrize(
    ("key", "character", "chord"),
    [
        ("a", "a", ("a",)),
        ("A", "A", ("shift", "a")),
        ("exclamation_mark", "!", ("shift", "1")),
        ("space", " ", ("space",)),
        ("enter", "\r", ("enter",)),
        ("ctrl+c", "\x03", ("ctrl", "c")),
        ("ctrl+backslash", "\x1c", ("ctrl", "\\")),
        ("ctrl+at", "\x00", ("ctrl", "shift", "2")),
        ("alt+f", None, ("alt", "f")),
        ("shift+tab", None, ("shift", "tab")),
        ("ctrl+shift+left", None, ("ctrl", "shift", "left")),
        ("f5", None, ("f5",)),
        ("escape", "\x1b", ("escape",)),
        ("backspace", "\x7f", ("backspace",)),
        ("é", "é", None),
        ("f24", None, None),
        ("ctrl+é", None, None),
    ],
)
def test_the_terminals_keys_are_the_machines(key, character, chord):
    assert chord_for(key, character) == chord


def test_every_key_that_a_portion_presses_is_let_go_of():
    codes, release = _codes([("shift", "a"), ("ctrl", "alt", "delete"), ("shift", "b")])
    assert codes[:4] == make_and_break(("shift", "a"))
    assert release == [0xAA, 0x9E, 0x9D, 0xB8, 0xE0, 0xD3, 0xB0]


def test_pictures_go_through_png_unchanged():
    for width, height in ((1, 1), (3, 2), (64, 33)):
        picture = Picture(width, height, random.Random(width).randbytes(width * height * 3))
        assert png.decode(png.encode(picture)) == picture


@pytest.mark.parametrize("filtering", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_every_filter_and_colour_type_of_png_is_read(filtering, kind, channels):
    width, height = 7, 5
    pixels = random.Random(kind).randbytes(width * height * channels)
    stride = width * channels
    raw = b""
    for y in range(height):
        line = pixels[y * stride : (y + 1) * stride]
        above = pixels[(y - 1) * stride : y * stride] if y else bytes(stride)
        raw += bytes([filtering]) + _filtered(filtering, line, above, channels)
    decoded = png.decode(_file(width, height, kind, raw))
    if kind in (0, 4):
        expected = b"".join(pixels[at : at + 1] * 3 for at in range(0, len(pixels), channels))
    else:
        expected = b"".join(pixels[at : at + 3] for at in range(0, len(pixels), channels))
    assert decoded == Picture(width, height, expected)


def _filtered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    """PNG section 9.2, as the one who writes does it."""
    found = bytearray()
    for at, value in enumerate(line):
        left = line[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        up = above[at]
        estimate = left + up - corner
        nearest = min((abs(estimate - near), order, near) for order, near in enumerate((left, up, corner)))[2]
        found.append(value - (0, left, up, (left + up) // 2, nearest)[kind] & 255)
    return bytes(found)


def _file(width: int, height: int, kind: int, raw: bytes, palette: bytes = b"", bits: int = 8) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    middle = chunk(b"PLTE", palette) if palette else b""
    packed = chunk(b"IDAT", zlib.compress(raw))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + middle + packed + chunk(b"IEND", b"")


def test_a_palette_is_looked_up():
    decoded = png.decode(_file(2, 1, 3, b"\0\1\0", b"\1\2\3\4\5\6"))
    assert decoded.rgb == b"\4\5\6\1\2\3"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        png.encode(Picture(4, 4, bytes(48)))[:40],
        _file(4, 4, 2, bytes(10)),
        _file(4, 4, 2, b"\x09" + bytes(51)),
        _file(2, 2, 2, bytes(20), bits=16),
        _file(100_000, 100_000, 6, b""),
    ],
)
def test_a_damaged_picture_is_refused(data):
    with pytest.raises(ValueError):
        png.decode(data)


def test_ppm_is_read_as_qemu_writes_it():
    assert picture_of(b"P6\n2 1\n255\n\1\2\3\4\5\6") == Picture(2, 1, b"\1\2\3\4\5\6")
    assert picture_of(b"P6 # a note\n2 1 255 \1\2\3\4\5\6") == Picture(2, 1, b"\1\2\3\4\5\6")
    for damaged in (b"P6\n2 1\n255\n\1\2", b"P6\nx", b"P6\n1 1\n65535\n" + bytes(6)):
        with pytest.raises(ValueError):
            picture_of(damaged)


def flat(width: int, height: int, color: bytes) -> bytes:
    return color * (width * height)


def test_a_picture_fits_its_window_and_is_never_enlarged():
    scaler = Scaler(640, 480, flat(640, 480, b"\xff\0\0"))
    lines = drawn(scaler, Window(80, 30), "half", BRAILLE, color=True)
    assert lines == [[Inked(" " * 80, None, 0xFF0000)]] * 30
    small = Scaler(10, 10, flat(10, 10, b"\0\xff\0"))
    assert drawn(small, Window(80, 30), "half", BRAILLE, color=True) == [[Inked(" " * 10, None, 0x00FF00)]] * 5


def test_the_halves_of_a_block_are_two_pixels():
    rgb = b"\xff\0\0" * 2 + b"\0\0\xff" * 2
    assert drawn(Scaler(2, 2, rgb), Window(9, 9), "half", BRAILLE, color=True) == [[Inked("▀▀", 0xFF0000, 0x0000FF)]]


def test_shrinking_takes_the_mean():
    board = b"".join((b"\0\0\0", b"\xff\xff\xff")[(x + y) % 2] for y in range(64) for x in range(64))
    (line, *_) = drawn(Scaler(64, 64, board), Window(16, 8), "half", BRAILLE, color=True)
    (inked,) = line
    assert inked.ground is not None
    assert 0x70 <= inked.ground & 0xFF <= 0x90


def test_zoomed_in_it_shows_the_part_asked_for():
    left, right = b"\xff\0\0", b"\0\0\xff"
    scaler = Scaler(200, 10, (left * 100 + right * 100) * 10)
    assert drawn(scaler, Window(20, 5, 1.0, 0, 0), "half", BRAILLE, color=True)[0] == [Inked(" " * 20, None, 0xFF0000)]
    shown = drawn(scaler, Window(20, 5, 1.0, 90, 0), "half", BRAILLE, color=True)[0]
    assert shown == [Inked(" " * 10, None, 0xFF0000), Inked(" " * 10, None, 0x0000FF)]
    far = drawn(scaler, Window(20, 5, 1.0, 9999, 9999), "half", BRAILLE, color=True)
    assert far[0] == [Inked(" " * 20, None, 0x0000FF)]
    assert scaler.bounds(Window(20, 5, 2.0)) == (190, 5)


def test_without_colours_dots_or_letters_tell_the_picture():
    rgb = bytes(3 * 40 * 20) + b"\xff\xff\xff" * (40 * 20)
    scaler = Scaler(40, 40, rgb)
    dots = drawn(scaler, Window(40, 20), "braille", BRAILLE, color=False)
    assert (dots[0][0].text, dots[-1][0].text) in (("⣿" * 40, " " * 40), (" " * 40, "⣿" * 40))
    signs = drawn(scaler, Window(40, 20), "shades", ASCII, color=False)
    assert (signs[0], signs[-1]) == ([Inked(" " * 40)], [Inked("@" * 40)])
