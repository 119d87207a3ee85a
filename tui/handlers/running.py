"""Commands that run containers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from backends import references
from backends.abilities.containers import Run
from backends.abilities.images import Pull
from backends.model import Container, Image, Item, Kind, Network, Ref, Volume
from backends.progress import Report
from backends.runs.line import line_of, read_line
from backends.runs.spec import RunSpec
from tui.confirmations import CANCEL
from tui.handlers.area import Area
from tui.pull_form import program_of
from tui.run_form import fields_of, read, values_of
from tui.selection import short_id
from widgets.confirm import Choice, Confirm
from widgets.form import Form, LinesField, Tool, Values

_PASTE_HELP = "As docker run, docker create or podman run would take it; several lines are fine"


class Running(Area):
    async def run(self, items: Sequence[Item]) -> None:
        del items
        engine = await self.engine_with(Run, "Run a container")
        if engine is not None:
            await self._fill_in(engine, RunSpec())

    async def run_image(self, items: Sequence[Item]) -> None:
        image = items[0]
        if isinstance(image, Image):
            name = image.tags[0] if image.tags else short_id(image.ref.id)
            await self._fill_in(image.ref.engine, RunSpec(image=name))

    async def _fill_in(self, engine: str, spec: RunSpec) -> None:
        able = self.able(engine, Run)
        program = program_of(self, engine)
        form = Form(
            f"Run a container on {engine}",
            fields_of(spec),
            submit="Run",
            check=lambda values: read(values)[1],
            slow_check=self._objecting(able),
            preview=lambda values: line_of(read(values)[0], program),
            suggest=self._suggestions(engine),
            tools=(Tool("paste", "Paste a line", self._paste),),
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        wanted, _ = read(values)
        pull = not await able.has_image(wanted.image)
        if pull and not await self._agree_to_pull(engine, wanted.image, "run" if wanted.start else "create"):
            return
        puller = self.able(engine, Pull) if pull else None

        async def work(report: Report) -> str:
            if puller is not None:
                await puller.pull(full_name(wanted.image), report)
            made = await able.run(wanted)
            known = wanted.name or short_id(made.id)
            return f"{known} {'runs' if wanted.start else 'is created'}"

        self.app.tasks.start("run" if wanted.start else "create", wanted.name or wanted.image, engine, work)

    async def _agree_to_pull(self, engine: str, image: str, verb: str) -> bool:
        lines = (
            (f"{image}  on {engine}", "strong"),
            ("The engine does not have this image yet.", ""),
        )
        choices = (Choice(CANCEL, "Cancel"), Choice("pull", f"Pull and {verb}", tone="ok"))
        answer = await self.ask(
            Confirm("Pull the image first?", lines, choices=choices, safe=CANCEL, glyphs=self.glyphs)  # type: ignore[arg-type]
        )
        return answer is not None and answer.choice == "pull"

    def _objecting(
        self, able: Run, beside: Ref | None = None, base: RunSpec | None = None
    ) -> Callable[[Values], Awaitable[Mapping[str, str]]]:
        """What the engine has against the values, asked while they are typed."""

        async def objections(values: Values) -> Mapping[str, str]:
            spec, _ = read(values, base)
            found = await able.objections(spec, beside)
            return {name: reason for name, reason in found.items() if name in values}

        return objections

    async def _paste(self, values: Values) -> Values | None:
        """Read a line into the form; what the line does not say becomes as if not given."""
        del values

        def check(pasted: Values) -> Mapping[str, str]:
            text = _text(pasted)
            try:
                read_line(text)
            except ValueError as error:
                return {"line": str(error)}
            return {}

        field = LinesField("line", "Line", placeholder="docker run -d -p 8080:80 nginx:1.27", help=_PASTE_HELP)
        form = Form("Paste a docker run line", (field,), submit="Read", check=check, glyphs=self.glyphs)
        pasted = await self.ask(form)
        return None if pasted is None else values_of(read_line(_text(pasted)))

    def _suggestions(self, engine: str) -> Mapping[str, Sequence[str]]:
        store = self.app.store
        images = [item for item in store.of_kind(Kind.IMAGE) if item.ref.engine == engine]
        networks = [item for item in store.of_kind(Kind.NETWORK) if item.ref.engine == engine]
        volumes = [item for item in store.of_kind(Kind.VOLUME) if item.ref.engine == engine]
        boxes = self._containers(engine)
        return {
            "image": sorted({tag for item in images if isinstance(item, Image) for tag in item.tags}),
            "network": [
                *sorted(item.name for item in networks if isinstance(item, Network)),
                *(f"container:{box.name}" for box in boxes),
            ],
            "volumes": [f"{item.name}:/" for item in volumes if isinstance(item, Volume) and not item.anonymous],
        }

    def _containers(self, engine: str) -> list[Container]:
        found = [item for item in self.app.store.of_kind(Kind.CONTAINER) if item.ref.engine == engine]
        return [item for item in found if isinstance(item, Container)]


def full_name(image: str) -> str:
    """With the tag that is meant where none is given."""
    return references.parse(image).full


def _text(values: Values) -> str:
    lines = values["line"]
    return "\n".join(lines) if isinstance(lines, tuple) else str(lines)
