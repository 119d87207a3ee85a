"""What each command does: areas of methods, found by the command's id and imported when first used."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Coroutine, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from backends.base import ActionError, EngineError
from backends.model import Item
from tui.commands import BY_ID, Command, Scope, refusal_here, unavailable, unavailable_in_view
from tui.handlers.area import Area, reason_of
from tui.selection import name_of

if TYPE_CHECKING:
    from tui.app import BoxtopApp

log = logging.getLogger(__name__)

_NAMED = 3

AREAS: Mapping[str, str] = {
    "app": "program.Program",
    "container": "containers.ContainerArea",
    "build": "build.BuildArea",
    "compose": "compose.ComposeArea",
    "custom": "custom.Custom",
    "details": "details.DetailsArea",
    "environment": "tabs.EnvironmentArea",
    "failed": "failed.Failed",
    "ports": "ports.PortsArea",
    "processes": "tabs.ProcessesArea",
    "show": "tabs.Show",
    "events": "events.EventsArea",
    "files": "files.FilesArea",
    "image": "images.ImageArea",
    "item": "item.ItemArea",
    "journal": "events.JournalArea",
    "list": "lists.Lists",
    "logs": "logs.LogsArea",
    "machine": "machine.MachineArea",
    "media": "media.MediaArea",
    "registry": "registry.RegistryArea",
    "snapshots": "snapshots.SnapshotsArea",
    "settings": "settings.SettingsArea",
    "tasks": "tasks.TasksArea",
    "vm": "vm.VmArea",
    "network": "network.NetworkArea",
    "prune": "prune.Prune",
    "output": "output.Output",
    "screen": "screen.ScreenArea",
    "serial": "serial.SerialArea",
    "engine_log": "engine_log.EngineLogArea",
    "transfer": "transfer.TransferArea",
    "windows": "windows.WindowsArea",
    "terminal": "terminal.Terminal",
    "view": "views.Views",
    "volume": "volume.VolumeArea",
}
"""Module and class in this package for each first part of a command's id."""


def area_class(area: str) -> type[Area]:
    module, _, name = AREAS[area].partition(".")
    found: type[Area] = getattr(import_module(f"{__name__}.{module}"), name)
    return found


class Handlers:
    """Runs commands. Those with an engine's action go to Acting, the others to the method of their area."""

    def __init__(self, app: BoxtopApp) -> None:
        self._app = app
        self._areas: dict[str, Area] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, command: Command, items: Sequence[Item] | None = None) -> None:
        """Do it; on `items` where they were chosen before, else on what is selected or marked now."""
        main = self._app.main
        if command.scope is not Scope.ITEM:
            rights = self._app.store.rights
            reason = unavailable_in_view(command, main.here, rights) if command.where else None
            if reason is not None:
                main.say(f"{command.label}: {reason}.", "warn")
                return
            await self._call(command)
            return
        if not main.listing and not command.alone:
            main.say("Choose a row in a list first: 1 containers, 2 VMs, 3 images.")
            return
        if items is None:
            surprise = main.active.surprise() if command.alters else None
            if surprise:
                main.say(surprise, "warn")
                return
            items = main.active.targets() if main.listing else []
        if command.alone:
            items = [item for item in items if item.ref.kind in command.kinds]
        if command.action is not None:
            # a question waits for its answer while the screen goes on
            await self._spawn(self._app.acting.act(command, items), command.id)
            return
        reason = unavailable(command, items, self._app.store.rights)
        if reason is not None:
            main.say(f"{command.label}: {reason}.", "warn")
            return
        await self._call(command, items if self._area_of(command).divides else self._able(command, items))

    def _able(self, command: Command, items: Sequence[Item]) -> list[Item]:
        """Those of several it can be done to: never one of a read-only engine, or whose state forbids it."""
        rights = self._app.store.rights
        reasons = [(item, refusal_here(command, item, rights, items)) for item in items]
        left = [f"{name_of(item)}: {reason}" for item, reason in reasons if reason is not None]
        if left:
            more = f"; and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
            self._app.main.say(f"{command.label}: left out {'; '.join(left[:_NAMED])}{more}.", "warn")
        return [item for item, reason in reasons if reason is None]

    def _area_of(self, command: Command) -> Area:
        area = self._areas.get(command.area)
        if area is None:
            area = self._areas[command.area] = area_class(command.area)(self._app)
        return area

    async def _call(self, command: Command, *arguments: Sequence[Item]) -> None:
        area = self._area_of(command)
        result = area.method_of(command)(*arguments)
        if not inspect.iscoroutine(result):
            return
        if area.at_once:
            await result
        else:
            await self._spawn(result, command.id)

    async def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        # it may put up a screen at once: the key after this one is for that screen
        await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, (EngineError, ActionError)):
            command = BY_ID.get(task.get_name())
            label = command.label if command else task.get_name().partition(".")[2].replace("_", " ")
            self._app.main.say(f"{label}: {reason_of(error)}", "error")
            return
        log.error("%s: %r", task.get_name(), error, exc_info=error)
        self._app.main.say(f"{task.get_name()} failed inside boxtop: see the log", "error")
