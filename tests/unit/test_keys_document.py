from __future__ import annotations

from pathlib import Path

from tui.keys_document import keys_document


def test_the_documented_keys_are_those_of_the_program():
    """After a change of commands: python -m tui.keys_document > docs/keys.md"""
    assert (Path(__file__).parents[2] / "docs/keys.md").read_text() == keys_document()
