"""VMs exported to this machine's files, and made from them: what is asked first, and the task that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backends import vm_names
from backends.abilities.transfer import Package, Room, Transfer
from backends.base import ActionError, EngineError
from backends.model import Item, Kind
from backends.progress import Report
from backends.text import clean
from tui.formats import size_long
from tui.handlers.area import Area, reason_of
from tui.selection import name_of
from widgets.form import Form, TextField, ToggleField, Values

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_ANYWAY = ToggleField("anyway", "Even when tight", help="What is written is removed again when the disk is full.")


class TransferArea(Area):
    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(app)
        self._folder = str(Path.home())
        """Where the last one went to or came from."""

    async def export(self, items: Sequence[Item]) -> None:
        item = items[0]
        able = self.able(item.ref.engine, Transfer)
        name = name_of(item)
        start = str(Path(self._folder, f"{name.replace('/', '_').lstrip('.') or 'vm'}{able.suffix}"))

        async def examine(values: Values) -> Mapping[str, str]:
            try:
                room = await able.room(item.ref, _path(values))
            except (ActionError, EngineError) as error:
                return {"path": reason_of(error)}
            return _objections(room, values)

        # what keeps it from being exported anywhere is told before anything is typed
        room = await self.wait_for(_first_room(able, item, start), f"Looking at the disks of {name} ...")
        if room is None:
            return
        needs = (
            f"It takes {'' if room.exact else 'up to '}{size_long(room.needs)}" if room.needs else "Its size is unknown"
        )
        free = f", {size_long(room.free)} are free there" if room.free is not None else ""
        notes = [(f"{needs}{free}: {able.what}.", "dim"), *((note, "warn") for note in room.notes)]
        form = Form(
            f"Export {name} from {item.ref.engine}",
            (TextField("path", "To", start, browse="folder"), *(() if room.exact else (_ANYWAY,))),
            submit="Export",
            notes=notes,  # type: ignore[arg-type]
            slow_check=examine,
            browse=partial(self._browse, able, name),
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        path = _path(values)
        self._folder = str(Path(path).parent)

        async def work(report: Report) -> str:
            return await able.export(item.ref, path, report)

        self.app.tasks.start("export", name, item.ref.engine, work, ref=item.ref)
        self.main.say(f"Exporting {name} to {clean(path, 300)}: 8 shows how far it is.")

    async def _browse(self, able: Transfer, name: str, label: str, value: str, kind: str) -> str | None:
        del label, kind
        folder = str(Path(value).parent) if value else self._folder
        chosen = await self.app.browse_host(f"Export {name}: into which folder?", folder, kind="folder")
        return str(Path(chosen, Path(value).name or f"{name}{able.suffix}")) if chosen else None

    async def import_vm(self, items: Sequence[Item]) -> None:
        engine = items[0].ref.engine if items else await self.engine_with(Transfer, "Import a VM")
        if engine is None:
            return
        able = self.able(engine, Transfer)
        form_of = "file" if able.suffix else "folder"
        path = await self.app.browse_host(f"Import a VM on {engine}: which {form_of}?", self._folder, kind=form_of)  # type: ignore[arg-type]
        if path is None:
            return
        self._folder = str(Path(path).parent)

        async def looked() -> tuple[Package, str]:
            package = await able.look(path)
            return package, await self._free_name(able, engine, package.name)

        found = await self.wait_for(looked(), f"Looking at {clean(Path(path).name, 200)} ...")
        if found is None:
            return
        values = await self._ask_name(able, engine, path, *found)
        if values is None:
            return
        name = str(values["name"])

        async def work(report: Report) -> str:
            return await able.bring(path, name, report)

        self.app.tasks.start("import", name, engine, work)
        self.main.say(f"Importing {clean(name)}: 8 shows how far it is.")

    async def _free_name(self, able: Transfer, engine: str, name: str) -> str:
        """The name in the package, or one like it that no VM has."""
        if not await able.name_taken(name):
            return name
        taken = {name_of(vm) for vm in self.app.store.items[Kind.VM].values() if vm.ref.engine == engine}
        return vm_names.proposed(name, {*taken, name}, "import")

    async def _ask_name(self, able: Transfer, engine: str, path: str, package: Package, name: str) -> Values | None:
        room = package.room

        async def examine(values: Values) -> Mapping[str, str]:
            try:
                taken = await able.name_taken(str(values["name"]))
            except (ActionError, EngineError) as error:
                taken = reason_of(error)
            return {**({"name": taken} if taken else {}), **_objections(room, values, "name")}

        where = f", into {package.folder}" if package.folder else ""
        needs = f"{'' if room.exact else 'at least '}{size_long(room.needs)}" if room.needs else "room unknown"
        free = f", {size_long(room.free)} are free there" if room.free is not None else ""
        notes = [
            (f"{clean(path, 300)}: {package.name}", "strong"),
            (f"It takes {needs}{where}{free}.", "dim"),
            ("It gets an identity and network addresses of its own.", "dim"),
            *((note, "warn") for note in room.notes),
        ]
        form = Form(
            f"Import a VM on {engine}",
            (TextField("name", "Name", name), *(() if room.exact else (_ANYWAY,))),
            submit="Import",
            notes=notes,  # type: ignore[arg-type]
            slow_check=examine,
            glyphs=self.glyphs,
        )
        return await self.ask(form)


async def _first_room(able: Transfer, item: Item, path: str) -> Room:
    """What it takes; where the path proposed will not do, at one that does, as it is only a proposal."""
    try:
        return await able.room(item.ref, path)
    except ActionError:
        import tempfile

        return await able.room(item.ref, str(Path(tempfile.gettempdir(), f".boxtop-{item.ref.id}{able.suffix}")))


def _path(values: Values) -> str:
    path = str(values["path"]).strip()
    return str(Path(path).expanduser()) if path else path


def _objections(room: Room, values: Values, field: str = "path") -> Mapping[str, str]:
    if room.needs is None or room.free is None or room.needs <= room.free or values.get("anyway"):
        return {}
    return {field: f"it takes {size_long(room.needs)}, {size_long(room.free)} are free there"}
