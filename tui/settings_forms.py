"""The forms of a VM's settings: fields, what is wrong with them, what changes they mean. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from backends.abilities.creating import MB, Limits
from backends.abilities.editing import (
    Adapter,
    AddAdapter,
    AddForward,
    AttachDisk,
    Drive,
    Forward,
    GrowDisk,
    RemoveAdapter,
    Set,
    SetAdapter,
    Settings,
    SettingsChange,
    When,
)
from backends.runs import sizes
from tui.formats import size
from widgets.fields import ChoiceField, Field, LinesField, TextField, ToggleField, Values
from widgets.tones import Tone

BOOT = ("disk", "cdrom", "network", "floppy")
_MAC = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
_LABELS = {"name": "name", "description": "description", "cpus": "CPUs", "memory": "memory"}
_LABELS |= {"uefi": "firmware", "boot": "boot order", "autostart": "start with the host"}


def general_fields(settings: Settings) -> tuple[Field, ...]:
    """Those that can be changed now."""
    fields: dict[str, Field] = {
        "name": TextField("name", "Name", settings.name),
        "description": LinesField("description", "Description", tuple(settings.description.splitlines())),
        "cpus": TextField("cpus", "CPUs", str(settings.cpus)),
        "memory": TextField("memory", "Memory", sizes.write_size(settings.memory), help="Such as 2g or 512m"),
        "uefi": ToggleField(
            "uefi", "UEFI firmware", settings.uefi, "A guest installed with the other firmware does not start"
        ),
        "autostart": ToggleField(
            "autostart", "Start with host", settings.autostart, _capital(settings.timed("autostart").reason)
        ),
        "boot": TextField("boot", "Boot order", ", ".join(settings.boot), help=f"Of {', '.join(BOOT)}: first to last"),
    }
    return tuple(field for what, field in fields.items() if settings.timed(what).when is not When.REFUSED)


def general_notes(settings: Settings) -> list[tuple[str, Tone]]:
    """What a change does, and why some cannot be changed now."""
    notes: list[tuple[str, Tone]] = []
    later = [label for what, label in _LABELS.items() if settings.timed(what).when is When.NEXT]
    if later:
        notes.append((f"It runs. At its next start only: {', '.join(later)}.", "warn"))
    refused: dict[str, list[str]] = {}
    for what, label in _LABELS.items():
        timing = settings.timed(what)
        if timing.when is When.REFUSED:
            refused.setdefault(timing.reason, []).append(label)
    notes += [(f"Not now: {', '.join(labels)}: {reason}.", "dim") for reason, labels in refused.items()]
    return notes


def general_changes(
    values: Values, settings: Settings, limits: Limits | None
) -> tuple[list[SettingsChange], dict[str, str]]:
    """What differs, and what is wrong by field id."""
    problems: dict[str, str] = {}
    wanted: dict[str, object] = {}

    def tried(name: str, work: Callable[[str], object]) -> None:
        if name in values:
            try:
                wanted[name] = work(str(values[name]))
            except ValueError as error:
                problems[name] = str(error)

    tried("name", _name)
    tried("cpus", lambda text: _cpus(text, limits))
    tried("memory", lambda text: _memory(text, limits))
    tried("boot", _boot)
    if isinstance(lines := values.get("description"), tuple):
        wanted["description"] = "\n".join(lines)
    if "autostart" in values:
        wanted["autostart"] = bool(values["autostart"])
    if "uefi" in values:
        wanted["uefi"] = bool(values["uefi"])
        if wanted["uefi"] and not settings.uefi and limits is not None and not limits.uefi:
            problems["uefi"] = "no UEFI firmware is installed on the host"
    if limits is not None and wanted.get("name") in limits.names - {settings.name}:
        problems["name"] = "there is a VM of this name already"
    if wanted.get("description") == "\n".join(
        line.strip() for line in settings.description.splitlines() if line.strip()
    ):
        del wanted["description"]
    changes = [
        Set(field, value)  # type: ignore[arg-type]
        for field, value in wanted.items()
        if value != getattr(settings, field)
    ]
    return list(changes), problems


def attach_fields(limits: Limits) -> tuple[Field, ...]:
    left = f", {size(limits.space)} left" if limits.space is not None else ""
    return (
        ChoiceField("source", "Disk", (("new", "new, empty"), ("existing", "an existing image"))),
        TextField("size", "Size", "20g", help=f"Of a new disk{left}"),
        ChoiceField("format", "Format", limits.formats, help="Of a new disk"),
        TextField("image", "Image", browse="file", help="Of an existing disk"),
    )


def attach_change(values: Values) -> tuple[AttachDisk, dict[str, str]]:
    if values["source"] == "existing":
        path = str(values["image"])
        return AttachDisk(path), {} if path else {"image": "which image? Ctrl-L lists those the engine knows"}
    if values["image"]:
        return AttachDisk(), {"image": "not used, Disk is new, empty: choose another, or clear this"}
    try:
        wanted = sizes.read_size(str(values["size"])) // 512 * 512
    except ValueError as error:
        return AttachDisk(), {"size": str(error)}
    return AttachDisk("", wanted, str(values["format"])), {} if wanted >= MB else {"size": "at least 1m"}


def grow_fields(drive: Drive) -> tuple[Field, ...]:
    help_ = f"It has {size(drive.size)}. The guest's partitions and file systems stay as they are"
    return (TextField("size", "New size", sizes.write_size(drive.size or 0), help=help_),)


def grow_change(values: Values, drive: Drive) -> tuple[GrowDisk, dict[str, str]]:
    try:
        wanted = sizes.read_size(str(values["size"])) // 512 * 512
    except ValueError as error:
        return GrowDisk(drive, 0), {"size": str(error)}
    problem = "a disk can only grow: what lies at its end would be lost" if wanted <= (drive.size or 0) else ""
    return GrowDisk(drive, wanted), {"size": problem} if problem else {}


def adapter_fields(adapter: Adapter, networks: Sequence[tuple[str, str]], settings: Settings) -> tuple[Field, ...]:
    known = tuple(networks)
    if adapter.network not in dict(known):
        known = ((adapter.network, adapter.network), *known)
    fields: list[Field] = [
        ChoiceField("network", "Network", known, adapter.network),
        ToggleField("link", "Cable plugged in", adapter.link),
    ]
    if settings.timed("mac").when is not When.REFUSED and adapter.mac:
        fields.append(TextField("mac", "MAC address", adapter.mac))
    return tuple(fields)


def new_adapter_fields(networks: Sequence[tuple[str, str]]) -> tuple[Field, ...]:
    return (
        ChoiceField("network", "Network", tuple(networks), networks[0][0] if networks else ""),
        ToggleField("link", "Cable plugged in", value=True),
        TextField("mac", "MAC address", placeholder="empty: a new one"),
    )


def new_adapter(values: Values, settings: Settings) -> tuple[AddAdapter, dict[str, str]]:
    change, problems = adapter_change(values, Adapter("", "", "", link=True))
    mac = change.adapter.mac
    if not problems and mac and any(one.mac == mac for one in settings.adapters):
        problems["mac"] = "another of its adapters has it already"
    return AddAdapter(change.adapter), problems


def removal_lines(change: RemoveAdapter, settings: Settings, network: str) -> list[tuple[str, Tone]]:
    """What is lost with an adapter."""
    adapter, timing = change.adapter, settings.timed("unplug")
    rules = [one for one in settings.forwards if one.adapter == adapter.id]
    lines: list[tuple[str, Tone]] = [
        (f"{settings.name}: adapter in {network}", "strong"),
        (f"MAC {adapter.mac or 'unknown'}  {adapter.model}".rstrip(), ""),
        *((f"forwarded port {rule.host_port} to {rule.guest_port} {rule.protocol}", "") for rule in rules),
        ("", ""),
        (f"Lost: its MAC address{', which leases and licences may know' if adapter.mac else ''}.", "warn"),
    ]
    if rules:
        lines.append((f"Lost: {len(rules)} forwarded port{'s' if len(rules) > 1 else ''}.", "warn"))
    if settings.live:
        later = "At the next start." if timing.when is When.NEXT else "It runs: connections through it end."
        lines.append((later, "warn"))
    return lines


def adapter_change(values: Values, adapter: Adapter) -> tuple[SetAdapter, dict[str, str]]:
    mac = str(values.get("mac", adapter.mac)).lower()
    problems: dict[str, str] = {}
    if mac and not _MAC.fullmatch(mac):
        problems["mac"] = "six pairs of hexadecimal digits, such as 08:00:27:12:34:56"
    elif mac and int(mac[:2], 16) & 1:
        problems["mac"] = "its first pair must be even: odd ones address groups"
    wanted = replace(adapter, network=str(values["network"]), link=bool(values["link"]), mac=mac)
    return SetAdapter(wanted), problems


def forward_fields(settings: Settings) -> tuple[Field, ...]:
    able = settings.forwarding
    through = ChoiceField("adapter", "Adapter", tuple((one.id, f"{one.id}  {one.mac}") for one in able))
    return (
        *((through,) if len(able) > 1 else ()),
        TextField("name", "Name", placeholder="ssh"),
        ChoiceField("protocol", "Protocol", (("tcp", "TCP"), ("udp", "UDP"))),
        TextField("host_ip", "Host address", "127.0.0.1", "empty: every address of the host"),
        TextField("host_port", "Host port", placeholder="2222"),
        TextField("guest_ip", "Guest address", placeholder="empty: the guest's own"),
        TextField("guest_port", "Guest port", placeholder="22"),
    )


def forward_change(values: Values, settings: Settings) -> tuple[AddForward, dict[str, str]]:
    problems: dict[str, str] = {}
    ports = {}
    for field in ("host_port", "guest_port"):
        text = str(values[field])
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
            problems[field] = "a port, 1 to 65535"
        ports[field] = 0 if field in problems else int(text)
    name = str(values["name"]) or f"{values['protocol']}-{ports['host_port']}"
    if "," in name:
        problems["name"] = "no commas"
    elif any(one.name == name for one in settings.forwards):
        problems["name"] = "there is a forwarded port of this name already"
    for field in ("host_ip", "guest_ip"):
        if values[field] and not re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", str(values[field])):
            problems[field] = "no IPv4 address"
    slot = str(values.get("adapter") or next((one.id for one in settings.forwarding), ""))
    if not slot:
        problems.setdefault("name", settings.no_forwards)
    forward = Forward(
        name,
        str(values["protocol"]),
        str(values["host_ip"]),
        ports["host_port"],
        str(values["guest_ip"]),
        ports["guest_port"],
        slot,
    )
    return AddForward(forward), problems


def suggestions(limits: Limits | None) -> Mapping[str, Sequence[str]]:
    return {"image": limits.disks, "path": limits.isos} if limits is not None else {}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name(text: str) -> str:
    if not text:
        raise ValueError("a name is needed")
    return text


def _cpus(text: str, limits: Limits | None) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError("a number, 1 or more")
    if limits is not None and int(text) > limits.cpus:
        raise ValueError(f"the host has {limits.cpus}")
    return int(text)


def _memory(text: str, limits: Limits | None) -> int:
    found = sizes.read_size(text) // MB * MB
    if found < 4 * MB:
        raise ValueError("at least 4m")
    if limits is not None and found > limits.memory:
        raise ValueError(f"the host has {size(limits.memory)}")
    return found


def _boot(text: str) -> tuple[str, ...]:
    found = tuple(text.replace(",", " ").split())
    if not found or len(set(found)) != len(found) or not set(found) <= set(BOOT):
        raise ValueError(f"some of {', '.join(BOOT)}, each once")
    return found
