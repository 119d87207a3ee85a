"""What an engine may be able to do beyond listing and lifecycle: one abstract class for each ability.

`Backend.ability` gives what does it for an engine; `EngineInfo.abilities` names those it has. Declarations speak of an
ability by its name, "containers.Commit": its module, with all that belongs to it, is loaded by whoever uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeVar

_Ability = TypeVar("_Ability")


def ability_name(kind: type) -> str:
    """The name of an ability's abstract class."""
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}"


class Abilities:
    """What does an engine's abilities, each made with the backend when it is first asked for."""

    def __init__(self, places: Mapping[str, str], backend: object) -> None:
        """`places`: "module.Class" in the backend's own package for each name."""
        self._places = places
        self._backend = backend
        self._package = type(backend).__module__.rpartition(".")[0]
        self._made: dict[str, Any] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._places)

    def get(self, kind: type[_Ability]) -> _Ability | None:
        name = ability_name(kind)
        if name not in self._made and name in self._places:
            module, _, made_by = self._places[name].partition(".")
            self._made[name] = getattr(import_module(f"{self._package}.{module}"), made_by)(self._backend)
        found: _Ability | None = self._made.get(name)
        return found
