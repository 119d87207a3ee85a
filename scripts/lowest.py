"""Prints pip constraints that pin every direct dependency of boxtop, and of its tests, to its lower bound."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
    bound = re.fullmatch(r"([\w.-]+)\s*>=\s*([\w.]+)(?:,.*)?", requirement)
    if bound is None:
        raise SystemExit(f"{requirement!r} has no lower bound")
    print(f"{bound[1]}=={bound[2]}")
