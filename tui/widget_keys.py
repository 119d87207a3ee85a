"""The keys of the widgets themselves (moving, folding, ...), by the ids of their bindings, for the user's keymap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.binding import Binding

from widgets.color_lines import ColorLines
from widgets.confirm import Confirm
from widgets.facts import Facts
from widgets.log_view import LogView
from widgets.marked_lines import MarkedLines
from widgets.picker import Picker
from widgets.table import Table
from widgets.tree import DataTree

_NEVER = "<unbound>"


def widget_bindings() -> dict[str, tuple[tuple[str, ...], str]]:
    """(keys, what they do) by binding id."""
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    for widget in (Table, MarkedLines, LogView, Facts, DataTree, Picker, Confirm, ColorLines):
        for binding in widget.BINDINGS:
            if isinstance(binding, Binding) and binding.id:
                found[binding.id] = (tuple(binding.key.split(",")), binding.description)
    return found


def textual_keymap(overrides: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Textual's keymap for those of the user's keys that belong to widgets."""
    own = widget_bindings()
    return {name: _textual_keys(keys) for name, keys in overrides.items() if name in own}


def _textual_keys(keys: Sequence[str]) -> str:
    # Textual takes an empty entry for none at all, and does not know `*` as a key's name
    if not keys:
        return _NEVER
    return ",".join(binding.key for key in keys for binding in Binding.make_bindings([Binding(key, "")]))
