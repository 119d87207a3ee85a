"""Figures as text, for cells a few characters wide. Pure, and cheap enough for the drawing path.

Sizes use binary units (K = 1024), as `docker stats`, `free -h` and VirtualBox's memory sizes do. Whatever is not
known (None) reads "–", which is never mistaken for zero.
"""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN = "–"

_UNITS = "KMGTPE"
_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86400, 604800
_MONTH, _YEAR = 30.44 * _DAY, 365.25 * _DAY


def size(number: float | None) -> str:
    """Bytes in at most five cells: "0", "512B", "84M", "1.2G", "1023M"."""
    if number is None:
        return UNKNOWN
    if number < 1024:
        return f"{number:.0f}B" if number >= 0.5 else "0"
    figure, unit = _scaled(number)
    return figure + unit


def size_long(number: float | None) -> str:
    """Bytes where there is room: "512 B", "438 MiB", "1.2 GiB"."""
    if number is None:
        return UNKNOWN
    if number < 1024:
        return f"{number:.0f} B"
    figure, unit = _scaled(number)
    return f"{figure} {unit}iB"


def rate(number: float | None) -> str:
    """Bytes per second, as `size`."""
    return size(number)


def percent(fraction: float | None, cores: bool = True) -> str:
    """A fraction as per cent.

    With `cores` it is CPU as a fraction of one core ("2.1%", "134%"); without, a share of a whole ("34%").
    """
    if fraction is None:
        return UNKNOWN
    value = fraction * 100
    return f"{value:.1f}%" if cores and value < 99.95 else f"{value:.0f}%"


def age(seconds: float | None) -> str:
    """A span in one unit, rounded down: "12s", "5m", "2h", "3d", "3w", "2mo", "1y"."""
    if seconds is None:
        return UNKNOWN
    if seconds < _MINUTE:
        return f"{max(0, int(seconds))}s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)}m"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)}h"
    if seconds < 2 * _WEEK:
        return f"{int(seconds // _DAY)}d"
    if seconds < 2 * _MONTH:
        return f"{int(seconds // _WEEK)}w"
    if seconds < _YEAR:
        return f"{int(seconds // _MONTH)}mo"
    return f"{int(seconds // _YEAR)}y"


def duration(seconds: float | None) -> str:
    """A span in its two largest units: "12s", "5m 3s", "2h 14m", "3d 4h"."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE}m"
    return f"{whole // _DAY}d {whole % _DAY // _HOUR}h"


def timestamp(unix: float | None) -> str:
    """Unix time as RFC 3339 in UTC, whole seconds: "2026-03-01T12:00:00Z"."""
    moment = _moment(unix)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z" if moment else UNKNOWN


def local_time(unix: float | None) -> str:
    """Unix time in the reader's time zone: "2026-03-01 13:00:00"."""
    moment = _moment(unix)
    return moment.astimezone().replace(tzinfo=None).isoformat(" ", "seconds") if moment else UNKNOWN


def _moment(unix: float | None) -> datetime | None:
    """None also for a time no calendar holds in every zone: engines send year 1 or 9999 for "never"."""
    if unix is None:
        return None
    try:
        moment = datetime.fromtimestamp(unix, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment if 1 < moment.year < 9999 else None


def _scaled(number: float) -> tuple[str, str]:
    value, step = number / 1024, 0
    # 1023.5 would round to 1024 of the unit below
    while value >= 1023.5 and step < len(_UNITS) - 1:
        value /= 1024
        step += 1
    return (f"{value:.1f}" if value < 9.95 else f"{value:.0f}"), _UNITS[step]


def described(label: str, text: str) -> str:
    """A command's label and what it does; the label is left out where the text begins with it."""
    return text if text.lower().startswith(label.lower()) else f"{label}: {text}"
