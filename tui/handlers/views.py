"""Commands that turn to another view."""

from __future__ import annotations

from tui.handlers.area import Area


class Views(Area):
    at_once = True

    async def containers(self) -> None:
        await self.main.show_view("panes", self.main.panes[0])

    async def vms(self) -> None:
        await self.main.show_view("panes", self.main.panes[1])

    async def images(self) -> None:
        await self.main.show_view("panes", self.main.panes[2])

    async def boxes(self) -> None:
        await self.main.show_view("boxes")

    async def host(self) -> None:
        await self.main.show_view("host")

    async def journal(self) -> None:
        await self.main.show_view("journal")

    async def volumes(self) -> None:
        await self.main.show_view("volumes")

    async def networks(self) -> None:
        await self.main.show_view("networks")

    async def events(self) -> None:
        await self.main.show_view("events")

    async def media(self) -> None:
        await self.main.show_view("media")

    async def tasks(self) -> None:
        await self.main.show_view("tasks")

    def zoom(self) -> None:
        if self.main.wide:
            self.main.toggle_zoom()
        elif not self.main.close_details():
            self.main.open_details()

    async def next(self) -> None:
        await self.main.step_pane(1)

    async def previous(self) -> None:
        await self.main.step_pane(-1)
