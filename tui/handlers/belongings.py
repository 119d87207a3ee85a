"""What the commands of volumes and of networks share: forms that come back with what the engine refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from backends.base import ActionError, EngineError
from backends.model import Item, Ref
from tui.handlers.area import Area
from widgets.fields import Field, Values
from widgets.form import Form
from widgets.tones import Tone

Make = Callable[[Sequence[Field], Sequence[tuple[str, Tone]]], Form]


class BelongingsArea(Area):
    async def filled(
        self, fields: Sequence[Field], make: Make, work: Callable[[Values], tuple[str, Item, Awaitable[object]]]
    ) -> Values | None:
        """Have a form filled in and do its work, again with the engine's reason on top where it was refused.

        `make` makes the form of fields and notes; `work` says what is done to what, and does it. None: given up.
        """
        notes: list[tuple[str, Tone]] = []
        while True:
            values = await self.ask(make(fields, notes))
            if values is None:
                return None
            reason = await self.app.noted(*work(values))
            if reason is None:
                return values
            fields = [replace(field, value=values[field.id]) for field in fields]  # type: ignore[arg-type]
            notes = [(reason, "error")]

    async def fresh(self, *refs: Ref) -> None:
        """Have the store know what became of these: not every engine tells it by events."""
        backend = self.app.session.backend(refs[0].engine)
        if backend is None:
            return
        try:
            self.app.store.apply(await backend.list_some(refs))
        except (ActionError, EngineError):
            self.app.session.refresh_engine(refs[0].engine)

    def select(self, ref: Ref) -> None:
        """Put the cursor on a new row, once it is drawn."""
        pane = self.main.active
        if ref.kind in pane.spec.kinds:
            self.main.call_after_refresh(pane.table.select, ref)
