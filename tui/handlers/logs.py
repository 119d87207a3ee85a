"""Commands of logs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from backends.model import Container, Item
from tui.commands import BY_ID, refusal_here
from tui.handlers.log_area import LogArea
from tui.log_view import LogsView
from widgets.picker import Picker


class LogsArea(LogArea):
    @property
    def view(self) -> LogsView:
        found = self.main.views["logs"]
        assert isinstance(found, LogsView)  # noqa: S101
        return found

    async def open(self, items: Sequence[Item]) -> None:
        rights, command = self.app.store.rights, BY_ID["logs.open"]
        able = [item for item in items if refusal_here(command, item, rights) is None]
        containers = [item for item in able if isinstance(item, Container)]
        await self.main.show_view("logs")
        self.view.show(containers)

    # at once, not in tasks: the next keys are for what is asked

    def filter(self) -> None:
        self.view.ask_filter()

    async def since(self) -> None:
        picker = Picker("Show lines since", self.view.since_items(), glyphs=self.glyphs)
        chosen = await self.ask(picker)
        if chosen:
            self.view.set_since(chosen)

    def timestamps(self) -> None:
        self.view.toggle_timestamps()

    def clear(self) -> None:
        self.view.log_view.clear()

    async def save(self) -> None:
        names = [container.name for container in self.view.containers]
        name = names[0] if len(names) == 1 else f"{len(names)}-logs"
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self.app.look().now))
        start = str(Path.home() / f"{name}-{stamp}.log")
        chosen = await self.app.browse_host("Save the lines shown", start, kind="save")
        if chosen is None:
            return
        try:
            self.main.say(await self.view.save(Path(chosen)))
        except OSError as error:
            self.main.say(f"{chosen} cannot be written: {error.strerror or error}.", "error")
