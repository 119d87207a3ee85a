"""Objects by what they belong to, as a tree: containers by Compose project and service, VMs by their group. Pure.

Groups are looked at as often as lists are placed: with 10,000 objects that must take a few milliseconds, so where an
object belongs is read from it once, and a group's insides are arranged only where they are to be seen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from backends.model import VM, Container, Item, Kind, Ref
from backends.projects import project_of

_NOTHING_BELOW: frozenset[tuple[str, ...]] = frozenset({()})

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


class Figures:
    """What objects are sorted by where that can be summed; looked up only where groups have groups in them."""

    def __init__(self, ranked: Sequence[tuple[Any, Item]]) -> None:
        self._ranked = ranked
        self._of: dict[int, float] | None = None

    def sum(self, places: Iterable[Place]) -> float | None:
        """None where no figure is known."""
        if self._of is None:
            self._of = {id(item): value for value, item in self._ranked if value is not None}
        of = self._of
        values = [of[identity] for place in places if (identity := id(place[0])) in of]
        return sum(values) if values else None


@dataclass(slots=True, eq=False)
class Group:
    """Objects that belong together, in the order of their list. `depth` counts the groups around it.

    What is in it is arranged when it is first asked for: never while it is folded.
    """

    key: GroupKey
    depth: int
    places: list[Place] = field(repr=False)
    figures: Figures | None = field(default=None, repr=False)
    """The groups in it are ordered by these; None: by name."""
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
    def refs(self) -> list[Ref]:
        """All that is in it, also in the groups below."""
        return [place[0].ref for place in self.places]

    @property
    def size(self) -> int:
        return len(self.places)

    @property
    def groups(self) -> list[Group]:
        """The groups right below it, in order."""
        return self._arranged()[0]

    @property
    def items(self) -> list[Item]:
        """Its objects that are in none of the groups below, as they were when the list was placed."""
        return self._arranged()[1]

    def _arranged(self) -> tuple[list[Group], list[Item]]:
        if self._inside is None:
            self._inside = self._arrange()
        return self._inside

    def _arrange(self) -> tuple[list[Group], list[Item]]:
        places = self.places
        level = len(self.key.path) - 1
        # a service of one container is that container's row: a header of its own would say the same twice
        least = 2 if self.key.kind == Kind.CONTAINER else 1
        distinct = {place[2] for place in places}
        if distinct == _NOTHING_BELOW or (least == 2 and (level or len(distinct) == len(places))):
            return [], [place[0] for place in places]
        names = [place[2][level] if level < len(place[2]) else "" for place in places]
        counts = Counter(names)
        below: dict[str, list[Place]] = {}
        items: list[Item] = []
        for name, place in zip(names, places, strict=True):
            if name and counts[name] >= least:
                below.setdefault(name, []).append(place)
            else:
                items.append(place[0])
        path, depth = self.key.path, self.depth + 1
        groups = [
            Group(self.key._replace(path=(*path, name)), depth, found, self.figures, self.descending)
            for name, found in below.items()
        ]
        sums = {group.key: self.figures.sum(group.places) for group in groups} if self.figures else None
        return ordered_groups(groups, sums, descending=self.descending), items


@dataclass(slots=True)
class Lines:
    """What is to be seen of a grouped list, from the top: side by side, as there may be 10,000."""

    shown: list[Group | Item] = field(default_factory=list)
    """A group where its header is, else an object."""
    keys: list[GroupKey | Ref] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    """How many groups are around it."""
    groups: dict[GroupKey, Group] = field(default_factory=dict)
    """Those that have a header."""


class Places:
    """Where objects belong, read once from each: a Container or VM that changed is another object."""

    def __init__(self) -> None:
        self._known: dict[int, Place] = {}
        self._keys: dict[GroupKey, GroupKey] = {}

    def of(self, ranked: Sequence[tuple[Any, Item]]) -> list[Place]:
        if len(self._known) > 2 * len(ranked) + 1000:
            self._known.clear()
            self._keys.clear()
        known, read = self._known.get, self._read
        # a place holds its object, so that no other can have its id
        return [known(id(entry[1])) or read(entry[1]) for entry in ranked]

    def _read(self, item: Item) -> Place:
        item, key, below = place_of(item)
        # one key for all in the group: equal ones are found faster when they are the same
        place = self._known[id(item)] = (item, self._keys.setdefault(key, key), below)
        return place


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


def grouped(
    ranked: Sequence[tuple[Any, Item]], places: Places, *, weighed: bool, descending: bool, by_name: bool = False
) -> list[Group]:
    """The outermost groups of objects that come in their order, each with what it was sorted by.

    The objects keep their order within a group. Groups are ordered by the sum of what is sorted by, if it can be summed
    (`weighed`), else by name, which `descending` turns round only where the list is sorted `by_name`. What is in no
    group comes last.
    """
    found: defaultdict[GroupKey, list[Place]] = defaultdict(list)
    belonging = places.of(ranked)
    for place in belonging:
        found[place[1]].append(place)
    sums: dict[GroupKey, float | None] | None = None
    if weighed:
        sums = dict.fromkeys(found)
        for (value, _), (_, key, _) in zip(ranked, belonging, strict=True):
            if value is not None:
                sums[key] = value + (sums[key] or 0.0)
    down = descending and (weighed or by_name)
    figures = Figures(ranked) if weighed else None
    groups = [Group(key, 0, members, figures, down) for key, members in found.items()]
    return ordered_groups(groups, sums, descending=down)


def ordered_groups(
    groups: Sequence[Group], sums: Mapping[GroupKey, float | None] | None, *, descending: bool
) -> list[Group]:
    """By their sums, or by name; those without any figure, and last of all the ungrouped, come after the others."""
    named = sorted((group for group in groups if group.key.path), key=_name)
    loose = sorted((group for group in groups if not group.key.path), key=_name)
    if sums is None:
        return [*(reversed(named) if descending else named), *loose]
    known = [(total, group) for group in named if (total := sums[group.key]) is not None]
    known.sort(key=itemgetter(0), reverse=descending)
    return [*(group for _, group in known), *(group for group in named if sums[group.key] is None), *loose]


def _name(group: Group) -> tuple[str, str, str]:
    return (group.label.lower(), group.key.engine, group.key.kind)


def lines(groups: Sequence[Group], folded: Collection[GroupKey]) -> Lines:
    """Headers, and what is in those groups that are not folded."""
    found = Lines()
    _add_lines(found, groups, folded)
    return found


def plain_lines(items: list[Item]) -> Lines:
    """Objects without a header."""
    return Lines([*items], [item.ref for item in items], [0] * len(items))


def _add_lines(found: Lines, groups: Sequence[Group], folded: Collection[GroupKey]) -> None:
    shown, keys, depths = found.shown, found.keys, found.depths
    for group in groups:
        found.groups[group.key] = group
        shown.append(group)
        keys.append(group.key)
        depths.append(group.depth)
        if group.key in folded:
            continue
        if group.groups:
            _add_lines(found, group.groups, folded)
        items = group.items
        shown += items
        keys += [item.ref for item in items]
        depths += [group.depth + 1] * len(items)


def in_order(groups: Sequence[Group]) -> list[Ref]:
    """Every object in the order of the groups, also of those that are folded."""
    return [ref for group in groups for ref in group.refs]


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
