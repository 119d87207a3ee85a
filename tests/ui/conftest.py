"""What every screen test stands on: a terminal and a clock that are the same everywhere, and the simulated engines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.boxtop import TestApp

_OTHERS = ("NO_COLOR", "TEXTUAL_THEME", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
"""Of the tester's own desktop: they change what is drawn or offered."""


@pytest.fixture(autouse=True)
def known_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal of all colours, in UTC."""
    with monkeypatch.context() as patch:
        for name in _OTHERS:
            patch.delenv(name, raising=False)
        patch.setenv("COLORTERM", "truecolor")
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def app(tmp_path: Path) -> TestApp:
    return TestApp(tmp_path / "journal.jsonl")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is saved or looked up without a path of its own is not the user's."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    return folder
