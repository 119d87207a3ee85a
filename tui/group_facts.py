"""What the Overview tab says of a group whose header is selected: pure."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model import VM, Container, Item, Kind
from backends.projects import HASH_LABEL, project_from, project_of
from tui.formats import percent, size, size_long
from tui.grouping import Group
from tui.rows import containers, vms
from tui.rows.fields import Look
from tui.rows.groups import RollUp, health_text, members, roll_up, standing_text
from tui.rows.marks import STATE_TONES
from tui.selection import name_of
from widgets.facts import Fact, Heading
from widgets.table import Cell
from widgets.text import fit, width_of
from widgets.tones import Tone

Line = Fact | Heading

_MOST_MEMBERS = 200
_WIDEST_NAME = 28
_HASH = 12
_VERSION_LABEL = "com.docker.compose.version"
_WHAT = {"project": "Compose project", "service": "Compose service", "group": "VM group", "ungrouped": "in no group"}


def facts_of_group(group: Group, look: Look) -> list[Line]:
    """Its state and load together, where it comes from, and all that is in it."""
    items = members(group.refs, look)
    rolled = roll_up(items, look)
    state = standing_text(rolled.standing)
    health = health_text(rolled.standing)
    engines = sorted({item.ref.engine for item in items})
    lines: list[Line] = [
        Fact("name", Cell(group.label, "strong")),
        Fact("what", _what(group, items)),
        Fact("state", Cell(*state)),
        Fact("engine", ", ".join(engines) or "–"),
    ]
    if health[0]:
        lines.insert(3, Fact("health", Cell(*health)))
    lines += _load(rolled)
    boxes = [item for item in items if isinstance(item, Container)]
    if boxes and not group.key.loose:
        lines += _origin(boxes, look)
    return lines + _members(items, look)


def _what(group: Group, items: Sequence[Item]) -> str:
    if group.what == "service":
        return f"{_WHAT['service']} of {group.key.path[0]}"
    if group.what == "group":
        return f"{_WHAT['group']} /{'/'.join(group.key.path)}"
    told = project_from([item for item in items if isinstance(item, Container)])
    return "Swarm stack" if told and told.stack else _WHAT[group.what]


def _load(rolled: RollUp) -> list[Line]:
    load = rolled.load
    if load.cpu is None and load.memory is None:
        return []
    lines: list[Line] = [Heading("Load" if load.whole else "Load (of those whose figures are known)")]
    if load.cpu is not None:
        cores = load.cpu_limit
        limit = f" of {cores:g} cores" if cores and cores != 1 else " of one core"
        lines.append(Fact("CPU", percent(load.cpu) + limit))
    if load.memory is not None:
        within = load.memory_limit and load.memory <= load.memory_limit
        limit = f" of {size_long(load.memory_limit)}" if within else ""
        lines.append(Fact("memory", size_long(load.memory) + limit))
    if load.network_receive is not None:
        received, sent = size_long(load.network_receive), size_long(load.network_transmit)
        lines.append(Fact("network", f"in {received}/s, out {sent}/s"))
    if load.disk_read is not None:
        lines.append(Fact("disk", f"read {size_long(load.disk_read)}/s, write {size_long(load.disk_write)}/s"))
    return lines


def _origin(boxes: Sequence[Container], look: Look) -> list[Line]:
    """Files and services, as the containers' labels tell."""
    told = project_from(boxes)
    if told is None:
        return []
    lines: list[Line] = []
    if told.folder:
        lines.append(Fact("folder", told.folder))
    lines += [Fact("file" if not number else "", file) for number, file in enumerate(told.files)]
    lines += [Fact("environment" if not number else "", file) for number, file in enumerate(told.environment_files)]
    versions = sorted({value for box in boxes for key, value in box.labels if key == _VERSION_LABEL and value})
    if versions:
        lines.append(Fact("made by", f"Compose {', '.join(versions)}"))
    if lines:
        lines.insert(0, Heading("Compose"))
    services: dict[str, list[Container]] = {}
    for box in boxes:
        services.setdefault(project_of(box.labels)[1], []).append(box)
    services.pop("", None)
    if services:
        lines.append(Heading("Services"))
    for service, own in sorted(services.items()):
        text, tone = standing_text(roll_up(own, look).standing)
        hashes = sorted({value[:_HASH] for box in own for key, value in box.labels if key == HASH_LABEL and value})
        note = f"  settings {', '.join(hashes)}" if hashes else ""
        lines.append(Fact(service, Cell(spans=((text, tone), (note, "dim")))))
    return lines


def _members(items: Sequence[Item], look: Look) -> list[Line]:
    if not items:
        return [Fact("", Cell("nothing is in it any more", "dim"))]
    noun = "Containers" if items[0].ref.kind is Kind.CONTAINER else "VMs"
    lines: list[Line] = [Heading(f"{noun}, {len(items)}")]
    width = min(_WIDEST_NAME, max(width_of(name_of(item)) for item in items[:_MOST_MEMBERS]))
    lines += [_member(item, width, look) for item in items[:_MOST_MEMBERS] if isinstance(item, (Container, VM))]
    if len(items) > _MOST_MEMBERS:
        lines.append(Fact("", Cell(f"and {len(items) - _MOST_MEMBERS} more", "dim")))
    return lines


def _member(item: Container | VM, width: int, look: Look) -> Fact:
    mark, tone = look.marks.of(look.store.shown_state(item), item)
    text = containers.state_text(item, look.now) if isinstance(item, Container) else vms.state_text(item, look.now)
    usage = look.store.usage.get(item.ref)
    load = ""
    if usage is not None and usage.cpu is not None:
        load = f"{percent(usage.cpu):>6} {size(usage.memory):>5}"
    name = fit(item.name, width, ellipsis=look.glyphs.ellipsis)
    spans: tuple[tuple[str, Tone], ...] = (
        (f"{mark} ", tone),
        (f"{name}  ", ""),
        (f"{text:<14}", STATE_TONES[item.state]),
        (load, "dim"),
    )
    return Fact("", Cell(spans=spans))
