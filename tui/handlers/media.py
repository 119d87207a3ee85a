"""Commands of the view of disk images and ISOs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from backends.abilities.creating import MB, Creating, Limits
from backends.abilities.media import Media, Medium, NewMedium
from backends.base import ActionError, EngineError
from backends.progress import Report
from backends.runs import sizes
from backends.text import clean
from tui.confirmations import CANCEL
from tui.formats import size
from tui.handlers.area import Area
from tui.held import held_elsewhere
from tui.media_view import MediaView
from widgets.confirm import Choice, Confirm
from widgets.fields import ChoiceField, Field, TextField, ToggleField, Values
from widgets.form import Form
from widgets.picker import Picker, PickItem
from widgets.tones import Tone


class MediaArea(Area):
    async def create(self) -> None:
        engine = await self._engine("Make a disk image")
        limits = await self._limits(engine) if engine else None
        if engine is None or limits is None:
            return
        space, place = limits.space, limits.folder
        left = f", {size(space)} left" if space is not None else ""
        fields: tuple[Field, ...] = (
            TextField("name", "Name", help=f"In {place}{left}; its suffix comes by itself"),
            TextField("size", "Size", "20g", help="What a guest sees"),
            ChoiceField("format", "Format", limits.formats),
            ToggleField("fixed", "Take its space now"),
        )

        def check(values: Values) -> Mapping[str, str]:
            wrong: dict[str, str] = {}
            if not values["name"] or "/" in str(values["name"]):
                wrong["name"] = "a name without /"
            try:
                wanted = sizes.read_size(str(values["size"]))
                if wanted < MB:
                    wrong["size"] = "at least 1m"
                elif values["fixed"] and space is not None and wanted > space:
                    wrong["size"] = f"only {size(space)} are left in {place}"
            except ValueError as error:
                wrong["size"] = str(error)
            return wrong

        form = Form(f"New disk image on {engine}", fields, submit="Create", check=check, glyphs=self.glyphs)
        values = await self.ask(form)
        if values is None:
            return
        wanted = sizes.read_size(str(values["size"])) // 512 * 512
        spec = NewMedium(str(values["name"]), wanted, str(values["format"]), bool(values["fixed"]))
        able = self.able(engine, Media)
        self._start("create", spec.name, engine, lambda report: able.create(spec, report))

    async def bring(self) -> None:
        engine = await self._engine("Import a disk image or an ISO")
        if engine is None:
            return
        path = await self.app.browse_host(f"Import to {engine}", str(Path.home()), kind="file")
        if path is not None:
            able = self.able(engine, Media)
            self._start("import", clean(path), engine, lambda report: able.bring(path, report))

    async def grow(self) -> None:
        chosen = self._chosen("disk", "grown")
        if chosen is None:
            return
        engine, medium = chosen

        def check(values: Values) -> Mapping[str, str]:
            try:
                wanted = sizes.read_size(str(values["size"]))
            except ValueError as error:
                return {"size": str(error)}
            small = wanted // 512 * 512 <= (medium.virtual or 0)
            return {"size": "a disk can only grow: what lies at its end would be lost"} if small else {}

        help_ = f"It has {size(medium.virtual)}. The guest's partitions and file systems stay as they are"
        field = TextField("size", "New size", sizes.write_size(medium.virtual or 0), help=help_)
        values = await self.ask(Form(f"Grow {_name(medium)}", (field,), submit="Grow", check=check, glyphs=self.glyphs))
        if values is None:
            return
        wanted = sizes.read_size(str(values["size"])) // 512 * 512
        able = self.able(engine, Media)

        async def work(report: Report) -> str:
            await able.grow(medium, wanted, report)
            return clean(medium.path)

        self._start("grow", _name(medium), engine, work)

    async def convert(self) -> None:
        chosen = self._chosen("disk", "converted")
        limits = await self._limits(chosen[0]) if chosen else None
        if chosen is None or limits is None:
            return
        engine, medium = chosen
        entries = [
            PickItem(identity, label) for identity, label in limits.formats if identity.lower() != medium.format.lower()
        ]
        picked = await self.ask(Picker(f"Copy {_name(medium)} to which format?", entries, glyphs=self.glyphs))
        if picked is not None:
            able = self.able(engine, Media)
            self._start("convert", _name(medium), engine, lambda report: able.convert(medium, picked, report))

    async def base(self) -> None:
        chosen = self._chosen("disk", "a base image")
        if chosen is None:
            return
        engine, medium = chosen
        try:
            await self.able(engine, Media).mark(medium, base=not medium.base)
        except (ActionError, EngineError) as error:
            self.main.say(f"{_name(medium)}: {error}.", "warn")
            return
        told = "is a base image no more" if medium.base else "is a base image now: new VMs can be linked copies of it"
        self.main.say(f"{_name(medium)} {told}.")
        self._view.refresh_media()

    async def remove(self) -> None:
        chosen = self._chosen("", "removed")
        if chosen is None:
            return
        engine, medium = chosen
        if medium.keeps:
            self.main.say(f"{_name(medium)}: {medium.keeps}.", "warn")
            return
        held = await held_elsewhere(self.app.store, self.app.session.backend, engine, (medium.path,))
        if held:
            self.main.say(f"{_name(medium)}: it is {held[medium.path]}.", "warn")
            return
        lines: list[tuple[str, Tone]] = [
            (clean(medium.path), "strong"),
            (f"{medium.kind}, {medium.format} {size(medium.virtual)}, {size(medium.real)} on disk, on {engine}", ""),
            ("", ""),
            ("Its file is deleted, and what is on it is lost for good.", "warn"),
        ]
        choices = (Choice(CANCEL, "Cancel"), Choice("remove", "Delete", tone="error", needs_typed=True))
        answer = await self.ask(
            Confirm(
                f"Delete this {medium.kind}?",
                lines,
                choices=choices,
                typed=_name(medium),
                safe=CANCEL,
                glyphs=self.glyphs,
            )
        )
        if answer is None or answer.choice == CANCEL or self._refused(engine):
            return
        able = self.able(engine, Media)

        async def work(report: Report) -> str:
            del report
            await able.remove(medium)
            return clean(medium.path)

        self._start("delete", _name(medium), engine, work)

    def filter(self) -> None:
        self._view.ask_filter()

    async def again(self) -> None:
        self._view.refresh_media()

    # -- what they share ----------------------------------------------------------------------------------------------

    def _start(self, verb: str, target: str, engine: str, making: Callable[[Report], Awaitable[str]]) -> None:
        async def work(report: Report) -> str:
            try:
                return await making(report)
            finally:
                self._view.refresh_media()

        self.app.tasks.start(verb, target, engine, work)

    def _chosen(self, kind: str, what: str) -> tuple[str, Medium] | None:
        """The row under the cursor, when it is of this kind and may be changed; else why not is said."""
        chosen = self._view.current
        if chosen is None:
            self.main.say("There is no medium to choose.")
            return None
        if kind and chosen[1].kind != kind:
            self.main.say(f"Only disks can be {what}.", "warn")
            return None
        return None if self._refused(chosen[0]) else chosen

    def _refused(self, engine: str) -> bool:
        reason = self.app.store.barred.get(engine)
        if reason:
            self.main.say(f"media: {reason}.", "warn")
        return bool(reason)

    async def _engine(self, title: str) -> str | None:
        chosen = self._view.current
        rights = self.app.store.rights
        if chosen is not None and chosen[0] not in rights.barred:
            return chosen[0]
        return await self.engine_with(Media, title)

    async def _limits(self, engine: str) -> Limits | None:
        return await self.wait_for(self.able(engine, Creating).limits(), f"Asking {engine} what it has")

    @property
    def _view(self) -> MediaView:
        view = self.main.views["media"]
        assert isinstance(view, MediaView)  # noqa: S101
        return view


def _name(medium: Medium) -> str:
    return clean(medium.path.rpartition("/")[2])
