"""Commands of networks: made, joined and left."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from backends.abilities.belongings import Networks
from backends.model import Container, Item, Kind, Network, Ref
from tui.belonging_forms import join_check, join_fields, network_check, network_fields, network_line, network_spec
from tui.confirmations import CANCEL
from tui.handlers.belongings import BelongingsArea
from tui.rows.belongings import subnets_text
from widgets.confirm import Choice, Confirm
from widgets.fields import Field, Values
from widgets.form import Form
from widgets.picker import Picker, PickItem
from widgets.tones import Tone

_FIXED = ("host", "none")


class NetworkArea(BelongingsArea):
    async def create(self) -> None:
        engine = await self.engine_with(Networks, "Make a network")
        if engine is None:
            return
        able = self.able(engine, Networks)
        check = network_check(self._networks(engine))
        made: list[Ref] = []

        async def create(values: Values) -> None:
            made.append(await able.create(network_spec(values)))

        def work(values: Values) -> tuple[str, Item, Awaitable[object]]:
            name = str(values["name"])
            return "create", Network(Ref(engine, Kind.NETWORK, ""), name, str(values["driver"]), ""), create(values)

        def form(fields: Sequence[Field], notes: Sequence[tuple[str, Tone]]) -> Form:
            return Form(
                f"New network on {engine}",
                fields,
                submit="Create",
                notes=notes,
                check=check,
                preview=network_line,
                glyphs=self.glyphs,
            )

        values = await self.filled(network_fields(await able.drivers()), form, work)
        if values is None:
            return
        await self.fresh(*made)
        self.main.say(f"Created the network {values['name']}.")
        self.select(made[0])

    async def connect(self, items: Sequence[Item]) -> None:
        network = items[0]
        if not isinstance(network, Network):
            return
        entries = []
        for each in self._containers(network.ref.engine):
            joined = [name for name, _ in each.networks]
            fixed = next((name for name in joined if name in _FIXED), "")
            reason = "is in it" if network.name in joined else f"was made in {fixed}" if fixed else ""
            entries.append(PickItem(each.ref.id, each.name, f"{each.state}, {', '.join(joined)}", not reason, reason))
        entries.sort(key=lambda entry: (not entry.enabled, entry.label))
        picked = await self._picked(
            f"Which container is to join {network.name}?", entries, "There is no container here."
        )
        box = self._container(network.ref.engine, picked)
        if box is not None:
            await self._join(network, box)

    async def disconnect(self, items: Sequence[Item]) -> None:
        network = items[0]
        if not isinstance(network, Network):
            return
        inside = [
            (box, address)
            for box in self._containers(network.ref.engine)
            for name, address in box.networks
            if name == network.name
        ]
        entries = [PickItem(box.ref.id, box.name, address or str(box.state)) for box, address in inside]
        picked = await self._picked(
            f"Which container is to leave {network.name}?", entries, f"No container is in {network.name}."
        )
        box = self._container(network.ref.engine, picked)
        if box is not None:
            await self._leave(network, box)

    async def join(self, items: Sequence[Item]) -> None:
        box = items[0]
        if not isinstance(box, Container):
            return
        joined = {name for name, _ in box.networks}
        entries = [
            PickItem(network.ref.id, network.name, f"{network.driver} {subnets_text(network)}")
            for network in self._networks(box.ref.engine)
            if network.name not in _FIXED and network.name not in joined
        ]
        picked = await self._picked(
            f"Which network is {box.name} to join?", entries, f"{box.name} is in every network there is."
        )
        network = self._network(box.ref.engine, picked)
        if network is not None:
            await self._join(network, box)

    async def leave(self, items: Sequence[Item]) -> None:
        box = items[0]
        if not isinstance(box, Container):
            return
        addresses = dict(box.networks)
        entries = [
            PickItem(network.ref.id, network.name, addresses[network.name] or network.driver)
            for network in self._networks(box.ref.engine)
            if network.name in addresses
        ]
        picked = await self._picked(f"Which network is {box.name} to leave?", entries, f"{box.name} is in no network.")
        network = self._network(box.ref.engine, picked)
        if network is not None:
            await self._leave(network, box)

    async def _join(self, network: Network, box: Container) -> None:
        able = self.able(box.ref.engine, Networks)

        def work(values: Values) -> tuple[str, Item, Awaitable[object]]:
            aliases, address = tuple(str(values["aliases"]).split()), str(values["address"])
            return f"connect to {network.name}", box, able.connect(network.ref, box.ref, aliases, address)

        def form(fields: Sequence[Field], notes: Sequence[tuple[str, Tone]]) -> Form:
            return Form(
                f"{box.name} joins {network.name}",
                fields,
                submit="Connect",
                notes=notes,
                check=join_check(network),
                glyphs=self.glyphs,
            )

        if await self.filled(join_fields(), form, work) is not None:
            await self.fresh(box.ref)
            self.main.say(f"{box.name} is in {network.name} now.")

    async def _leave(self, network: Network, box: Container) -> None:
        lines: list[tuple[str, Tone]] = [
            (f"{box.name}  {box.image}  {box.state}  on {box.ref.engine}", "strong"),
            (f"  leaves {network.name}  {dict(box.networks).get(network.name, '')}", ""),
            ("", ""),
            ("Its connections over this network break, and other containers find it there no more.", "warn"),
        ]
        if len(box.networks) == 1:
            lines.append(("It is its only network: it will have none.", "warn"))
        choices = (Choice(CANCEL, "Cancel"), Choice("leave", "Disconnect", tone="error"))
        title = f"Disconnect {box.name} from {network.name}?"
        answer = await self.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        if answer is None or answer.choice == CANCEL:
            return
        able = self.able(box.ref.engine, Networks)
        verb = f"disconnect from {network.name}"
        reason = await self.app.noted(verb, box, able.disconnect(network.ref, box.ref))
        await self.fresh(box.ref)
        if reason:
            self.main.warnings.of(box.ref, f"{verb} {box.name}: {reason}")
        else:
            self.main.say(f"{box.name} is in {network.name} no more.")

    async def _picked(self, title: str, entries: Sequence[PickItem], nothing: str) -> str | None:
        if not entries:
            self.main.say(nothing, "warn")
            return None
        return await self.ask(Picker(title, entries, glyphs=self.glyphs))

    def _networks(self, engine: str) -> list[Network]:
        found = (item for item in self.app.store.of_kind(Kind.NETWORK) if isinstance(item, Network))
        return sorted((item for item in found if item.ref.engine == engine), key=lambda item: item.name)

    def _containers(self, engine: str) -> list[Container]:
        found = (item for item in self.app.store.of_kind(Kind.CONTAINER) if isinstance(item, Container))
        return sorted((item for item in found if item.ref.engine == engine), key=lambda item: item.name)

    def _network(self, engine: str, identity: str | None) -> Network | None:
        item = self.app.store.get(Ref(engine, Kind.NETWORK, identity)) if identity else None
        return item if isinstance(item, Network) else None

    def _container(self, engine: str, identity: str | None) -> Container | None:
        item = self.app.store.get(Ref(engine, Kind.CONTAINER, identity)) if identity else None
        return item if isinstance(item, Container) else None
