"""A Compose of the simulated engine: its projects are those its containers' labels name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.abilities.compose import Belongings, Compose, ComposeOptions, Tool, Verb
from backends.base import ActionError
from backends.model import Action, ActionOptions, Container, Network, Ref, State, Volume
from backends.progress import Progress, Report
from backends.projects import PROJECT_LABELS, Project, project_of

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_TOOL = Tool(("docker", "compose"), "2.34.0")
_UP = (State.RUNNING, State.PAUSED, State.RESTARTING)
_WORDS = {
    Verb.UP: ("Starting", "Started"),
    Verb.START: ("Starting", "Started"),
    Verb.STOP: ("Stopping", "Stopped"),
    Verb.RESTART: ("Restarting", "Restarted"),
    Verb.DOWN: ("Removing", "Removed"),
}
_STEP = 0.3
_NOTHING = "the demo brings up only projects that are there: its Compose reads no files"


class DemoCompose(Compose):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._world = backend.world

    async def tool(self) -> Tool:
        return _TOOL

    async def check(self, project: Project) -> None:
        if not project.files:
            raise ActionError(f"{project.name}'s containers do not tell which files it was made from")

    async def belongings(self, project: Project) -> Belongings:
        items = list(self._world.items.values())
        return Belongings(
            tuple(sorted(item.name for item in items if isinstance(item, Network) and _of(item, project))),
            tuple(sorted(item.name for item in items if isinstance(item, Volume) and _of(item, project))),
        )

    async def run(
        self, verb: Verb, project: Project, services: Sequence[str], options: ComposeOptions, report: Report
    ) -> str:
        chosen = [item for item in self._containers(project) if not services or project_of(item.labels)[1] in services]
        if not chosen:
            raise ActionError(f"no such service: {', '.join(services)}" if services else _NOTHING)
        if verb in {Verb.PULL, Verb.BUILD}:
            await self._fetch(verb, chosen, report)
        else:
            await self._act_on_all(verb, chosen, report)
        if verb is Verb.DOWN:
            self._remove_rest(project, options, report)
        return f"done by {_TOOL.text}"

    async def _fetch(self, verb: Verb, chosen: Sequence[Container], report: Report) -> None:
        word = "Pull" if verb is Verb.PULL else "Build"
        for number, service in enumerate(sorted({project_of(item.labels)[1] for item in chosen})):
            report.progress(Progress(f"{service} {word}ing", number, len(chosen), bytes=False))
            report.line(f" {service} {word}ing")
            await asyncio.sleep(_STEP * self._world.options.pace)
            report.line(f" {service} {word}ed")

    async def _act_on_all(self, verb: Verb, chosen: Sequence[Container], report: Report) -> None:
        done = 0

        async def one(item: Container) -> None:
            nonlocal done
            await self._act(verb, item, report)
            done += 1
            report.progress(Progress(f"{verb} {item.name}", done, len(chosen), bytes=False))

        await asyncio.gather(*(one(item) for item in chosen))

    async def _act(self, verb: Verb, item: Container, report: Report) -> None:
        up = item.state in _UP
        if verb in {Verb.UP, Verb.START} and up:
            report.line(f" Container {item.name}  Running")
            return
        begun, ended = _WORDS[verb]
        if verb is Verb.STOP and not up:
            report.line(f" Container {item.name}  {ended}")
            return
        report.line(f" Container {item.name}  {begun}")
        if verb is Verb.DOWN and up:
            await self._perform(Action.STOP, item.ref)
        action = {Verb.STOP: Action.STOP, Verb.RESTART: Action.RESTART, Verb.DOWN: Action.DELETE}.get(verb)
        await self._perform(action or Action.START, item.ref)
        report.line(f" Container {item.name}  {ended}")

    async def _perform(self, action: Action, ref: Ref) -> None:
        await self._backend.perform(action, ref, ActionOptions(force=action is Action.DELETE))

    def _remove_rest(self, project: Project, options: ComposeOptions, report: Report) -> None:
        for item in list(self._world.items.values()):
            goes = isinstance(item, Network) or (options.volumes and isinstance(item, Volume))
            if goes and isinstance(item, (Network, Volume)) and _of(item, project):
                self._world.drop(item.ref)
                report.line(f" {str(item.ref.kind).capitalize()} {item.name}  Removed")

    def _containers(self, project: Project) -> list[Container]:
        items = self._world.items.values()
        return [item for item in items if isinstance(item, Container) and project_of(item.labels)[0] == project.name]


def _of(item: Network | Volume, project: Project) -> bool:
    return (PROJECT_LABELS[0], project.name) in item.labels
