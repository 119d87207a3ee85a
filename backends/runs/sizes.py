"""Sizes, times and cores as `docker run` takes them. ValueErrors say in words what is wrong."""

from __future__ import annotations

import math
import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_NANO = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_MOST_CORES = 4096
LEAST_MEMORY = 6 << 20
"""Docker's smallest memory limit, bytes."""


def read_size(text: str) -> int:
    """Bytes of `512m`, `1.5g`, `2GiB`: units are powers of 1024."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]} is no size: write it as 512m or 2g")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def write_size(size: int) -> str:
    """The shortest exact form: `512m`, `1536k`, `1000b`."""
    for unit in "tgmk":
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return f"{size}b"


def read_memory(text: str) -> int:
    """Bytes of a memory limit."""
    size = read_size(text)
    if size < LEAST_MEMORY:
        raise ValueError("the least memory is 6m" if size else "no memory at all: leave it empty for no limit")
    return size


def read_cpus(text: str) -> float:
    """Cores of `1.5`."""
    try:
        cores = float(text)
    except ValueError:
        raise ValueError(f"{text[:40]} is no number of cores: write it as 0.5 or 2") from None
    if not math.isfinite(cores) or not 0.01 <= cores <= _MOST_CORES:
        raise ValueError("between 0.01 and as many cores as there are")
    return cores


def write_cpus(cores: float) -> str:
    return f"{cores:.9f}".rstrip("0").rstrip(".")


def read_nanoseconds(text: str) -> int:
    """Nanoseconds of Go's durations: `30s`, `1m30s`, `500ms`."""
    parts = _TIME.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text[:40]} is no time: write it as 30s or 1m30s")
    return int(sum(float(number) * _NANO[unit] for number, unit in parts))
