"""What the Overview tab says of volumes and networks: pure."""

from __future__ import annotations

from backends.model import Container, Kind, Network, Volume, network_users
from backends.secrets import mask_pairs
from tui.formats import duration, local_time, size_long
from tui.rows.fields import Look
from widgets.facts import Fact, Heading
from widgets.table import Cell

Line = Fact | Heading


def volume_facts(item: Volume, look: Look) -> list[Line]:
    size = look.store.volume_sizes.get(item.ref)
    lines: list[Line] = [
        Fact("volume", Cell(item.name, "strong")),
        Fact("driver", item.driver or "–"),
        Fact("scope", item.scope or "–"),
        Fact("size", size_long(size) if size is not None else Cell("not asked for: it costs the engine a walk", "dim")),
        Fact("created", _when(item.created, look)),
        Fact("mountpoint", item.mountpoint or "–"),
        Fact("engine", item.ref.engine),
    ]
    if item.anonymous:
        lines.insert(1, Fact("anonymous", Cell("the engine named it, for a container", "dim")))
    mounts = [
        (container, mount)
        for container in _containers(look, item.ref.engine)
        for mount in container.mounts
        if mount.type == "volume" and mount.source == item.name
    ]
    lines.append(Heading("Used by"))
    for container, mount in sorted(mounts, key=lambda pair: pair[0].name):
        access = "" if mount.writable else " (read-only)"
        lines.append(Fact(container.name, f"at {mount.destination}{access}, {container.state}"))
    if not mounts:
        lines.append(Fact("", Cell("nothing", "dim")))
    return [*lines, *_pairs("Options", item.options), *_pairs("Labels", item.labels)]


def network_facts(item: Network, look: Look) -> list[Line]:
    lines: list[Line] = [
        Fact("network", Cell(item.name, "strong")),
        Fact("driver", item.driver or "–"),
        Fact("scope", item.scope or "–"),
        Fact("created", _when(item.created, look)),
        Fact("id", item.ref.id),
        Fact("engine", item.ref.engine),
    ]
    notes = [
        text
        for text, true in (
            ("the engine's own", item.builtin),
            ("internal: no way out", item.internal),
            ("attachable", item.attachable),
        )
        if true
    ]
    if notes:
        lines.append(Fact("kind", ", ".join(notes)))
    if item.subnets:
        lines.append(Heading("Addresses"))
        lines += [
            Fact(subnet.subnet, f"gateway {subnet.gateway}" if subnet.gateway else "no gateway")
            for subnet in item.subnets
        ]
    users = network_users(_containers(look, item.ref.engine)).get((item.ref.engine, item.name), ())
    lines.append(Heading("Containers"))
    lines += [Fact(name, address or Cell("no address now", "dim")) for name, address in users]
    if not users:
        lines.append(Fact("", Cell("none", "dim")))
    return [*lines, *_pairs("Options", item.options), *_pairs("Labels", item.labels)]


def _containers(look: Look, engine: str) -> list[Container]:
    found = look.store.of_kind(Kind.CONTAINER)
    return [item for item in found if isinstance(item, Container) and item.ref.engine == engine]


def _pairs(title: str, pairs: tuple[tuple[str, str], ...]) -> list[Line]:
    if not pairs:
        return []
    return [Heading(title), *(Fact("", f"{key}={value}" if value else key) for key, value in mask_pairs(pairs))]


def _when(moment: float | None, look: Look) -> str:
    if not moment or moment <= 0:
        return "–"
    return f"{local_time(moment)}, {duration(look.now - moment)} ago"
