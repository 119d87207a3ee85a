"""What stands in braces in a command of the user's, and the arguments it comes to for one object.

A value is always within one argument: there is no shell that would split it. What it must not do either is become an
option: see `fill`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backends.model import VM, Container, Image, Item, Kind, Network, Volume
from backends.projects import project_of

_PLACEHOLDER = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")
"""A word in single braces; double ones, as in Docker's own templates, are left as they are."""

_COMMON = frozenset({"id", "short_id", "name", "kind", "engine", "host"})
ALLOWED: Mapping[Kind, frozenset[str]] = {
    Kind.CONTAINER: _COMMON | {"image", "image_id", "state", "project", "service"},
    Kind.VM: _COMMON | {"state", "os"},
    Kind.IMAGE: _COMMON,
    Kind.VOLUME: _COMMON | {"driver", "mountpoint"},
    Kind.NETWORK: _COMMON | {"driver"},
}
MOST = frozenset().union(*ALLOWED.values())


class Unfit(Exception):
    """An object has no arguments for a command; the text says why, in one line."""


def names_in(text: str) -> list[str]:
    """The placeholders of an argument."""
    return _PLACEHOLDER.findall(text)


def values_of(item: Item, host: str) -> Mapping[str, str]:
    """What each placeholder stands for. `host` is the address of the object's engine."""
    values = {
        "id": item.ref.id,
        "short_id": item.ref.id.removeprefix("sha256:")[:12],
        "kind": str(item.ref.kind),
        "engine": item.ref.engine,
        "host": host,
    }
    match item:
        case Container():
            project, service = project_of(item.labels)
            values |= {"name": item.name, "image": item.image, "image_id": item.image_id, "state": str(item.state)}
            values |= {"project": project, "service": service}
        case VM():
            values |= {"name": item.name, "state": str(item.state), "os": item.os_type}
        case Image():
            values["name"] = item.tags[0] if item.tags else item.ref.id
        case Volume():
            values |= {"name": item.name, "driver": item.driver, "mountpoint": item.mountpoint}
        case Network():
            values |= {"name": item.name, "driver": item.driver}
    return values


def fill(command: Sequence[str], item: Item, host: str) -> list[str]:
    """The arguments for an object. Raises Unfit where a value is empty, or would be taken for an option.

    An argument that begins with a placeholder whose value begins with a dash is an option to most programs; it is
    refused unless an argument `--` stands before it, which ends options.
    """
    values = values_of(item, host)
    filled: list[str] = []
    for argument in command:
        for name in names_in(argument):
            if not values.get(name):
                raise Unfit(f"it has no {name.replace('_', ' ')}")
        text = _PLACEHOLDER.sub(lambda match: values[match.group(1)], argument)
        if text.startswith("-") and not argument.startswith("-") and "--" not in command[: len(filled)]:
            raise Unfit(f'{text[:40]} would be taken for an option: put "--" before {argument} in the command')
        filled.append(text)
    return filled
