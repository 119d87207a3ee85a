"""Commands of Compose projects: through Compose where it is here, else through the containers where that will do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backends.abilities.compose import Belongings, Compose, ComposeOptions, Tool, Verb
from backends.base import ActionError
from backends.model import Item, Kind
from backends.progress import Report
from backends.projects import Project
from tui.commands import BY_ID
from tui.compose import Target, asks, options_of, question, service_names, targets_of, widened
from tui.confirmations import CANCEL
from tui.handlers.area import Area, titled
from widgets.picker import Picker, PickItem

_WHOLE = "project"
_LOCAL = ("unix://", "demo")


class ComposeArea(Area):
    async def up(self, items: Sequence[Item]) -> None:
        await self._run(Verb.UP, items)

    async def down(self, items: Sequence[Item]) -> None:
        await self._run(Verb.DOWN, items)

    async def pull(self, items: Sequence[Item]) -> None:
        await self._run(Verb.PULL, items)

    async def build(self, items: Sequence[Item]) -> None:
        await self._run(Verb.BUILD, items)

    async def start(self, items: Sequence[Item]) -> None:
        await self._run(Verb.START, items, instead="item.start")

    async def stop(self, items: Sequence[Item]) -> None:
        await self._run(Verb.STOP, items, instead="item.stop")

    async def restart(self, items: Sequence[Item]) -> None:
        await self._run(Verb.RESTART, items, instead="item.restart")

    async def open(self) -> None:
        """Bring up a project that has no container to begin with."""
        engine = await self.engine_with(Compose, "Compose up")
        if engine is None:
            return
        compose = self.able(engine, Compose)
        tool = await compose.tool()
        file = await self.app.browse_host("Compose file", kind="file")
        if not file:
            return
        project = Project("", str(Path(file).parent), (file,))
        await compose.check(project)
        target = Target(engine, project, (), ())
        agreed = await self._agree(Verb.UP, target, compose, tool)
        if agreed is not None:
            self._start(Verb.UP, target, agreed)

    async def logs(self, items: Sequence[Item]) -> None:
        targets = await self._targets("Logs of", items)
        containers = [container for target in targets for container in target.containers]
        if containers:
            await self.app.run_command("logs.open", containers)

    async def _run(self, verb: Verb, items: Sequence[Item], instead: str = "") -> None:
        """One project after the other; `instead`: the command on containers that does as much without Compose."""
        everything = list(self.app.store.of_kind(Kind.CONTAINER))
        if verb is Verb.DOWN:
            group = self.main.active.meant(items)
            targets = [widened(target, everything) for target in targets_of(items, everything, group)]
        else:
            targets = await self._targets(f"Compose {verb}", items)
        for target in targets:
            try:
                compose = self.able(target.engine, Compose)
                tool = await compose.tool()
                await compose.check(target.project)
            except ActionError as error:
                if not instead:
                    raise
                self.main.say(f"{titled(str(error))}. So it is done to the containers one by one.", "warn")
                await self.app.acting.act(BY_ID[instead], target.containers)
                continue
            agreed = await self._agree(verb, target, compose, tool)
            if agreed is None:
                return
            self._start(verb, target, agreed)

    async def _agree(self, verb: Verb, target: Target, compose: Compose, tool: Tool) -> ComposeOptions | None:
        """What the operator chose; None when it is not to be done."""
        url = self._remote(target.engine)
        if not asks(verb, target) and not url:
            return ComposeOptions()
        belongings = await compose.belongings(target.project) if verb is Verb.DOWN else Belongings()
        asked = question(verb, target, tool, belongings, remote=url)
        answer = await self.ask(asked.dialog(self.glyphs))
        return None if answer is None or answer.choice == CANCEL else options_of(answer)

    def _start(self, verb: Verb, target: Target, options: ComposeOptions) -> None:
        async def work(report: Report) -> str:
            compose = self.able(target.engine, Compose)
            return await compose.run(verb, target.project, target.services, options, report)

        self.app.tasks.start(f"compose {verb}", target.short, target.engine, work, asked=True)

    def _remote(self, engine: str) -> str:
        """The engine's address where it is another machine's, whose files Compose would not read."""
        info = self.app.store.engines[engine].info
        return "" if info is None or info.url.startswith(_LOCAL) else info.url

    async def _targets(self, title: str, items: Sequence[Item]) -> list[Target]:
        """The projects and services that are meant; of a single container the user says which of both."""
        everything = list(self.app.store.of_kind(Kind.CONTAINER))
        group = self.main.active.meant(items)
        targets = targets_of(items, everything, group)
        if group is not None or len(items) != 1 or not targets or not targets[0].services:
            return targets
        whole = widened(targets[0], everything)
        services = service_names(whole)
        entries = [
            PickItem("service", f"Service {targets[0].services[0]}", _counted(targets[0])),
            PickItem(_WHOLE, f"Project {whole.project.name}", f"{len(services)} services, {_counted(whole)}"),
        ]
        picked = await self.ask(Picker(f"{title} ...", entries, glyphs=self.glyphs))
        return [] if picked is None else [whole if picked == _WHOLE else targets[0]]


def _counted(target: Target) -> str:
    count = len(target.containers)
    return f"{count} container{'' if count == 1 else 's'}"
