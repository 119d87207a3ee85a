"""Commands of volumes."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from backends.abilities import ability_name
from backends.abilities.belongings import Sizes, Volumes
from backends.model import Item, Kind, Ref, Volume
from tui.belonging_forms import volume_check, volume_fields, volume_line, volume_spec
from tui.formats import size_long
from tui.handlers.belongings import BelongingsArea
from widgets.fields import Field, Values
from widgets.form import Form
from widgets.tones import Tone


class VolumeArea(BelongingsArea):
    async def create(self) -> None:
        engine = await self.engine_with(Volumes, "Make a volume")
        if engine is None:
            return
        able = self.able(engine, Volumes)
        fields = volume_fields(await able.drivers())
        volumes = [item for item in self.app.store.of_kind(Kind.VOLUME) if isinstance(item, Volume)]
        check = volume_check({volume.name for volume in volumes if volume.ref.engine == engine})
        made: list[Ref] = []

        async def create(values: Values) -> None:
            made.append(await able.create(volume_spec(values)))

        def work(values: Values) -> tuple[str, Item, Awaitable[object]]:
            name = str(values["name"]) or "(anonymous)"
            item = Volume(Ref(engine, Kind.VOLUME, name), name, str(values["driver"]), "")
            return "create", item, create(values)

        def form(fields: Sequence[Field], notes: Sequence[tuple[str, Tone]]) -> Form:
            return Form(
                f"New volume on {engine}",
                fields,
                submit="Create",
                notes=notes,
                check=check,
                preview=volume_line,
                glyphs=self.glyphs,
            )

        if await self.filled(fields, form, work) is None:
            return
        await self.fresh(*made)
        self.main.say(f"Created the volume {made[0].id}.")
        self.select(made[0])

    async def sizes(self) -> None:
        """Count what is in the volumes, engine by engine."""
        store = self.app.store
        rights = store.rights
        engines = [
            key
            for key, abilities in rights.abilities.items()
            if ability_name(Sizes) in abilities and key not in rights.lost
        ]
        if not engines:
            self.main.say("No engine here can count what is in volumes.", "warn")
            return
        self.main.say(f"{', '.join(engines)}: counting what is in the volumes ...")
        for engine in engines:
            found = await self.able(engine, Sizes).volumes()
            store.apply_volume_sizes(found)
            self.main.say(f"{engine}: {size_long(sum(found.values()))} in {len(found)} volumes.")
