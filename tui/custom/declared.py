"""A command of the user's own as the configuration declares it, and the rules its table is checked by."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from backends.model import Kind, State
from tui.custom.placeholders import ALLOWED, MOST, names_in
from tui.rules import Wrong, a_flag, a_table, a_text, below, one_of, said

OUTPUTS = ("pane", "terminal")
MAX_TIMEOUT = 86_400.0
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "busybox"})
_SCRIPT_OPTION = re.compile(r"-[A-Za-z]*c[A-Za-z]*|--command(?:=.*)?", re.DOTALL)
_WITH_STATE = frozenset({Kind.CONTAINER, Kind.VM})
_STATES = tuple(str(state) for state in State)


@dataclass(frozen=True, slots=True)
class CustomCommand:
    """One `[[commands]]` table."""

    name: str
    command: tuple[str, ...]
    """The program and its arguments, with placeholders."""
    kinds: frozenset[Kind]
    states: frozenset[State] = frozenset()
    """States it is for; empty: any."""
    key: str = ""
    confirm: bool = True
    output: str = "pane"
    """One of OUTPUTS."""
    timeout: float = 0.0
    """Seconds after which it is ended; 0: never."""
    changes: bool = True
    """It may change something, so that read-only engines refuse it."""

    @property
    def id(self) -> str:
        return "custom." + (re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_") or "command")


def custom_commands(value: Any) -> tuple[CustomCommand, ...]:
    """The checked `commands` array. Raises Wrong."""
    if not isinstance(value, list):
        raise Wrong(f"must be an array of tables, each under [[commands]], not {said(value)}")
    found = tuple(below(f"[{index}]", _command, entry) for index, entry in enumerate(value))
    owners: dict[str, str] = {}
    for index, command in enumerate(found):
        if owners.setdefault(command.id, command.name) is not command.name:
            raise Wrong(
                f"names must differ by more than signs and capitals; {owners[command.id]!r} is there", f"[{index}].name"
            )
    return found


def refuse_taken_keys(
    commands: Collection[CustomCommand], taken: Mapping[str, tuple[Collection[str], Collection[str]]]
) -> None:
    """Raise Wrong when a command's key means something else where it applies. `taken`: keys and places by id."""
    owners = {(key, place): name for name, (keys, places) in taken.items() for key in keys for place in places}
    for index, command in enumerate(commands):
        for kind in command.kinds if command.key else ():
            owner = owners.setdefault((command.key, kind), command.id)
            if owner != command.id:
                where = "give that one another in [keys] or " if not owner.startswith("custom.") else ""
                raise Wrong(f'"{command.key}" is given to {owner} already; {where}choose another', f"[{index}].key")


def _command(value: Any) -> CustomCommand:
    rules = {
        "name": _name,
        "command": _arguments,
        "kinds": _kinds,
        "states": _states,
        "key": _key,
        "confirm": a_flag,
        "output": one_of("where its output goes", OUTPUTS),
        "timeout": _timeout,
        "changes": a_flag,
    }
    table = a_table(value, rules)
    for needed in ("name", "command", "kinds"):
        if needed not in table:
            raise Wrong(f"misses its {needed}; allowed: {', '.join(sorted(rules))}")
    command = CustomCommand(**table)
    if command.states and not command.kinds <= _WITH_STATE:
        raise Wrong("is for containers and VMs alone: nothing else has a state", "states")
    for index, argument in enumerate(command.command):
        below(f"command[{index}]", lambda text: _checked_names(text, command.kinds), argument)
    return command


def _name(value: Any) -> str:
    name = a_text(value).strip()
    if not name or len(name) > 40 or not name.isprintable():
        raise Wrong(f"must be a name of 1 to 40 signs, not {said(value)}")
    return name


def _arguments(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise Wrong(f'must be a list of arguments such as ["docker", "logs", "{{name}}"], not {said(value)}')
    for index, word in enumerate(value):
        if "\0" in word:
            raise Wrong("holds a NUL, which no argument can", f"[{index}]")
    if not value[0].strip():
        raise Wrong("names no program", "[0]")
    if names_in(value[0]):
        raise Wrong("the program is named in full: an object must not choose what is run", "[0]")
    if value[0].rpartition("/")[2] in _SHELLS:
        _refuse_in_scripts(value)
    return tuple(value)


def _refuse_in_scripts(words: list[str]) -> None:
    for index, word in enumerate(words[1:], 1):
        script = index + 1 if _SCRIPT_OPTION.fullmatch(word) else 0
        for place in {index if word.startswith("--command=") else 0, script} - {0}:
            if place < len(words) and names_in(words[place]):
                raise Wrong(
                    'a placeholder in a shell\'s script would be read as commands: use "$1" there, and add "sh" and '
                    "the placeholder as arguments behind it",
                    f"[{place}]",
                )


def _checked_names(text: str, kinds: Collection[Kind]) -> None:
    for name in names_in(text):
        lacking = sorted(kind for kind in kinds if name not in ALLOWED[kind])
        if lacking:
            allowed = ", ".join(sorted(set.intersection(*(set(ALLOWED[kind]) for kind in kinds))))
            known = f"is not known of a {lacking[0]}" if name in MOST else "is no placeholder"
            raise Wrong(f"{{{name}}} {known}; allowed: {allowed}; {{{{{name}}}}} stays as it is written")


def _kinds(value: Any) -> frozenset[Kind]:
    return frozenset(Kind(word) for word in _words(value, "kinds of object", tuple(str(kind) for kind in Kind)))


def _states(value: Any) -> frozenset[State]:
    return frozenset(State(word) for word in _words(value, "states", _STATES))


def _words(value: Any, what: str, allowed: Collection[str]) -> list[str]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not words:
        raise Wrong(f"must be a list of {what}, not {said(value)}; allowed: {', '.join(allowed)}")
    check = one_of(f"one of the {what}", allowed)
    return [check(word) for word in words]


def _key(value: Any) -> str:
    key = a_text(value).strip()
    if not key or any(sign.isspace() for sign in key):
        raise Wrong(f'must be a key such as "x", "f6" or "ctrl+t", not {said(value)}')
    return key


def _timeout(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_TIMEOUT:
        raise Wrong(f"must be a number of seconds, not {said(value)}; allowed: 0 (none) to {MAX_TIMEOUT:g}")
    return float(value)
