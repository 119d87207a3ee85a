"""Commands of VMs that make and change them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.abilities.creating import Creating, Limits, NewVM, OSType
from backends.base import ActionError, EngineError
from backends.model import VM, Action, ActionOptions, Item, Ref
from backends.progress import Report
from tui import create_form
from tui.handlers.area import Area, reason_of
from widgets.fields import Values
from widgets.form import Form


@dataclass(frozen=True, slots=True)
class _Host:
    """An engine a VM can be made on, and what it offers."""

    engine: str
    kinds: Sequence[OSType]
    limits: Limits


class MachineArea(Area):
    async def create(self, items: Sequence[Item]) -> None:
        engines, own = self.engines_with(Creating, "Create a VM")
        if not engines:
            return
        like = next((item.os_type for item in items if isinstance(item, VM)), "")
        host = await self._host(own or engines[0])
        if host is None:
            return
        form = _Filling(self, host, engines, like)
        answered = self._put_up(form)
        while isinstance(answer := await self._answer(form, answered), _Host):
            host, following = answer, _Filling(self, answer, engines, form.system, form.kept)
            # one right after the other: no key may reach what is below
            form.dialog.dismiss(None)
            answered = self._put_up(following)
            form = following
        if answer is not None:
            self._start(host.engine, create_form.read(answer, host.limits)[0], start=bool(answer["start"]))

    def _put_up(self, form: _Filling) -> asyncio.Future[Values | None]:
        """Show it, at once; what it is answered with."""
        answered: asyncio.Future[Values | None] = asyncio.get_running_loop().create_future()
        self.type_into(form.dialog)
        self.app.push_screen(form.dialog, lambda answer: None if answered.done() else answered.set_result(answer))
        return answered

    async def _answer(self, form: _Filling, answered: asyncio.Future[Values | None]) -> Values | _Host | None:
        """What it was sent with, or the host of another engine chosen in it; None: it was left."""
        while True:
            await form.turned_or(answered)
            if answered.done():
                return answered.result()
            other = await self._other(form)
            if other is not None:
                return other

    async def _other(self, form: _Filling) -> _Host | None:
        """The host of the engine chosen in a form; None where it does not tell, and the form stays."""
        form.turned.clear()
        engine = form.chosen
        try:
            host = await self._host(engine)
        except (ActionError, EngineError) as error:
            form.refuse(engine, reason_of(error))
            return None
        if host is None:
            form.refuse(engine, "it was not waited for: choose it once more, or another one")
        return host

    async def _host(self, engine: str) -> _Host | None:
        able = self.able(engine, Creating)

        async def asked() -> _Host:
            return _Host(engine, await able.os_types(), await able.limits())

        return await self.wait_for(asked(), f"Asking {engine} what it has")

    def _start(self, engine: str, spec: NewVM, *, start: bool) -> None:
        able = self.able(engine, Creating)

        async def work(report: Report) -> str:
            try:
                made = await able.create(spec, report)
            finally:
                # not every engine tells of a VM by events
                self.app.session.refresh_engine(engine)
            item = await self._shown(made)
            if start and item is not None:
                # an action as any other: its failure stays with the VM and can be tried again, a kill overtakes it
                self.app.runner.start(Action.START, item, ActionOptions())
            return f"{spec.name} is made{', and is being started' if start else ''}"

        self.app.tasks.start("create", spec.name, engine, work)

    async def _shown(self, ref: Ref) -> Item | None:
        """Have the list know of it."""
        backend = self.app.session.backend(ref.engine)
        if backend is not None:
            self.app.store.apply(await backend.list_some([ref]))
        return self.app.store.get(ref)


class _Filling:
    """The form on one host, until it is sent, left, or another engine is chosen in it."""

    def __init__(
        self, area: MachineArea, host: _Host, engines: Sequence[str], like: str, kept: Values | None = None
    ) -> None:
        """`kept`: what was put into the form of the engine before; None: this is the first one."""
        self._host = host
        self._able = area.able(host.engine, Creating)
        self._follow = create_form.follower(host.kinds, host.limits, frozenset(kept or ()))
        self._refused: dict[str, str] = {}
        self.turned = asyncio.Event()
        """Set when another engine is chosen."""
        first = next((kind for kind in host.kinds if kind.name == like), host.kinds[0])
        store = area.app.store
        labels = [(key, f"{key}  ({store.engines[key].url})") for key in engines]
        self._fields = create_form.fields_of(host.kinds, host.limits, first, labels, host.engine)
        by_id = {kind.id: kind for kind in host.kinds}

        async def browse(label: str, value: str, kind: str) -> str | None:
            del kind
            return await area.browse_engine(host.engine, label, value)

        self.dialog = Form(
            "New VM" if len(engines) > 1 else f"New VM on {host.engine}",
            create_form.with_values(self._fields, kept or {}),
            submit="Create",
            check=self._check,
            slow_check=self._objections,
            preview=lambda values: create_form.summary(values, host.limits, by_id),
            suggest=create_form.suggestions(host.limits),
            remarks=create_form.remarks(host.limits),
            browse=browse,
            follow=self._led,
            first="" if kept is None else "engine",
            glyphs=area.glyphs,
        )

    @property
    def chosen(self) -> str:
        return str(self.dialog.values.get("engine", self._host.engine))

    async def turned_or(self, answer: asyncio.Future[Values | None]) -> None:
        """Until it is answered, or another engine is chosen."""
        turned: asyncio.Future[Any] = asyncio.ensure_future(self.turned.wait())
        try:
            await asyncio.wait((answer, turned), return_when=asyncio.FIRST_COMPLETED)
        finally:
            turned.cancel()

    @property
    def kept(self) -> Values:
        """What goes on to another engine's form."""
        values = self.dialog.values
        return create_form.carried(values, self._fields, self._follow("os", values))

    @property
    def system(self) -> str:
        """The name of the chosen one."""
        return next((kind.name for kind in self._host.kinds if kind.id == self.dialog.values["os"]), "")

    def refuse(self, engine: str, reason: str) -> None:
        """Say why the form of this engine cannot be had."""
        self._refused = {engine: reason}
        self.dialog.set_values({"engine": engine})

    def _check(self, values: Values) -> Mapping[str, str]:
        chosen = str(values.get("engine", self._host.engine))
        if chosen != self._host.engine:
            return {"engine": self._refused.get(chosen) or f"asking {chosen} ..."}
        return create_form.read(values, self._host.limits)[1]

    async def _objections(self, values: Values) -> Mapping[str, str]:
        spec, _ = create_form.read(values, self._host.limits)
        return create_form.objected(await self._able.objections(spec), spec)

    def _led(self, field: str, values: Values) -> Values:
        if field != "engine":
            return self._follow(field, values)
        self._refused = {}
        if values["engine"] != self._host.engine:
            self.turned.set()
        return {}
