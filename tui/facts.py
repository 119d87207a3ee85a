"""What the Overview tab says of an object: pure."""

from __future__ import annotations

from typing import Any

from backends.model import VM, Container, Health, HostUsage, Image, Item, Network, Volume
from backends.secrets import mask_pairs, mask_text
from tui.belongings import network_facts, volume_facts
from tui.formats import duration, local_time, percent, size_long
from tui.rows import containers, vms
from tui.rows.fields import Look, failure_text
from tui.rows.marks import STATE_TONES
from tui.selection import name_of
from widgets.facts import Fact, Heading
from widgets.table import Cell

Line = Fact | Heading


def facts_of(item: Item, look: Look) -> list[Line]:
    match item:
        case Container():
            lines = _container(item, look)
        case VM():
            lines = _vm(item, look)
        case Image():
            lines = _image(item, look)
        case Volume():
            lines = volume_facts(item, look)
        case Network():
            lines = network_facts(item, look)
    return _trouble(item, look) + lines


def _trouble(item: Item, look: Look) -> list[Line]:
    lines: list[Line] = []
    failure = look.store.failures.get(item.ref)
    if failure:
        lines.append(Fact(failure_text(failure), Cell(failure.reason, "error")))
    engine = look.store.engines.get(item.ref.engine)
    if engine and engine.lost:
        lines.append(Fact("stale", Cell(f"{engine.key} does not answer: {engine.lost.reason}", "warn")))
    return lines


def _container(item: Container, look: Look) -> list[Line]:
    unhealthy = item.health is Health.UNHEALTHY
    state = Cell(containers.state_text(item, look.now), "error" if unhealthy else STATE_TONES[item.state])
    lines: list[Line] = [
        Fact("name", Cell(item.name, "strong")),
        Fact("state", state),
        Fact("image", item.image),
        Fact("command", mask_text(item.command)),
        Fact("id", item.ref.id),
        Fact("engine", item.ref.engine),
        Fact("created", _when(item.created, look)),
    ]
    if item.health:
        lines.insert(2, Fact("health", Cell(item.health, "error" if unhealthy else "")))
    if item.exit_code is not None:
        lines.insert(2, Fact("exit code", str(item.exit_code)))
    lines += _load(item, look)
    if item.ports:
        lines += [Heading("Ports"), *(Fact(f"{port.port}/{port.protocol}", _published(port)) for port in item.ports)]
    if item.networks:
        lines += [Heading("Networks"), *(Fact(name, address or "–") for name, address in item.networks)]
    if item.mounts:
        lines.append(Heading("Mounts"))
        for mount in item.mounts:
            source = f"{mount.type} {mount.source}{'' if mount.writable else ' (read-only)'}"
            lines.append(Fact(mount.destination, source))
    if item.labels:
        lines += [Heading("Labels"), *(Fact("", f"{key}={value}") for key, value in mask_pairs(item.labels))]
    return lines


def _published(port: Any) -> str:
    if port.host_port is None:
        return "not published"
    address = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip or "0.0.0.0"  # noqa: S104
    return f"{address}:{port.host_port}"


def _vm(item: VM, look: Look) -> list[Line]:
    lines: list[Line] = [
        Fact("name", Cell(item.name, "strong")),
        Fact("state", Cell(vms.state_text(item, look.now), STATE_TONES[item.state])),
    ]
    if item.error:
        lines.append(Fact("inaccessible", Cell(item.error, "error")))
    lines += [
        Fact(
            "engine's word", f"{item.state_word or '–'}{', transient: gone once it is off' if item.transient else ''}"
        ),
        Fact("OS type", item.os_type or "–"),
        Fact("CPUs", str(item.cpus) if item.cpus else "–"),
        Fact("memory", size_long(item.memory) if item.memory else "–"),
        *(Fact("addresses" if not number else "", address) for number, address in enumerate(item.addresses)),
        Fact("snapshots", str(item.snapshots)),
        Fact("autostart", "starts with its host" if item.autostart else "no"),
        Fact("groups", ", ".join(item.groups) or "–"),
        Fact("id", item.ref.id),
        Fact("engine", item.ref.engine),
    ]
    if item.started:
        lines.append(Fact("started", _when(item.started, look)))
    elif item.changed:
        lines.append(Fact("state since", _when(item.changed, look)))
    lines += _load(item, look)
    if item.guest:
        lines += [Heading("Guest"), *(Fact(label, value) for label, value in item.guest)]
    if item.description:
        lines += [Heading("Description"), Fact("", mask_text(item.description))]
    return lines


def _image(item: Image, look: Look) -> list[Line]:
    users = look.store.users_of(item)
    lines: list[Line] = [
        Fact("image", Cell(name_of(item), "strong")),
        Fact("size", size_long(item.size)),
        Fact("created", _when(item.created, look) if item.created > 0 else "–"),
        Fact("id", item.ref.id),
        Fact("engine", item.ref.engine),
        Fact("used by", ", ".join(users) if users else Cell("dangling" if item.dangling else "nothing", "dim")),
    ]
    if item.tags:
        lines += [Heading("Tags"), *(Fact("", tag) for tag in item.tags)]
    if item.digests:
        lines += [Heading("Digests"), *(Fact("", digest) for digest in item.digests)]
    return lines


def _load(item: Container | VM, look: Look) -> list[Line]:
    usage = look.store.usage.get(item.ref)
    if usage is None:
        return []
    lines: list[Line] = [Heading("Load")]
    if usage.cpu is not None:
        cores = usage.cpu_limit or 1.0
        limit = " of one core" if cores == 1 else f" of {cores:g} cores"
        lines.append(Fact("CPU", percent(usage.cpu) + limit))
    if usage.memory is not None:
        lines.append(Fact("memory", size_long(usage.memory) + _memory_limit(item, usage.memory, usage.memory_limit)))
    if usage.network_receive is not None:
        received, sent = size_long(usage.network_receive), size_long(usage.network_transmit)
        lines.append(Fact("network", f"in {received}/s, out {sent}/s"))
    elif usage.network_missing:
        lines.append(Fact("network", Cell(usage.network_missing, "dim")))
    if usage.disk_read is not None:
        lines.append(Fact("disk", f"read {size_long(usage.disk_read)}/s, write {size_long(usage.disk_write)}/s"))
    if usage.pids is not None:
        lines.append(Fact("processes", str(usage.pids)))
    return lines


def _memory_limit(item: Container | VM, used: int, limit: int | None) -> str:
    if isinstance(item, VM) and (not limit or used > limit):
        # what holds the guest needs some itself, often more than a small guest was given
        return " of the host's, the engine's own part included"
    return f" of {size_long(limit)}" if limit else ", no limit"


def host_facts(host: HostUsage, look: Look) -> list[Line]:
    lines: list[Line] = [
        Fact("host", Cell(host.name, "strong")),
        Fact("up", f"{duration(look.now - host.boot)}, since {local_time(host.boot)}"),
        Fact("memory", f"{size_long(host.memory_used)} of {size_long(host.memory_total)}"),
        Fact("swap", f"{size_long(host.swap_used)} of {size_long(host.swap_total)}" if host.swap_total else "none"),
    ]
    if host.load:
        lines.append(Fact("load", " ".join(f"{value:.2f}" for value in host.load)))
    lines += [Fact("temperature", f"{name} {value:.0f} °C") for name, value in host.temperatures]
    for engine in look.store.engines.values():
        if engine.info:
            text = f"{engine.info.product} {engine.info.version} at {engine.info.url}"
            lines.append(Fact(engine.key, text))
            lines += [Fact("", Cell(note, "dim")) for note in engine.info.notes]
        elif engine.lost:
            lines.append(Fact(engine.key, Cell(engine.lost.reason, "warn")))
    if host.file_systems:
        lines.append(Heading("File systems"))
        for system in host.file_systems:
            share = system.used / system.total if system.total else 0.0
            used = f"{percent(share, cores=False):>4} of {size_long(system.total)}  {system.type}  {system.device}"
            lines.append(Fact(system.mount, Cell(used, "warn" if share >= 0.9 else "")))
    return lines


def _when(moment: float, look: Look) -> str:
    return f"{local_time(moment)}, {duration(look.now - moment)} ago"
