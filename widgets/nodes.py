"""JSON-like data as a folding tree of nodes: pure, no screen needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]

OPEN_AT_FIRST = 2
"""Levels that are open in a tree nobody folded yet."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A value that is not shown, copied or searched until it is revealed; `shown` stands for it, else dots do."""

    value: str = field(repr=False)
    shown: str = ""


@dataclass(slots=True)
class Node:
    """One entry of the data. `label` is its key or index, `parent` its container's node number."""

    path: Path
    label: str
    value: Any
    parent: int
    depth: int
    size: int = 0
    """Entries directly inside; 0 for a leaf and for an empty container."""
    end: int = 0
    """Number of the first node after this one that is not inside it."""


@dataclass(slots=True)
class Forest:
    """All nodes in display order, and which of them are open."""

    nodes: list[Node] = field(default_factory=list)
    open: set[Path] = field(default_factory=set)

    @classmethod
    def of(cls, data: Any, folds: set[Path] | None = None) -> Forest:
        """The nodes of the data, those in `folds` open, or the first levels."""
        forest = cls()
        _grow(forest.nodes, data)
        if folds is None:
            forest.open = {node.path for node in forest.nodes if node.size and node.depth < OPEN_AT_FIRST - 1}
        else:
            forest.open = folds
        return forest

    def visible(self) -> list[int]:
        """Numbers of the nodes that no folded one hides."""
        numbers: list[int] = []
        nodes, opened = self.nodes, self.open
        at = 0
        while at < len(nodes):
            numbers.append(at)
            node = nodes[at]
            at = at + 1 if node.size and node.path in opened else max(node.end, at + 1)
        return numbers

    def containers(self) -> Iterator[Node]:
        return (node for node in self.nodes if node.size)

    def reveal(self, number: int) -> bool:
        """Open whatever hides this node; whether anything did."""
        changed = False
        parent = self.nodes[number].parent
        while parent >= 0:
            node = self.nodes[parent]
            if node.path not in self.open:
                self.open.add(node.path)
                changed = True
            parent = node.parent
        return changed


def _grow(nodes: list[Node], data: Any) -> None:
    """Depth-first and without recursion: engines nest deeper than Python likes, and data may come from anywhere."""
    closing: list[tuple[int, Iterator[tuple[str | int, Any]]]] = []
    if not _is_container(data):
        nodes.append(Node((), "", data, -1, 0, end=1))
        return
    closing.append((-1, _entries(data)))
    while closing:
        parent, entries = closing[-1]
        entry = next(entries, None)
        if entry is None:
            closing.pop()
            if parent >= 0:
                nodes[parent].end = len(nodes)
            continue
        key, value = entry
        above = nodes[parent] if parent >= 0 else None
        path = (*above.path, key) if above else (key,)
        label = f"[{key}]" if isinstance(key, int) else key
        node = Node(path, label, value, parent, above.depth + 1 if above else 0, end=len(nodes) + 1)
        nodes.append(node)
        if _is_container(value):
            node.size = len(value)
            closing.append((len(nodes) - 1, _entries(value)))


def _is_container(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _entries(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return ((str(key), entry) for key, entry in value.items())
    return iter(enumerate(value))


def leaf_text(value: Any, limit: int | None = None) -> str:
    """A leaf as it is shown and searched: text as it is, the rest as in JSON."""
    if isinstance(value, str):
        return value if limit is None else value[:limit]
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    return str(value) if limit is None else str(value)[:limit]
