"""The rules that values of the configuration are checked by; what breaks one is told in words with its key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from backends.text import clean


class Wrong(ValueError):
    """A value breaks its rule. `key` is the path below the checked value, empty for the value itself."""

    def __init__(self, rule: str, key: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.key = key


def a_table(value: Any, rules: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong(f"must be a table, not {said(value)}; allowed in it: {', '.join(sorted(rules))}")
    return {key: checked(rules, key, entry) for key, entry in value.items()}


def checked(rules: Mapping[str, Callable[[Any], Any]], key: str, value: Any) -> Any:
    if key not in rules:
        raise Wrong(f"unknown key; allowed: {', '.join(sorted(rules))}", clean(key))
    return below(key, rules[key], value)


def below(key: str, rule: Callable[[Any], Any], value: Any) -> Any:
    """Check a value and put `key` before the path of what is wrong in it."""
    try:
        return rule(value)
    except Wrong as error:
        path = f"{clean(key)}{'.' if error.key and not error.key.startswith('[') else ''}{error.key}"
        raise Wrong(error.rule, path) from error


def a_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {said(value)}")
    return value


def a_text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong(f"must be a text in quotes, not {said(value)}")
    return value


def one_of(what: str, allowed: Collection[str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise Wrong(f"must be {what}, not {said(value)}; allowed: {', '.join(allowed)}")
        return value

    return check


def said(value: Any) -> str:
    """A wrong value as the file wrote it, roughly, and never long."""
    if isinstance(value, bool):
        return as_toml(value)
    if isinstance(value, str):
        return quoted(clean(value, 60))
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return clean(str(value), 60)


def as_toml(value: bool) -> str:
    return "true" if value else "false"


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
