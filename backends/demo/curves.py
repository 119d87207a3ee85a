"""Smooth, seeded load figures: a pure function of the object and the time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import sin

from backends.model import Usage

MB = 1024 * 1024
GB = 1024 * MB


@dataclass(frozen=True, slots=True)
class Profile:
    """An object's mean load; rates in bytes a second."""

    cpu: float
    memory: int
    receive: float = 0.0
    transmit: float = 0.0
    read: float = 0.0
    write: float = 0.0
    pids: int | None = None
    cpu_limit: float | None = None
    memory_limit: int | None = None
    bursts: bool = False
    """Mostly idle, then busy for some seconds."""


def number(*parts: object) -> int:
    """64 bits that depend on the parts alone."""
    return int.from_bytes(hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def wave(time: float, phase: float) -> float:
    """A slow swell with ripples on it, 0 to 1, mean 0.5."""
    return (
        0.5
        + 0.26 * sin(time * 0.0212 + phase)
        + 0.15 * sin(time * 0.131 + 2.7 * phase)
        + 0.09 * sin(time * 0.523 + 5.1 * phase)
    )


def usage(profile: Profile, phase: float, time: float, *, paused: bool = False) -> Usage:
    swell = wave(time, phase)
    if profile.bursts:
        swell = 0.04 + 2.4 * max(0.0, sin(time * 0.07 + phase)) ** 6 * (0.6 + 0.4 * swell)
    load = 0.0 if paused else 0.35 + 1.3 * swell
    cpu = profile.cpu * load
    if profile.cpu_limit is not None:
        cpu = min(cpu, profile.cpu_limit)
    memory = int(profile.memory * (0.92 + 0.16 * wave(time * 0.2, phase + 1.0)))
    if profile.memory_limit is not None:
        memory = min(memory, profile.memory_limit)
    writes = profile.write * load * (1.0 + 0.5 * sin(time * 0.9 + phase))
    return Usage(
        time=time,
        cpu=round(cpu, 4),
        cpu_limit=profile.cpu_limit,
        memory=memory,
        memory_limit=profile.memory_limit,
        memory_cache=None if profile.pids is None else int(memory * (0.08 + 0.3 * min(1.0, profile.write / (1 * MB)))),
        network_receive=float(int(profile.receive * load)),
        network_transmit=float(int(profile.transmit * load)),
        disk_read=float(int(profile.read * load * swell)),
        disk_write=float(int(writes)),
        pids=profile.pids,
    )
