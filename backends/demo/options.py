"""What the address of a simulated engine may say, e.g. `demo://docker?containers=10000&time=1760000000`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from backends.text import clean

PARTS = ("", "docker", "virtualbox")
_KEYS = "containers, vms, seed, time, pace"
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class DemoOptions:
    part: str = ""
    """Which engine is simulated; empty: one that has everything."""
    containers: int = 0
    """This many containers, for load tests; 0: the ordinary ones."""
    vms: int = 0
    """This many VMs; 0: the ordinary ones."""
    seed: int = 1
    time: float | None = None
    """Unix time at which the simulated clock stands still; None: it runs."""
    pace: float = 1.0
    """How long transitions take, against the usual; 0: they take no time."""


def parse_options(url: str) -> DemoOptions:
    """Raises ValueError with one line naming what is allowed."""
    parts = urlsplit(url)
    part = parts.netloc
    if part not in PARTS or parts.path not in ("", "/") or parts.fragment:
        raise ValueError(f"{clean(url, 200)!r}: the demo is demo://, demo://docker or demo://virtualbox")
    values: dict[str, str] = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        options = DemoOptions(
            part=part,
            containers=int(values.pop("containers", "0")),
            vms=int(values.pop("vms", "0")),
            seed=int(values.pop("seed", "1")),
            time=float(values.pop("time")) if "time" in values else None,
            pace=float(values.pop("pace", "1")),
        )
    except ValueError:
        raise ValueError(f"{clean(url, 200)!r}: {_KEYS} take numbers") from None
    if values:
        raise ValueError(f"{clean(url, 200)!r}: the demo takes {_KEYS}, not {clean(next(iter(values)), 50)!r}")
    if not (0 <= options.containers <= _MOST and 0 <= options.vms <= _MOST):
        raise ValueError(f"{clean(url, 200)!r}: containers and vms go from 0 to {_MOST}")
    if not (math.isfinite(options.pace) and 0 <= options.pace <= 60):
        raise ValueError(f"{clean(url, 200)!r}: pace goes from 0 to 60")
    if options.time is not None and not 0 <= options.time < 1e11:
        raise ValueError(f"{clean(url, 200)!r}: time is a Unix time in seconds")
    return options
