"""Building an image: what is asked first, and the task that does it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from backends import references
from backends.abilities.build import Build, BuildRequest
from backends.base import ActionError, EngineError
from backends.progress import Report
from backends.secrets import mask_text
from backends.text import clean
from tui.handlers.area import Area, reason_of
from tui.pull_form import program_of
from tui.tasks_view import TasksView
from widgets.form import Form, LinesField, TextField, ToggleField, Values

if TYPE_CHECKING:
    from tui.app import BoxtopApp


class BuildArea(Area):
    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(app)
        self._last: Values = {}
        """What the last build was asked with: the next one is often the same, mended."""
        self._typed: Values = {}

    async def image(self) -> None:
        engine = await self.engine_with(Build, "Build")
        if engine is None:
            return
        able = self.able(engine, Build)
        program = program_of(self, engine)

        async def examine(values: Values) -> Mapping[str, str]:
            request = request_of(values)
            try:
                recipe = await able.examine(request.context, request.dockerfile)
            except ActionError as error:
                return {"dockerfile" if os.path.isdir(request.context) else "context": str(error)}  # noqa: PTH112, ASYNC240
            except EngineError as error:
                return {"context": reason_of(error)}
            stages = {stage.lower() for stage in recipe.stages}
            if request.target and request.target.lower() not in stages and not request.target.isdigit():
                known = ", ".join(recipe.stages) or "none is named"
                return {"target": f"no such stage in the Dockerfile: {known}"}
            return {}

        form = Form(
            f"Build on {engine}",
            _fields(self._last),
            submit="Build",
            check=self._check,
            slow_check=examine,
            preview=lambda values: line_of(program, request_of(values)),
            browse=self._browse,
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        self._last = values
        request = request_of(values)

        async def work(report: Report) -> str:
            return await able.build(request, report)

        target = request.tags[0] if request.tags else clean(os.path.basename(request.context))  # noqa: PTH119
        task = self.app.tasks.start("build", target, engine, work)
        await self.main.show_view("tasks")
        view = self.main.views["tasks"]
        if isinstance(view, TasksView):
            view.draw()
            view.table.select(task.id)

    def _check(self, values: Values) -> Mapping[str, str]:
        self._typed = values
        return check(values)

    async def _browse(self, label: str, value: str, kind: str) -> str | None:
        context = request_of(self._typed).context if self._typed else ""
        if kind == "folder":
            return await self.app.browse_host(f"{label}: which folder?", value or ".", kind="folder")
        start = os.path.dirname(os.path.join(context, value))  # noqa: PTH118, PTH120
        chosen = await self.app.browse_host(f"{label}: which file?", start or ".", kind="file")
        return _from(context, chosen) if chosen else None


def _fields(last: Values) -> tuple[TextField | LinesField | ToggleField, ...]:
    def text(name: str) -> str:
        value = last.get(name, "")
        return value if isinstance(value, str) else ""

    def lines(name: str) -> tuple[str, ...]:
        value = last.get(name, ())
        return value if isinstance(value, tuple) else ()

    return (
        TextField("context", "Context folder", text("context"), "/path/of/the/folder", browse="folder"),
        TextField("dockerfile", "Dockerfile", text("dockerfile"), "Dockerfile, in the context", browse="file"),
        LinesField("tags", "Tags", lines("tags"), "name:tag, one a line"),
        LinesField("arguments", "Build arguments", lines("arguments"), "NAME=value, one a line"),
        TextField("target", "Target stage", text("target"), "the last"),
        ToggleField("no_cache", "Without the cache", bool(last.get("no_cache", False))),
        ToggleField("pull", "Look for newer bases", bool(last.get("pull", False))),
    )


def check(values: Values) -> Mapping[str, str]:
    """What is wrong with the fields as they are, without a look at the disk or the engine."""
    wrong: dict[str, str] = {}
    if not values["context"]:
        wrong["context"] = "choose the folder to build from"
    for tag in _lines(values, "tags"):
        try:
            if references.parse(tag).digest:
                wrong["tags"] = f"{tag}: a tag has no digest"
        except ValueError as error:
            wrong["tags"] = f"{tag}: {error}"
    names: set[str] = set()
    for line in _lines(values, "arguments"):
        name, equals, _ = line.partition("=")
        if not equals or not name or any(character.isspace() for character in name):
            wrong["arguments"] = f"{line[:40]}: write NAME=value"
        elif name in names:
            wrong["arguments"] = f"{name} is there twice"
        names.add(name)
    return wrong


def request_of(values: Values) -> BuildRequest:
    """The request a form's values stand for; a path is made absolute, from boxtop's own folder."""
    context = str(values["context"])
    pairs = [line.partition("=") for line in _lines(values, "arguments")]
    return BuildRequest(
        context=os.path.abspath(os.path.expanduser(context)) if context else "",  # noqa: PTH100, PTH111
        dockerfile=str(values["dockerfile"]),
        tags=tuple(_lines(values, "tags")),
        arguments=tuple((name, value) for name, _, value in pairs),
        target=str(values["target"]),
        no_cache=bool(values["no_cache"]),
        pull=bool(values["pull"]),
    )


def line_of(program: str, request: BuildRequest) -> str:
    """The same build as a command line; what looks like a secret is masked in it."""
    words = [program, "build"]
    for tag in request.tags:
        words += ["-t", tag]
    if request.dockerfile:
        words += ["-f", os.path.join(request.context, request.dockerfile)]  # noqa: PTH118
    for name, value in request.arguments:
        words += ["--build-arg", f"{name}={value}"]
    words += ["--target", request.target] if request.target else []
    words += ["--no-cache"] if request.no_cache else []
    words += ["--pull"] if request.pull else []
    return mask_text(clean(shlex.join([*words, request.context or "."])))


def _lines(values: Values, name: str) -> tuple[str, ...]:
    value = values[name]
    return value if isinstance(value, tuple) else ()


def _from(context: str, path: str) -> str:
    """A path as seen from the context where it lies in it."""
    inside = os.path.relpath(path, context) if context else path
    return path if inside.startswith("..") else inside
