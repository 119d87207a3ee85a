"""Pruning: what nobody uses is listed, agreed on, and exactly that removed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from backends.abilities.belongings import Sizes
from backends.abilities.containers import ASIDE
from backends.base import ActionError, Backend, EngineError
from backends.model import Action, ActionOptions, Container, Item, Kind, Network, Ref, State, Volume
from tui import pruning
from tui.confirmations import differs
from tui.formats import age
from tui.handlers.area import RECREATE, Area
from tui.pruning import Going, Lot
from tui.rows.containers import state_text
from tui.selection import Filter, name_of

_PATIENCE = 3.0
"""Seconds an engine has to say how large things are before the question is asked without."""
_STOPPED = {State.EXITED, State.CREATED, State.CRASHED}
_KEPT_NETWORKS = {"docker_gwbridge", "ingress"}
"""Those of swarms, which engines make themselves."""


class Prune(Area):
    async def containers(self, items: Sequence[Item]) -> None:
        engines = self._engines(items)
        # Both stand still for a moment while one takes the other's place
        busy = {
            (task.engine, name)
            for task in self.app.tasks.under_way
            if task.verb == RECREATE
            for name in (task.target, task.target + ASIDE)
        }
        stopped = [
            item
            for item in self._shown(Kind.CONTAINER, engines)
            if isinstance(item, Container) and item.state in _STOPPED and (item.ref.engine, item.name) not in busy
        ]
        sizes: dict[Ref, int] = {}
        if stopped:
            for engine in engines:
                sizes |= await self._asked(engine, Kind.CONTAINER)
        now = self.app.look().now
        going = tuple(Going(item, f"{state_text(item, now)}  {item.image}", sizes.get(item.ref)) for item in stopped)
        note = "What they wrote outside of volumes and mounts is lost, and their logs. Volumes and images stay."
        await self._remove("containers", [Lot("stopped", "Stopped", going)], note)

    async def volumes(self, items: Sequence[Item]) -> None:
        engines = self._engines(items)
        store = self.app.store
        unused = [
            item for item in self._shown(Kind.VOLUME, engines) if isinstance(item, Volume) and not store.users_of(item)
        ]
        if any(item.ref not in store.volume_sizes for item in unused):
            for engine in engines:
                store.apply_volume_sizes(await self._asked(engine, Kind.VOLUME))
        now = self.app.look().now

        def going(anonymous: bool) -> tuple[Going, ...]:
            return tuple(
                Going(
                    item,
                    f"{item.driver}, {age(now - item.created)} old" if item.created else item.driver,
                    store.volume_sizes.get(item.ref),
                )
                for item in unused
                if item.anonymous is anonymous
            )

        lots = [
            Lot("anonymous", "Anonymous, used by no container", going(True)),
            Lot("named", "Named, used by no container: only if you choose so", going(False), typed=True),
        ]
        note = "Everything in them is lost for good: volumes have no trash and no undo."
        await self._remove("volumes", lots, note)

    async def networks(self, items: Sequence[Item]) -> None:
        engines = self._engines(items)
        store = self.app.store
        unused = [
            item
            for item in self._shown(Kind.NETWORK, engines)
            if isinstance(item, Network)
            and not item.builtin
            and item.scope in {"local", ""}
            and item.name not in _KEPT_NETWORKS
            and not store.users_of(item)
        ]
        going = tuple(
            Going(item, "  ".join([item.driver, *(subnet.subnet for subnet in item.subnets)])) for item in unused
        )
        await self._remove("networks", [Lot("unused", "No container refers to them", going)], "")

    def _engines(self, items: Sequence[Item]) -> list[str]:
        barred = self.app.store.barred
        return sorted({item.ref.engine for item in items if item.ref.engine not in barred})

    def _shown(self, kind: Kind, engines: Sequence[str]) -> list[Item]:
        """The engines' objects of a kind, by name: those the words of the list's filter let through."""
        words = Filter(self.main.active.filter.text) if self.main.listing else Filter()
        found = (item for item in self.app.store.of_kind(kind) if item.ref.engine in engines and words.matches(item))
        return sorted(found, key=lambda item: (item.ref.engine, name_of(item)))

    async def _asked(self, engine: str, kind: Kind) -> Mapping[Ref, int]:
        """Sizes, if the engine has them soon."""
        self.main.say(f"Asking {engine} how much would come free ...")
        with suppress(TimeoutError, ActionError, EngineError):
            async with asyncio.timeout(_PATIENCE):
                sizes = self.able(engine, Sizes)
                return await (sizes.volumes() if kind is Kind.VOLUME else sizes.stopped_containers())
        return {}

    async def _remove(self, noun: str, lots: Sequence[Lot], note: str) -> None:
        if not any(lot.going for lot in lots):
            among = " among those the filter shows" if self.main.listing and self.main.active.filter.text else ""
            self.main.say(f"There is nothing to prune{among}: all {noun} are in use.")
            return
        answer = await self.ask(pruning.question(noun, lots, note, self.glyphs))
        going = pruning.chosen(lots, answer.choice) if answer else []
        if going:
            pruning.start(self.app, noun, going, self._delete)

    async def _now(self, backend: Backend, item: Item) -> Item | None:
        """It as the engine tells it now."""
        change = await backend.list_some([item.ref])
        return next((found for found in change.updated if found.ref == item.ref), None)

    async def _delete(self, item: Item) -> None:
        """Remove one, unless it is used or another by now."""
        store = self.app.store
        backend = self.app.session.backend(item.ref.engine)
        if backend is None:
            raise ActionError(f"{item.ref.engine} is not connected any more")
        if isinstance(item, (Volume, Network)) and store.users_of(item):
            raise ActionError(f"used by {', '.join(store.users_of(item))} now")
        # A volume is known by its name alone, and by now another one may have it
        if changed := differs(item, await self._now(backend, item)):
            raise ActionError(changed)
        await backend.perform(Action.DELETE, item.ref, ActionOptions())
        with suppress(ActionError, EngineError):
            store.apply(await backend.list_some([item.ref]))
