"""The form of a container's limits: its fields, what is wrong with them, what changes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from backends.abilities.containers import Limits
from backends.runs import entries, sizes
from widgets.fields import Field, TextField, Values

_T = TypeVar("_T")


def fields_of(limits: Limits) -> tuple[Field, ...]:
    swap = "-1" if limits.swap == -1 else _size(limits.swap)
    return (
        TextField("cpus", "CPU limit", _cores(limits.cpus), "none", "Cores, such as 0.5"),
        TextField("memory", "Memory limit", _size(limits.memory), "none", "Such as 512m or 2g"),
        TextField(
            "swap", "Memory and swap", swap, "twice the memory", "Both together; -1: as much swap as the host has"
        ),
        TextField("pids", "Processes", str(limits.pids or ""), "any number", "How many it may have at once"),
        TextField("restart", "Restart", limits.restart, "no", "no, always, unless-stopped, on-failure or on-failure:N"),
    )


def read(values: Values, before: Limits) -> tuple[Limits, dict[str, str]]:
    """The limits, and what is wrong by field id."""
    problems: dict[str, str] = {}

    def tried(name: str, work: Callable[[str], _T], empty: _T, kept: _T) -> _T:
        text = str(values[name])
        try:
            return work(text) if text else empty
        except ValueError as error:
            problems[name] = str(error)
            return kept

    limits = Limits(
        cpus=tried("cpus", sizes.read_cpus, None, before.cpus),
        memory=tried("memory", sizes.read_memory, None, before.memory),
        swap=tried("swap", _swap, None, before.swap),
        pids=tried("pids", _pids, None, before.pids),
        restart=tried("restart", _restart, "no", before.restart),
    )
    for name in ("cpus", "memory"):
        if getattr(before, name) is not None and getattr(limits, name) is None:
            problems.setdefault(name, "the engine cannot lift it: recreate the container without it")
    if limits.swap is not None and limits.memory is None:
        problems.setdefault("swap", "wants a memory limit beside it")
    elif limits.swap is not None and limits.swap != -1 and limits.swap < (limits.memory or 0):
        problems.setdefault("swap", "memory and swap together: no less than the memory")
    return limits, problems


def line_of(before: Limits, after: Limits, name: str, program: str) -> str:
    """The change as a command line; in words where there is none."""
    words: list[str] = []
    if after.cpus != before.cpus and after.cpus is not None:
        words.append(f"--cpus {sizes.write_cpus(after.cpus)}")
    if (after.memory, after.swap) != (before.memory, before.swap) and after.memory is not None:
        swap = "-1" if after.swap == -1 else sizes.write_size(after.swap or 2 * after.memory)
        words.append(f"--memory {sizes.write_size(after.memory)} --memory-swap {swap}")
    if after.pids != before.pids:
        words.append(f"--pids-limit {after.pids or -1}")
    if after.restart != before.restart:
        words.append(f"--restart {after.restart}")
    return f"{program} update {' '.join(words)} {name}" if words else "nothing changes"


def _cores(cpus: float | None) -> str:
    return "" if cpus is None else sizes.write_cpus(cpus)


def _size(size: int | None) -> str:
    return "" if size is None else sizes.write_size(size)


def _swap(text: str) -> int:
    return -1 if text == "-1" else sizes.read_size(text)


def _pids(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError("a number of processes, or empty for any number")
    return int(text)


def _restart(text: str) -> str:
    entries.read_restart(text)
    return text
