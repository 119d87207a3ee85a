"""Abilities are declared by name, so that nothing is loaded for a declaration: here every name is held to its class."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract

import pytest

import backends.demo.abilities
import backends.docker.abilities
import backends.libvirt.abilities
import backends.virtualbox.abilities
from backends.abilities import ability_name
from tui.commands import COMMANDS
from tui.tabs import TABS

PLACES = {
    "docker": backends.docker.abilities.ABILITIES,
    "virtualbox": backends.virtualbox.abilities.ABILITIES,
    "libvirt": backends.libvirt.abilities.ABILITIES,
    "demo": {**backends.demo.abilities.CONTAINER_ABILITIES, **backends.demo.abilities.VM_ABILITIES},
}


def found(place: str, package: str) -> type:
    module, _, name = place.partition(".")
    kind: type = getattr(import_module(f"{package}.{module}"), name)
    return kind


@pytest.mark.parametrize("name", sorted({one.ability for one in (*COMMANDS, *TABS) if one.ability}))
def test_what_a_command_or_a_tab_needs_is_an_ability_that_the_demo_and_an_engine_have(name):
    kind = found(name, "backends.abilities")
    assert isabstract(kind)
    assert ability_name(kind) == name
    assert name in PLACES["demo"]
    assert any(name in places for engine, places in PLACES.items() if engine != "demo")


@pytest.mark.parametrize(("engine", "name"), [(engine, name) for engine in PLACES for name in PLACES[engine]])
def test_an_engine_does_the_whole_of_an_ability_it_names(engine, name):
    made_by = found(PLACES[engine][name], f"backends.{engine}")
    assert issubclass(made_by, found(name, "backends.abilities"))
    assert not isabstract(made_by)
