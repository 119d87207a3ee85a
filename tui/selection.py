"""Which objects of a list are shown, and in what order: pure, so that it is tested without a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from backends.model import VM, Action, Container, Image, Item, Kind, Network, State, Volume


@dataclass(frozen=True, slots=True)
class Filter:
    """Words that must all occur (`-word`: must not), case-insensitively, in what a row tells of itself."""

    text: str = ""
    only_running: bool = False

    def matches(self, item: Item) -> bool:
        if self.only_running and isinstance(item, (Container, VM)) and item.state not in ACTIVE:
            return False
        words = self.text.lower().split()
        if not words:
            return True
        haystack = searchable(item)
        return all(
            (word[1:] not in haystack) if len(word) > 1 and word[0] == "-" else (word in haystack) for word in words
        )

    @property
    def active(self) -> bool:
        return bool(self.text.strip()) or self.only_running


ACTIVE = frozenset({State.RUNNING, State.PAUSED, State.STARTING, State.STOPPING, State.RESTARTING, State.SAVING})


def searchable(item: Item) -> str:
    """The text a filter looks in, lower case."""
    words: list[str] = [item.ref.id, item.ref.engine]
    match item:
        case Container():
            words += [item.name, item.image, item.state, item.state_word, item.health or ""]
            words += [f":{port.host_port}" for port in item.ports if port.host_port]
            words += [f"{key}={value}" for key, value in item.labels]
            words += [network for network, _ in item.networks]
        case VM():
            words += [item.name, item.os_type, item.state, item.state_word, *item.groups]
        case Image():
            words += [*item.tags, "dangling" if item.dangling else ""]
        case Volume():
            words += [item.name, item.driver, item.scope, "anonymous" if item.anonymous else ""]
            words += [f"{key}={value}" for key, value in item.labels]
        case Network():
            words += [item.name, item.driver, item.scope, "built-in" if item.builtin else ""]
            words += [text for subnet in item.subnets for text in (subnet.subnet, subnet.gateway)]
            words += [f"{key}={value}" for key, value in item.labels]
    return "\n".join(words).lower()


def ordered(items: Iterable[Item], key: Callable[[Item], Any], *, descending: bool) -> list[Item]:
    """Sorted by `key`, ties by name then id; objects without a figure (None) come last either way."""
    return [item for _, item in ranked(items, key, descending=descending)]


def ranked(items: Iterable[Item], key: Callable[[Item], Any], *, descending: bool) -> list[tuple[Any, Item]]:
    """As `ordered`, each object with its figure."""
    known: list[tuple[Any, str, str, Item]] = []
    unknown: list[tuple[str, str, Item]] = []
    for item in items:
        value = key(item)
        if value is None:
            unknown.append((name_of(item), item.ref.id, item))
        else:
            known.append((value, name_of(item), item.ref.id, item))
    known.sort(key=itemgetter(1, 2))
    known.sort(key=itemgetter(0), reverse=descending)
    unknown.sort(key=itemgetter(0, 1))
    return [(entry[0], entry[3]) for entry in known] + [(None, entry[2]) for entry in unknown]


def word_of(action: str, kind: str) -> str:
    """An action in the words of menu and footer: of a VM to `kill` is to power off. `kind`: a Kind, or its value."""
    return "power off" if action == Action.KILL and kind == Kind.VM else str(action)


def name_of(item: Item) -> str:
    """What a person calls the object."""
    if isinstance(item, Image):
        return item.tags[0] if item.tags else short_id(item.ref.id)
    return item.name


def short_id(identity: str) -> str:
    """An id as engines abbreviate it: without the digest's name, 12 characters."""
    return identity.removeprefix("sha256:")[:12]
