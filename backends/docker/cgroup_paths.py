"""Where containers' cgroups are: found by id, whatever the cgroup version, driver, user or parent."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = "/sys/fs/cgroup"
_DEEPEST = 16
_RETRY = 5.0
"""Seconds before an id that was nowhere is looked for again."""
_GROUP = re.compile(r"(?P<prefix>|.*[-_:])(?P<id>[0-9a-f]{64})(?P<suffix>(?:\.scope)?)")
_V1_WALKED = ("memory", "pids", "cpuacct", "cpu,cpuacct")


@dataclass(frozen=True, slots=True)
class Place:
    """A container's cgroup, relative to the root (v2) or to each controller's hierarchy (v1)."""

    parent: str
    prefix: str
    id: str
    suffix: str

    @property
    def path(self) -> str:
        return os.path.join(self.parent, self.prefix + self.id + self.suffix)  # noqa: PTH118


class CgroupFinder:
    """Finds cgroups by container id: beside ones known, else by a walk over all, done anew only for unknown ids.

    Names are those of the cgroupfs driver (`docker/<id>`, `libpod_parent/libpod-<id>`) and of systemd's
    (`system.slice/docker-<id>.scope`, `machine.slice/libpod-<id>.scope`), at any depth.
    """

    def __init__(self, root: str = DEFAULT_ROOT, proc: str = "/proc") -> None:
        self.root = root
        self._proc = proc
        self.unified = (Path(root) / "cgroup.controllers").is_file()
        self._hierarchies = [root] if self.unified else _v1_hierarchies(root)
        self._found: dict[str, str] = {}
        self._siblings: set[tuple[str, str, str]] = set()
        self._missed: dict[str, float] = {}

    @property
    def readable(self) -> bool:
        """Whether this machine shows cgroups at all."""
        return bool(self._hierarchies) and any(os.access(path, os.R_OK | os.X_OK) for path in self._hierarchies)

    def find(self, containers: Collection[str], now: float) -> dict[str, str]:
        """Paths of the ids that have a cgroup here, relative to the hierarchy's root; `now` is monotonic time."""
        unknown = []
        for container in containers:
            if container in self._found or self._beside(container):
                continue
            if now - self._missed.get(container, -_RETRY) >= _RETRY:
                unknown.append(container)
        if unknown:
            self._search(unknown, now)
        return {container: self._found[container] for container in containers if container in self._found}

    def forget(self, container: str) -> None:
        """Look for it anew next time: its cgroup is gone."""
        self._found.pop(container, None)
        self._missed.pop(container, None)

    def adopt(self, container: str, pid: int) -> str | None:
        """The path the kernel tells for a container's process, where it is inside this root and names the container.

        A pid of another machine or namespace names something else, or nothing.
        """
        try:
            lines = Path(self._proc, str(pid), "cgroup").read_text().splitlines()
        except OSError:
            return None
        for line in lines:
            path = line.split(":", 2)[-1]
            head, mark, tail = path.partition(container)
            if not mark or ".." in path:
                continue
            relative = (head + mark + tail.partition("/")[0]).lstrip("/")
            if self._exists(relative):
                self._found[container] = relative
                return relative
        return None

    def _beside(self, container: str) -> bool:
        for parent, prefix, suffix in self._siblings:
            path = Place(parent, prefix, container, suffix).path
            if self._exists(path):
                self._found[container] = path
                self._missed.pop(container, None)
                return True
        return False

    def _exists(self, path: str) -> bool:
        return any(os.path.isdir(f"{hierarchy}/{path}") for hierarchy in self._hierarchies)  # noqa: PTH112

    def _search(self, unknown: list[str], now: float) -> None:
        missing = set(unknown)
        for hierarchy in self._hierarchies:
            for place in _walk(hierarchy):
                # Of nested ones the outermost, found first, is the container itself
                if place.id in missing:
                    missing.discard(place.id)
                    self._found[place.id] = place.path
                    self._siblings.add((place.parent, place.prefix, place.suffix))
            if not missing:
                break
        self._missed = {key: time for key, time in self._missed.items() if now - time < _RETRY}
        self._missed.update(dict.fromkeys(missing, now))


def _v1_hierarchies(root: str) -> list[str]:
    found: dict[str, str] = {}
    for name in _V1_WALKED:
        path = f"{root}/{name}"
        if Path(path).is_dir():
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def _walk(hierarchy: str) -> list[Place]:
    """Every container's cgroup, outer ones first."""
    places = []
    level = [""]
    for _ in range(_DEEPEST):
        below: list[str] = []
        for parent in level:
            try:
                with os.scandir(f"{hierarchy}/{parent}") as entries:
                    names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            except OSError:
                continue
            for name in names:
                match = _GROUP.fullmatch(name)
                if match and "conmon" not in match["prefix"]:
                    places.append(Place(parent, match["prefix"], match["id"], match["suffix"]))
                below.append(f"{parent}/{name}" if parent else name)
        level = below
        if not level:
            break
    return places
