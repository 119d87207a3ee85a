"""Nothing an engine says can move the cursor, change colours, hide or turn text on the screen."""

from __future__ import annotations

import time
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from backends.text import clean, clean_block, clean_data


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("shop-web", "shop-web"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b[2J\x1b[Hb", "ab"),
        ("\x1b[38;2;1;2;3mx", "x"),
        ("\x1b[?1049hx", "x"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]52;c;aGk=\x1b\\x", "x"),
        ("\x1b]8;;http://evil/\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1bPq#0;2\x1b\\x", "x"),
        ("\x1b_apc\x1b\\x", "x"),
        ("\x1b(0x\x1b(B", "x"),
        ("\x1bcx", "x"),
        ("\x9b31mx", "x"),
        ("a\x1b", "a"),
        ("a\x1b[3", "a3"),
        ("\x1b]0;never ended\nx", " x"),
        ("\x9d0;x\x9c", "\ufffd0;x\ufffd"),
        ("a\x00b\x08c\x07\x7f", "a\u2400b\u2408c\u2407\u2421"),
        ("50%\r100%", "50%\u240d100%"),
        ("a\r\nb\n\n\tc", "a b c"),
        ("\n", " "),
        ("user\u202egpj.exe", "user\ufffdgpj.exe"),
        ("\u2066a\u2069\u200eb\u061c", "\ufffda\ufffd\ufffdb\ufffd"),
        ("a\u200bb\u2060\ufeff\u00ad", "a\ufffdb\ufffd\ufffd\ufffd"),
        ("a\u2028b\u2029", "a\ufffdb\ufffd"),
        ("\u3164\u115f", "\ufffd\ufffd"),
        ("a\ud800b\udfff", "a\ufffdb\ufffd"),
        ("x\U000e0041\U000e0100", "x\ufffd\ufffd"),
        ("日本語 コンテナ", "日本語 コンテナ"),
        ("👩‍💻 naïve e\u0301", "👩‍💻 naïve e\u0301"),
        ("नमस्ते سلام שלום", "नमस्ते سلام שלום"),
        ("e" + "\u0301" * 50 + "x", "e\u0301\u0301\u0301x"),
        ("", ""),
    ],
)
def test_one_line_safe_to_draw(text: str, shown: str) -> None:
    assert clean(text) == shown
    assert clean(shown) == shown


def test_no_character_gets_through_that_could_do_harm() -> None:
    allowed = {"\u200c", "\u200d"}  # joiners of scripts and emoji
    for code in range(0x110000):
        for character in clean(chr(code)):
            category = unicodedata.category(character)
            assert category not in ("Cc", "Cs", "Zl", "Zp"), hex(code)
            assert unicodedata.bidirectional(character) not in (
                "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
            ), hex(code)  # fmt: skip
            if 0x2000 <= code < 0x3000 and category == "Cf":
                assert character in allowed, hex(code)


def test_no_sequence_of_controls_leaves_one() -> None:
    starts = [
        "\x1b",
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x1b\x1b",
        "\x9b",
        "\x1b[\x1b",
        "\x1b]\x1b[",
        "\x1b\x9b",
        "\r",
        "\x1b\n",
    ]
    ends = ["", "m", "\x07", "\x1b\\", "\x9c", "\n", "31m", "\x1b"]
    for start in starts:
        for middle in ("", "0", "[", "\x1b", "\x9b", "\x18"):
            for end in ends:
                shown = clean(f"a{start}{middle}{end}z")
                assert "\x1b" not in shown
                assert "\x9b" not in shown
                assert shown.startswith("a")


def test_blocks_keep_lines_and_tabs() -> None:
    assert clean_block("a\r\n\tb\n\x1b[1mc\x1b[0m\n") == "a\n\tb\nc\n"


def test_length_is_bounded() -> None:
    assert len(clean("x" * 10_000)) == 4096
    assert clean("abcdef", 3) == "abc"
    assert len(clean_block("\u202e" * 2_000_000)) == 1_000_000


def test_data_is_cleaned_in_keys_and_values_at_any_depth() -> None:
    data: dict[Any, Any] = {
        "na\x1b[31mme": ["a\x00", {"b": ("\u202ec", 1, 2.5, True, None)}],
        7: "line\nline",
        "time": datetime(2026, 1, 2, tzinfo=UTC),
        "raw": b"\x1b[31m",
    }
    assert clean_data(data) == {
        "name": ["a\u2400", {"b": ["\ufffdc", 1, 2.5, True, None]}],
        "7": "line\nline",
        "time": "2026-01-02 00:00:00+00:00",
        "raw": "b'\\x1b[31m'",
    }


@pytest.mark.parametrize(
    "pattern", ["\x1b", "\x1b[", "\x1b]", "\x1b]\x1b", "\x9b0", "\u0301", "\n", "\x1b[0;", "é\x1bP"]
)
def test_hostile_texts_cost_no_time(pattern: str) -> None:
    began = time.monotonic()
    clean(pattern * (1_000_000 // len(pattern)), 1_000_000)
    assert time.monotonic() - began < 10
