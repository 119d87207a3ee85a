"""What `boxtop ls` prints: aligned tables for people and awk, JSON for programs. Pure.

The JSON's fields are documented in docs/json.md. Commands, labels and descriptions pass the mask for secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from backends.model import VM, Container, HostUsage, Image, Kind, Port, Ref, Usage, image_users
from backends.secrets import mask_pairs, mask_text
from tui import formats
from tui.gather import Answer, Gathered
from tui.listing_belongings import network_rows, networks_json, volume_rows, volumes_json
from tui.options import SECTIONS
from tui.selection import short_id

_KINDS = {
    "containers": Kind.CONTAINER,
    "vms": Kind.VM,
    "images": Kind.IMAGE,
    "volumes": Kind.VOLUME,
    "networks": Kind.NETWORK,
}
_GAP = "   "


def tables(found: Gathered, section: str | None = None, cell_limit: int | None = None) -> str:
    """One table per section, a blank line between them; with `section` only that one.

    `cell_limit`: cells of the screen a value may take; None: all it needs.
    """
    make: dict[str, Callable[[Gathered], list[tuple[str, ...]]]] = {
        "host": _host_rows,
        "containers": _container_rows,
        "vms": _vm_rows,
        "images": _image_rows,
        "volumes": volume_rows,
        "networks": network_rows,
    }
    shown = [section] if section else [name for name in SECTIONS if name == "host" or _served(found, name)]
    return "\n".join(_aligned(make[name](found), cell_limit) for name in shown)


def complaints(found: Gathered) -> list[str]:
    """One line for each engine that did not answer. One that is simply not installed is named only when the user
    named it, or when nothing else answered either."""
    return [
        f"{answer.name} ({answer.url}): {answer.error.reason}{answer.error.remedy and ' – ' + answer.error.remedy}"
        for answer in found.answers
        if answer.error and (answer.state == "unreachable" or answer.chosen or not found.answered)
    ]


def as_json(found: Gathered, section: str | None = None) -> dict[str, Any]:
    """The whole as JSON data; with `section` only that one, beside the engines."""
    make: dict[str, Callable[[Gathered], Any]] = {
        "host": lambda gathered: _host_json(gathered.host),
        "engines": lambda gathered: [_engine_json(answer) for answer in gathered.answers],
        "containers": _containers_json,
        "vms": _vms_json,
        "images": _images_json,
        "volumes": volumes_json,
        "networks": networks_json,
    }
    return {name: call(found) for name, call in make.items() if section in (None, name) or name == "engines"}


def _served(found: Gathered, section: str) -> bool:
    return any(answer.info and _KINDS[section] in answer.info.kinds for answer in found.answers)


def _containers(found: Gathered) -> list[Container]:
    return [item for answer in found.answers if answer.snapshot for item in answer.snapshot.containers]


def _vms(found: Gathered) -> list[VM]:
    return [item for answer in found.answers if answer.snapshot for item in answer.snapshot.vms]


def _images(found: Gathered) -> list[Image]:
    return [item for answer in found.answers if answer.snapshot for item in answer.snapshot.images]


def _usages(found: Gathered) -> dict[Ref, Usage]:
    return {ref: usage for answer in found.answers for ref, usage in answer.usage.items()}


def _host_rows(found: Gathered) -> list[tuple[str, ...]]:
    host = found.host
    load = " ".join(f"{value:.2f}" for value in host.load) if host.load else formats.UNKNOWN
    return [
        ("HOST", "UP", "CPU", "CORES", "MEMORY", "SWAP", "LOAD", "DISK R/W", "NET RX/TX"),
        (
            host.name,
            formats.age(found.time - host.boot),
            formats.percent(host.cpu, cores=False),
            str(len(host.cores)),
            f"{formats.size(host.memory_used)}/{formats.size(host.memory_total)}",
            f"{formats.size(host.swap_used)}/{formats.size(host.swap_total)}",
            load,
            f"{formats.rate(host.disk_read)}/{formats.rate(host.disk_write)}",
            f"{formats.rate(host.network_receive)}/{formats.rate(host.network_transmit)}",
        ),
    ]


def _container_rows(found: Gathered) -> list[tuple[str, ...]]:
    usages = _usages(found)
    rows: list[tuple[str, ...]] = [
        ("CONTAINER", "STATE", "HEALTH", "CPU", "MEMORY", "UP", "CREATED", "IMAGE", "PORTS", "ENGINE", "ID")
    ]
    for item in sorted(_containers(found), key=lambda item: (item.name, item.ref.id)):
        usage = usages.get(item.ref)
        rows.append(
            (
                item.name,
                item.state if item.exit_code is None else f"{item.state} ({item.exit_code})",
                item.health or "",
                formats.percent(usage.cpu) if usage else "",
                formats.size(usage.memory) if usage else "",
                _since(found, item.started),
                _since(found, item.created),
                item.image,
                " ".join(_port(port) for port in item.ports),
                item.ref.engine,
                short_id(item.ref.id),
            )
        )
    return rows


def _vm_rows(found: Gathered) -> list[tuple[str, ...]]:
    usages = _usages(found)
    rows: list[tuple[str, ...]] = [("VM", "STATE", "CPU", "CPUS", "MEMORY", "UP", "OS TYPE", "ENGINE", "ID")]
    for item in sorted(_vms(found), key=lambda item: (item.name, item.ref.id)):
        usage = usages.get(item.ref)
        rows.append(
            (
                item.name,
                item.state,
                formats.percent(usage.cpu) if usage else "",
                str(item.cpus),
                formats.size(item.memory),
                _since(found, item.started),
                item.os_type,
                item.ref.engine,
                item.ref.id,
            )
        )
    return rows


def _image_rows(found: Gathered) -> list[tuple[str, ...]]:
    users = image_users(_containers(found))
    rows: list[tuple[str, ...]] = [("IMAGE", "SIZE", "CREATED", "USED BY", "ENGINE", "ID")]
    for item in sorted(_images(found), key=lambda item: (not item.tags, item.tags, item.ref.id)):
        used = len(users.get((item.ref.engine, item.ref.id), ()))
        facts = (
            formats.size(item.size),
            _since(found, item.created),
            str(used),
            item.ref.engine,
            short_id(item.ref.id),
        )
        rows += [(tag, *facts) for tag in item.tags or ("<dangling>" if item.dangling else "<untagged>",)]
    return rows


def _since(found: Gathered, unix: float | None) -> str:
    known = unix is not None and formats.timestamp(unix) != formats.UNKNOWN
    return formats.age(found.time - unix) if known and unix is not None else ""


def _port(port: Port) -> str:
    inside = f"{port.port}/{port.protocol}"
    if port.host_port is None:
        return inside
    address = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip
    return f"{address and address + ':'}{port.host_port}->{inside}"


def _aligned(rows: Sequence[tuple[str, ...]], cell_limit: int | None = None) -> str:
    """Columns padded to their widest cell and set apart by three spaces; an empty cell reads "-", so that a script that
    splits at two or more spaces counts the same fields in each row."""
    filled = [tuple(_cut(cell, cell_limit) or "-" for cell in row) for row in rows]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*filled, strict=True)]
    lines = (_GAP.join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) for row in filled)
    return "".join(line.rstrip() + "\n" for line in lines)


def _cut(text: str, limit: int | None) -> str:
    return text if limit is None or cell_len(text) <= limit else set_cell_size(text, limit - 3).rstrip() + "..."


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _time(unix: float | None) -> str | None:
    text = formats.timestamp(unix)
    return None if text == formats.UNKNOWN else text


def _round(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)


def _host_json(host: HostUsage) -> dict[str, Any]:
    return {
        "name": host.name,
        "time": _time(host.time),
        "booted": _time(host.boot),
        "uptime": _round(host.time - host.boot, 1),
        "cpu": _round(host.cpu),
        "cores": [_round(core) for core in host.cores],
        "memory_used": host.memory_used,
        "memory_total": host.memory_total,
        "swap_used": host.swap_used,
        "swap_total": host.swap_total,
        "load": [_round(value, 2) for value in host.load] if host.load else None,
        "disk_read": _round(host.disk_read, 1),
        "disk_write": _round(host.disk_write, 1),
        "network_receive": _round(host.network_receive, 1),
        "network_transmit": _round(host.network_transmit, 1),
        "file_systems": [
            {"mount": fs.mount, "device": fs.device, "type": fs.type, "used": fs.used, "total": fs.total}
            for fs in host.file_systems
        ],
        "temperatures": [{"sensor": sensor, "celsius": value} for sensor, value in host.temperatures],
    }


def _engine_json(answer: Answer) -> dict[str, Any]:
    info = answer.info
    return {
        "engine": answer.engine,
        "name": answer.name,
        "url": info.url if info else answer.url,
        "state": answer.state,
        "product": info.product if info else None,
        "version": info.version if info else None,
        "api_version": (info.api_version or None) if info else None,
        "kinds": list(info.kinds) if info else [],
        "notes": list(info.notes) if info else [],
        "reason": answer.error.reason if answer.error else None,
        "remedy": (answer.error.remedy or None) if answer.error else None,
    }


def _containers_json(found: Gathered) -> list[dict[str, Any]]:
    usages = _usages(found)
    return [
        {
            "engine": item.ref.engine,
            "id": item.ref.id,
            "name": item.name,
            "image": item.image,
            "image_id": item.image_id,
            "command": mask_text(item.command),
            "state": item.state,
            "state_word": item.state_word,
            "health": item.health,
            "created": _time(item.created),
            "started": _time(item.started),
            "ended": _time(item.ended),
            "exit_code": item.exit_code,
            "ports": [
                {
                    "port": port.port,
                    "protocol": port.protocol,
                    "host_ip": port.host_ip or None,
                    "host_port": port.host_port,
                }
                for port in item.ports
            ],
            "labels": dict(mask_pairs(item.labels)),
            "networks": [{"name": name, "address": address or None} for name, address in item.networks],
            "mounts": [
                {
                    "type": mount.type,
                    "source": mount.source,
                    "destination": mount.destination,
                    "writable": mount.writable,
                }
                for mount in item.mounts
            ],
            "usage": _usage_json(usages, item.ref),
        }
        for item in _containers(found)
    ]


def _vms_json(found: Gathered) -> list[dict[str, Any]]:
    usages = _usages(found)
    return [
        {
            "engine": item.ref.engine,
            "id": item.ref.id,
            "name": item.name,
            "state": item.state,
            "state_word": item.state_word,
            "os_type": item.os_type,
            "cpus": item.cpus,
            "memory": item.memory,
            "started": _time(item.started),
            "changed": _time(item.changed),
            "groups": list(item.groups),
            "description": mask_text(item.description),
            "snapshots": item.snapshots,
            "error": item.error or None,
            "usage": _usage_json(usages, item.ref),
        }
        for item in _vms(found)
    ]


def _images_json(found: Gathered) -> list[dict[str, Any]]:
    users = image_users(_containers(found))
    return [
        {
            "engine": item.ref.engine,
            "id": item.ref.id,
            "tags": list(item.tags),
            "digests": list(item.digests),
            "size": item.size,
            "created": _time(item.created),
            "dangling": item.dangling,
            "used_by": list(users.get((item.ref.engine, item.ref.id), ())),
        }
        for item in _images(found)
    ]


def _usage_json(usages: Mapping[Ref, Usage], ref: Ref) -> dict[str, Any] | None:
    usage = usages.get(ref)
    if usage is None:
        return None
    return {
        "time": _time(usage.time),
        "cpu": _round(usage.cpu),
        "cpu_limit": _round(usage.cpu_limit, 3),
        "memory": usage.memory,
        "memory_limit": usage.memory_limit,
        "network_receive": _round(usage.network_receive, 1),
        "network_transmit": _round(usage.network_transmit, 1),
        "disk_read": _round(usage.disk_read, 1),
        "disk_write": _round(usage.disk_write, 1),
        "pids": usage.pids,
    }
