"""The whole app on the simulated engines, with a clock the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from backends.model import Item, Ref
from tui.app import BoxtopApp
from tui.options import HostOption, Options
from tui.session import Session

FROZEN = 1_767_261_731.0
DEMO = (HostOption("demo://docker"), HostOption("demo://virtualbox"))


class Clock:
    """Unix time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = FROZEN

    def __call__(self) -> float:
        return self.now


class TestApp(BoxtopApp):
    """The app with an interval that never comes round by itself: samples are taken when the test says so."""

    __test__ = False

    def __init__(self, journal: Path, **options: object) -> None:
        self.clock = Clock()
        chosen = Options(**{"hosts": DEMO, "demo": True, **options})  # type: ignore[arg-type]
        super().__init__(chosen, journal_file=journal, clock=self.clock)
        self.session = Session(self.store, replace(chosen, interval=3600.0), self._refs_on_screen, self.clock)

    async def sample(self, times: int = 1, seconds: float = 2.0) -> None:
        """Move the clock and take in what the engines say then, so that it does not matter when watchers come round."""
        for _ in range(times):
            self.clock.now += seconds
            await self._list_all()
            await self.session.sample()

    async def _list_all(self) -> None:
        for engine in list(self.store.engines):
            backend = self.session.backend(engine)
            assert backend is not None
            self.store.apply(await backend.list_all())

    def named(self, name: str) -> Item:
        """The container or VM of this name."""
        for items in self.store.items.values():
            for item in items.values():
                if getattr(item, "name", None) == name:
                    return item
        raise LookupError(name)


async def until(pilot: Pilot[object], condition: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    """Let the app work until the condition holds."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await pilot.pause(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


async def listed(pilot: Pilot[object]) -> TestApp:
    """The app once every engine is listed and drawn."""
    app = pilot.app
    assert isinstance(app, TestApp)
    await until(
        pilot,
        lambda: app.store.engines and all(engine.listed for engine in app.store.engines.values()),
        "every engine listed",
    )
    await app.sample()
    await pilot.pause()
    return app


async def select(pilot: Pilot[object], name: str) -> Ref:
    """Put the cursor of the active list on the object of this name."""
    app = pilot.app
    assert isinstance(app, TestApp)
    ref = app.named(name).ref
    assert app.main.active.table.select(ref), f"{name} is not in the list"
    await pilot.pause()
    return ref


def said(app: TestApp) -> str:
    """The messages on screen."""
    return "\n".join(text for _, text, _ in app.main.notices.entries)


async def press(pilot: Pilot[object], *keys: str) -> None:
    """Press keys one after the other, each when the one before has had its effect."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def asked(pilot: Pilot[object], kind: type) -> None:
    """Wait for a dialog of this kind."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind), f"a {kind.__name__}")
    await pilot.pause()


async def typed(pilot: Pilot[object], text: str) -> None:
    """Type a text."""
    await pilot.press(*("space" if char == " " else char for char in text))
    await pilot.pause()
