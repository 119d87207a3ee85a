"""Commands of VMs that make and change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backends.abilities.creating import Creating, Limits, OSType
from backends.model import VM, Item, Ref
from backends.progress import Report
from tui.create_form import fields_of, follower, objected, read, suggestions, summary
from tui.handlers.area import Area
from widgets.fields import Values
from widgets.form import Form


class MachineArea(Area):
    async def create(self, items: Sequence[Item]) -> None:
        engine = await self.engine_with(Creating, "Create a VM")
        if engine is None:
            return
        able = self.able(engine, Creating)
        opened = await self.wait_for(self._asked(able), f"Asking {engine} what it has")
        if opened is None:
            return
        kinds, limits = opened
        by_id = {kind.id: kind for kind in kinds}
        like = next((item.os_type for item in items if isinstance(item, VM)), "")
        first = next((kind for kind in kinds if kind.name == like), kinds[0])

        async def objections(values: Values) -> Mapping[str, str]:
            spec, _ = read(values, limits)
            return objected(await able.objections(spec), spec)

        async def browse(label: str, value: str, kind: str) -> str | None:
            del kind
            return await self.app.browse_host(f"{label}: which file?", value, kind="file")

        form = Form(
            f"New VM on {engine}",
            fields_of(kinds, limits, first),
            submit="Create",
            check=lambda values: read(values, limits)[1],
            slow_check=objections,
            preview=lambda values: summary(read(values, limits)[0], limits, by_id),
            suggest=suggestions(limits),
            browse=browse,
            follow=follower(kinds, limits),
            glyphs=self.glyphs,
        )
        values = await self.ask(form)
        if values is None:
            return
        spec, _ = read(values, limits)

        async def work(report: Report) -> str:
            try:
                made = await able.create(spec, report)
            finally:
                # not every engine tells of a VM by events
                self.app.session.refresh_engine(engine)
            await self._shown(made)
            return f"{spec.name} {'runs' if spec.start else 'is made'}"

        self.app.tasks.start("create", spec.name, engine, work)

    @staticmethod
    async def _asked(able: Creating) -> tuple[Sequence[OSType], Limits]:
        return await able.os_types(), await able.limits()

    async def _shown(self, ref: Ref) -> None:
        """Have the list know of it."""
        backend = self.app.session.backend(ref.engine)
        if backend is not None:
            self.app.store.apply(await backend.list_some([ref]))
