"""Objects by what they belong to, as a tree: containers by Compose project and service, VMs by their group. Pure.

Groups are looked at as often as lists are placed: with 10,000 objects that must take a few milliseconds, so where an
object belongs is read from it once, and a group's insides are arranged only where they are to be seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from backends.model import VM, Container, Item, Kind, Ref

PROJECT_LABELS = ("com.docker.compose.project", "io.podman.compose.project", "com.docker.stack.namespace")
"""What names a container's project: Compose, podman-compose, a Swarm stack; the first that is there."""
SERVICE_LABELS = ("com.docker.compose.service", "io.podman.compose.service", "com.docker.swarm.service.name")
_LABELS = frozenset((*PROJECT_LABELS, *SERVICE_LABELS))

GROUPED_KINDS = frozenset({Kind.CONTAINER, Kind.VM})


class GroupKey(NamedTuple):
    """A group's identity; a tuple, as it is hashed often. An empty `path`: those of a kind that are in no group."""

    kind: str
    engine: str
    path: tuple[str, ...]

    @property
    def loose(self) -> bool:
        return not self.path


Place = tuple[Item, GroupKey, tuple[str, ...]]
"""An object, its outermost group, and the groups below that one."""
_Entry = tuple[Any, Item, tuple[str, ...]]
"""What it is sorted by, the object, and the groups below."""


@dataclass(slots=True, eq=False)
class Group:
    """Objects that belong together, in the order of their list. `depth` counts the groups around it."""

    key: GroupKey
    depth: int
    entries: list[_Entry] = field(repr=False)
    weighed: bool = False
    """What it is sorted by can be summed, and the groups in it are ordered by their sums."""
    descending: bool = False
    _inside: tuple[list[Group], list[Item]] | None = field(default=None, repr=False)

    @property
    def kind(self) -> Kind:
        return Kind(self.key.kind)

    @property
    def label(self) -> str:
        """What a person calls it."""
        if self.key.path:
            return self.key.path[-1]
        return "no project" if self.key.kind == Kind.CONTAINER else "no group"

    @property
    def what(self) -> str:
        """`project`, `service`, `group`: what kind of group it is."""
        if self.key.loose:
            return "ungrouped"
        if self.key.kind == Kind.VM:
            return "group"
        return "project" if len(self.key.path) == 1 else "service"

    @property
    def members(self) -> list[Item]:
        """All that is in it, also in the groups below, as it was when the list was placed."""
        return [entry[1] for entry in self.entries]

    @property
    def refs(self) -> list[Ref]:
        return [entry[1].ref for entry in self.entries]

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def groups(self) -> list[Group]:
        """The groups right below it, in order."""
        return self._arranged()[0]

    @property
    def items(self) -> list[Item]:
        """Its objects that are in none of the groups below."""
        return self._arranged()[1]

    def _arranged(self) -> tuple[list[Group], list[Item]]:
        if self._inside is None:
            self._inside = self._arrange()
        return self._inside

    def _arrange(self) -> tuple[list[Group], list[Item]]:
        level = len(self.key.path) - 1
        names = [entry[2][level] if level < len(entry[2]) else "" for entry in self.entries]
        counts = Counter(names)
        # a service of one container is that container's row: a header of its own would say the same twice
        least = 2 if self.key.kind == Kind.CONTAINER else 1
        if self.key.loose or all(count < least or not name for name, count in counts.items()):
            return [], self.members
        below: dict[str, list[_Entry]] = {}
        items: list[Item] = []
        for name, entry in zip(names, self.entries, strict=True):
            if name and counts[name] >= least:
                below.setdefault(name, []).append(entry)
            else:
                items.append(entry[1])
        groups = [
            Group(
                self.key._replace(path=(*self.key.path, name)), self.depth + 1, entries, self.weighed, self.descending
            )
            for name, entries in below.items()
        ]
        return ordered_groups(groups, weighed=self.weighed, descending=self.descending), items


Line = tuple[int, "Group | Item"]
"""How deep it is, and what it is: a group's header, or an object."""


class Places:
    """Where objects belong, read once from each: a Container or VM that changed is another object."""

    def __init__(self) -> None:
        self._known: dict[int, Place] = {}

    def of(self, ranked: Sequence[tuple[Any, Item]]) -> list[Place]:
        known = self._known
        if len(known) > 2 * len(ranked) + 1000:
            known.clear()
        found: list[Place] = []
        for _, item in ranked:
            # the place holds its object, so that no other can have its id
            place = known.get(id(item))
            if place is None:
                place = known[id(item)] = place_of(item)
            found.append(place)
        return found


def place_of(item: Item) -> Place:
    """Its outermost group and those below, from its labels or its group's path."""
    kind, engine = item.ref.kind.value, item.ref.engine
    path = group_path(item)
    return (item, GroupKey(kind, engine if path else "", path[:1]), path[1:])


def group_path(item: Item) -> tuple[str, ...]:
    """The names of the groups around an object, the outermost first; empty where it is in none.

    A VM in several groups belongs to the first of them here: a row has one place.
    """
    if isinstance(item, Container):
        project, service = project_of(item.labels)
        return (project, service) if project and service else (project,) if project else ()
    if isinstance(item, VM):
        return tuple(part for part in item.groups[0].split("/") if part) if item.groups else ()
    return ()


def project_of(labels: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """A container's project and service; empty where its labels name none."""
    named = {key: value for key, value in labels if value and key in _LABELS}
    project = next((named[label] for label in PROJECT_LABELS if label in named), "")
    if not project:
        return "", ""
    for label in SERVICE_LABELS:
        if label in named:
            # Swarm calls a stack's service `stack_service`
            return project, named[label].removeprefix(f"{project}_") if label == SERVICE_LABELS[-1] else named[label]
    return project, ""


def grouped(
    ranked: Sequence[tuple[Any, Item]], places: Places, *, weighed: bool, descending: bool, by_name: bool = False
) -> list[Group]:
    """The outermost groups of objects that come in their order, each with what it was sorted by.

    The objects keep their order within a group. Groups are ordered by the sum of what is sorted by, if it can be summed
    (`weighed`), else by name, which `descending` turns round only where the list is sorted `by_name`. What is in no
    group comes last.
    """
    found: dict[GroupKey, list[_Entry]] = {}
    for (value, item), (_, key, below) in zip(ranked, places.of(ranked), strict=True):
        entries = found.get(key)
        if entries is None:
            found[key] = [(value, item, below)]
        else:
            entries.append((value, item, below))
    down = descending if weighed or by_name else False
    groups = [Group(key, 0, entries, weighed, down) for key, entries in found.items()]
    return ordered_groups(groups, weighed=weighed, descending=down)


def ordered_groups(groups: Sequence[Group], *, weighed: bool, descending: bool) -> list[Group]:
    """By sum or by name; those without any figure, and last of all the ungrouped, come after the others."""
    named = sorted((group for group in groups if not group.key.loose), key=_name)
    loose = sorted((group for group in groups if group.key.loose), key=_name)
    if not weighed:
        return [*(reversed(named) if descending else named), *loose]
    sums = [(_sum(group), group) for group in named]
    known = sorted(
        ((total, group) for total, group in sums if total is not None), key=lambda pair: pair[0], reverse=descending
    )
    return [*(group for _, group in known), *(group for total, group in sums if total is None), *loose]


def _name(group: Group) -> tuple[str, str, str]:
    return (group.label.lower(), group.key.engine, group.key.kind)


def _sum(group: Group) -> float | None:
    values = [entry[0] for entry in group.entries if entry[0] is not None]
    return float(sum(values)) if values else None


def lines(groups: Sequence[Group], folded: Collection[GroupKey]) -> Iterator[Line]:
    """What is to be seen, from the top: headers, and what is in those that are not folded."""
    for group in groups:
        yield group.depth, group
        if group.key in folded:
            continue
        if group.groups:
            yield from lines(group.groups, folded)
        depth = group.depth + 1
        for item in group.items:
            yield depth, item


def in_order(groups: Sequence[Group]) -> Iterator[Item]:
    """Every object in the order it is shown in when nothing is folded."""
    for _, line in lines(groups, ()):
        if not isinstance(line, Group):
            yield line


def every_key(groups: Sequence[Group]) -> Iterator[GroupKey]:
    """The keys of all groups, also of those within others."""
    for group in groups:
        yield group.key
        yield from every_key(group.groups)


def around(item: Item, shown: Mapping[GroupKey, Group]) -> GroupKey | None:
    """The innermost of the groups `shown` that an object is in."""
    _, key, below = place_of(item)
    for count in range(len(below), -1, -1):
        inner = key._replace(path=(*key.path, *below[:count]))
        if inner in shown:
            return inner
    return None
