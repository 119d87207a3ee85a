"""Text measured in terminal cells: fitting, cutting, wrapping. Text is never markup here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from rich.cells import cell_len, set_cell_size

Style = TypeVar("Style")


def plain(text: str) -> str:
    """The text on one line and without control characters, which would move the cursor."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if char in "\t\n\r" else char for char in text if char in "\t\n\r" or not _is_control(char))


def _is_control(char: str) -> bool:
    code = ord(char)
    return code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0x2028, 0x2029)


def width_of(text: str) -> int:
    """Cells the text takes on screen."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int) -> str:
    """The start of the text in exactly `width` cells or fewer, whole characters only."""
    if text.isascii():
        return text[:width]
    # A slice first: measuring is linear, and a label of 90,000 characters must not cost more than one line of it.
    text = text[: width * 4 + 16]
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width)


def fit(text: str, width: int, align: Literal["left", "right"] = "left", ellipsis: str = "…") -> str:
    """The text in exactly `width` cells: padded, or cut with an ellipsis at its end."""
    if width <= 0:
        return ""
    text = plain(text if len(text) < width * 4 + 64 else text[: width * 4 + 64])
    size = width_of(text)
    if size > width:
        text = cut(text, width - 1) + ellipsis
        size = width_of(text)
    if size == width:
        return text
    return text + " " * (width - size) if align == "left" else " " * (width - size) + text


def fit_runs(
    runs: Iterable[tuple[str, Style]],
    width: int,
    pad: Style,
    align: Literal["left", "right"] = "left",
    ellipsis: str = "…",
) -> list[tuple[str, Style]]:
    """Styled runs in exactly `width` cells; what is cut off ends in an ellipsis, what is missing is padded."""
    if width <= 0:
        return []
    taken: list[tuple[str, Style]] = []
    room = width
    for raw, style in runs:
        text = plain(raw if len(raw) < width * 4 + 64 else raw[: width * 4 + 64])
        size = width_of(text)
        if size > room:
            if room == 0:
                return [*taken[:-1], *_end(taken[-1], ellipsis)] if taken else []
            head = cut(text, room - 1)
            taken.append((head + " " * (room - 1 - width_of(head)) + ellipsis, style))
            return taken
        if size:
            taken.append((text, style))
            room -= size
    if room:
        blank = (" " * room, pad)
        return [*taken, blank] if align == "left" else [blank, *taken]
    return taken


def _end(run: tuple[str, Style], ellipsis: str) -> list[tuple[str, Style]]:
    text, style = run
    size = width_of(text)
    head = cut(text, size - 1)
    return [(head + " " * (size - 1 - width_of(head)) + ellipsis, style)]


def wrap(text: str, width: int, limit: int = 10_000) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces where there are some; at most `limit` lines."""
    width = max(1, width)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_wrap_line(plain(paragraph), width, limit - len(lines)))
        if len(lines) >= limit:
            break
    return lines[:limit]


def _wrap_line(text: str, width: int, limit: int) -> Sequence[str]:
    lines: list[str] = []
    start = 0
    while len(lines) < limit:
        rest = text[start : start + width * 4 + 16]
        if start + len(rest) >= len(text) and width_of(rest) <= width:
            lines.append(rest)
            break
        taken = _whole(rest, width)
        space = rest.rfind(" ", 0, taken + 1)
        if space > 0:
            lines.append(rest[:space])
            start += space + 1
        else:
            lines.append(rest[:taken])
            start += taken
        if start >= len(text):
            break
    return lines


def _whole(text: str, width: int) -> int:
    """How many characters of the text fit into `width` cells; one at least, so that wrapping always ends."""
    if text.isascii():
        return max(1, min(len(text), width))
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if cell_len(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low
