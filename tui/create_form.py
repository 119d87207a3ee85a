"""The form of a new VM: its fields, what is wrong with them, what they mean. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from backends.abilities.creating import MB, DiskFrom, Limits, NewVM, OSType
from backends.runs import sizes
from tui.formats import size
from widgets.fields import ChoiceField, Field, LinesField, TextField, ToggleField, Values

_T = TypeVar("_T")
_LEAST_MEMORY = 4 * MB
_SOURCES = (
    (DiskFrom.NEW, "new, empty"),
    (DiskFrom.EXISTING, "an existing image"),
    (DiskFrom.COPY, "a copy of an image"),
    (DiskFrom.LINKED, "a linked copy of a base image"),
    (DiskFrom.NONE, "none"),
)
_FIRMWARES = (("bios", "BIOS"), ("uefi", "UEFI"))
_CARRIED = ("name", "cpus", "memory", "disk", "size", "fixed", "image", "iso", "start")
"""Fields that mean the same on every engine."""
_ENGINE_FIELDS = {"name": "name", "image": "image", "iso": "iso"}


def fields_of(
    kinds: Sequence[OSType],
    limits: Limits,
    first: OSType,
    engines: Sequence[tuple[str, str]] = (),
    engine: str = "",
) -> tuple[Field, ...]:
    """`engines` are those a VM can be made on, as (key, label); with several the form asks for one."""
    space = f", {size(limits.space)} left" if limits.space is not None else ""
    fields: list[Field] = [TextField("name", "Name", placeholder="build-debian")]
    if len(engines) > 1:
        fields.append(ChoiceField("engine", "Engine", tuple(engines), engine, "Where it is made and runs"))
    fields += [
        ChoiceField("os", "System", tuple((kind.id, kind.name) for kind in kinds), first.id, "Enter: search the list"),
        TextField(
            "cpus", "CPUs", str(min(first.cpus, limits.cpus)), help=f"The host has {limits.cpus}: as many at most"
        ),
        TextField("memory", "Memory", sizes.write_size(first.memory), help=_memory_help(limits)),
        ChoiceField("firmware", "Firmware", _FIRMWARES, _firmware(first, limits)),
        ChoiceField("disk", "Disk", tuple((source.value, label) for source, label in _SOURCES)),
        TextField("size", "Disk size", sizes.write_size(first.disk), help=f"Of a new disk, in {limits.folder}{space}"),
        ChoiceField("format", "Disk format", limits.formats, help="Of a new disk"),
        ToggleField("fixed", "Take its space now", help="A new disk takes its whole size at once, not as it fills"),
        TextField("image", "Image", browse="file", help="Of an existing disk, a copy or a linked copy"),
        TextField("iso", "ISO", browse="file", help="Put in the drive; empty: an empty drive"),
        ChoiceField("network", "Network", limits.networks),
    ]
    if len(limits.accelerators) > 1:
        fields.append(ChoiceField("accelerator", "Runs on", limits.accelerators))
    fields.append(ToggleField("start", "Start it now"))
    return tuple(fields)


def carried(values: Values, fields: Sequence[Field], led: Values) -> Values:
    """What of a form's values goes on to that of another engine: what the user put in, not what the engine led to."""
    first: dict[str, object] = {field.id: "" if isinstance(field, LinesField) else field.value for field in fields}
    first |= led
    return {key: values[key] for key in _CARRIED if key in values and values[key] != first.get(key)}


def with_values(fields: Sequence[Field], values: Values) -> tuple[Field, ...]:
    """The fields with these values to begin with."""
    return tuple(replace(field, value=values[field.id]) if field.id in values else field for field in fields)  # type: ignore[arg-type]


def suggestions(limits: Limits) -> Mapping[str, Sequence[str]]:
    return {"image": tuple(dict.fromkeys((*(path for path, _ in limits.bases), *limits.disks))), "iso": limits.isos}


def remarks(limits: Limits) -> Mapping[str, str]:
    """What is said of a suggestion, by its value."""
    return {path: f"base image{f', {size(room)}' if room else ''}" for path, room in limits.bases}


def follower(
    kinds: Sequence[OSType], limits: Limits, kept: frozenset[str] = frozenset()
) -> Callable[[str, Values], Values]:
    """What the other fields become with the system, or with where the disk comes from. `kept`: those that stay."""
    known = {kind.id: kind for kind in kinds}

    def follow(field: str, values: Values) -> Values:
        if field == "os" and (kind := known.get(str(values["os"]))) is not None:
            led = {
                "cpus": str(min(kind.cpus, limits.cpus)),
                "memory": sizes.write_size(kind.memory),
                "size": sizes.write_size(kind.disk),
                "firmware": _firmware(kind, limits),
            }
            return {field: value for field, value in led.items() if field not in kept}
        if field == "disk" and values["disk"] == DiskFrom.LINKED and len(limits.bases) == 1:
            return {"image": limits.bases[0][0]}
        if field == "disk" and not _needs_image(DiskFrom(str(values["disk"]))):
            # the one that was put in for a linked copy: not what the user typed
            return {"image": ""} if [values["image"]] == [path for path, _ in limits.bases] else {}
        return {}

    return follow


def read(values: Values, limits: Limits) -> tuple[NewVM, dict[str, str]]:
    """The VM, and what is wrong by field id."""
    problems: dict[str, str] = {}

    def tried(name: str, work: Callable[[str], _T], empty: _T) -> _T:
        try:
            return work(str(values[name]))
        except ValueError as error:
            problems[name] = str(error)
            return empty

    source = DiskFrom(str(values["disk"]))
    spec = NewVM(
        name=tried("name", lambda text: _name(text, limits), ""),
        os_type=str(values["os"]),
        cpus=tried("cpus", lambda text: _cpus(text, limits), 1),
        memory=tried("memory", lambda text: _memory(text, limits), _LEAST_MEMORY),
        uefi=tried("firmware", lambda text: _uefi(text, limits), empty=False),
        disk=source,
        size=tried("size", lambda text: _size(text, limits, bool(values["fixed"])), 0) if source is DiskFrom.NEW else 0,
        format=str(values["format"]),
        fixed=bool(values["fixed"]),
        image=tried("image", lambda text: _image(text, source, limits), ""),
        iso=str(values["iso"]),
        network=str(values["network"]),
        accelerator=str(values.get("accelerator", "")),
    )
    if (
        values["start"]
        and "memory" not in problems
        and limits.memory_free is not None
        and spec.memory > limits.memory_free
    ):
        problems.setdefault("memory", f"only {size(limits.memory_free)} are free now: do not start it yet")
    return spec, problems


def summary(values: Values, limits: Limits, kinds: Mapping[str, OSType]) -> str:
    """One line that says what is made, of what is right so far."""
    spec, wrong = read(values, limits)
    words = [spec.name] if "name" not in wrong else []
    words.append(kinds[spec.os_type].name if spec.os_type in kinds else spec.os_type)
    hardware = [f"{spec.cpus} CPU{'s' if spec.cpus > 1 else ''}"] if "cpus" not in wrong else []
    hardware += [size(spec.memory)] if "memory" not in wrong else []
    hardware += [str(dict(_FIRMWARES)[str(values["firmware"])])] if "firmware" not in wrong else []
    words.append(", ".join(hardware))
    words.append(_disk_words(spec, limits) if not wrong.keys() & {"size", "image"} else "")
    words.append(f"ISO {spec.iso}" if spec.iso else "")
    words.append(dict(limits.networks).get(spec.network, spec.network))
    words.append(dict(limits.accelerators).get(spec.accelerator, ""))
    words.append("started at once" if values["start"] else "")
    return "; ".join(word for word in words if word)


def _disk_words(spec: NewVM, limits: Limits) -> str:
    match spec.disk:
        case DiskFrom.NEW:
            more = limits.space is not None and spec.size > limits.space
            told = f", more than the {size(limits.space)} left there" if more else ""
            return f"{size(spec.size)} {spec.format}{', taken at once' if spec.fixed else ''} in {limits.folder}{told}"
        case DiskFrom.NONE:
            return "no disk"
        case DiskFrom.EXISTING:
            return f"disk {spec.image}"
        case DiskFrom.COPY:
            return f"copy of {spec.image}"
        case DiskFrom.LINKED:
            return f"linked copy of {spec.image}"


def objected(found: Mapping[str, str], spec: NewVM) -> dict[str, str]:
    """The engine's objections by field id, less those about fields that are not needed now."""
    return {
        _ENGINE_FIELDS.get(name, name): reason
        for name, reason in found.items()
        if name != "image" or _needs_image(spec.disk)
    }


def _firmware(kind: OSType, limits: Limits) -> str:
    return "uefi" if kind.uefi and limits.uefi else "bios"


def _memory_help(limits: Limits) -> str:
    free = f", {size(limits.memory_free)} free now" if limits.memory_free is not None else ""
    return f"Such as 2g or 512m; the host has {size(limits.memory)} in all{free}"


def _needs_image(source: DiskFrom) -> bool:
    return source in {DiskFrom.EXISTING, DiskFrom.COPY, DiskFrom.LINKED}


def _name(text: str, limits: Limits) -> str:
    if not text:
        raise ValueError("a name is needed")
    if text in limits.names:
        raise ValueError("there is a VM of this name already")
    return text


def _cpus(text: str, limits: Limits) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError("a number, 1 or more")
    if int(text) > limits.cpus:
        raise ValueError(f"the host has {limits.cpus}")
    return int(text)


def _memory(text: str, limits: Limits) -> int:
    found = _read_size(text)
    if found < _LEAST_MEMORY:
        raise ValueError("at least 4m")
    if found > limits.memory:
        raise ValueError(f"the host has {size(limits.memory)} in all")
    return found // MB * MB


def _read_size(text: str) -> int:
    if not text:
        raise ValueError("a size is needed, such as 512m or 2g")
    return sizes.read_size(text)


def _uefi(text: str, limits: Limits) -> bool:
    if text == "uefi" and not limits.uefi:
        raise ValueError("no UEFI firmware is installed on the host")
    return text == "uefi"


def _size(text: str, limits: Limits, fixed: bool) -> int:
    found = _read_size(text)
    if found < MB:
        raise ValueError("at least 1m")
    if fixed and limits.space is not None and found > limits.space:
        raise ValueError(f"only {size(limits.space)} are left in {limits.folder}")
    return found // 512 * 512


def _image(text: str, source: DiskFrom, limits: Limits) -> str:
    if not _needs_image(source):
        if text:
            raise ValueError(f"not used, Disk is {dict(_SOURCES)[source]}: choose another, or clear this")
        return ""
    if not text:
        raise ValueError("which image? Ctrl-L lists those the engine knows")
    if source is DiskFrom.LINKED and text not in {path for path, _ in limits.bases}:
        raise ValueError("no base image: mark it as one among the media first")
    return text
