"""The state of a simulated engine, and what happens in it by itself as time goes by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import tau
from typing import Any

from backends.demo import belongings, catalog, curves
from backends.demo.catalog import Disk
from backends.demo.curves import Profile
from backends.demo.options import DemoOptions
from backends.model import VM, Container, EngineInfo, Health, Item, Kind, Ref, State, Usage

_CRASH_CYCLE, _CRASH_UP = 24.0, 7.0
_HEALTH_CYCLE, _HEALTH_BAD = 90.0, 25.0
_KINDS = {
    "": (Kind.CONTAINER, Kind.IMAGE, Kind.VM, Kind.VOLUME, Kind.NETWORK),
    "docker": (Kind.CONTAINER, Kind.IMAGE, Kind.VOLUME, Kind.NETWORK),
    "virtualbox": (Kind.VM,),
}
_VERSIONS = {"": "1.0 demo", "docker": "28.5.1 demo", "virtualbox": "7.2.4 demo"}


class World:
    """Items by ref. `told` is called with each ref whose item changed, came or went."""

    def __init__(self, engine: str, options: DemoOptions, now: float, told: Callable[[Ref], None]) -> None:
        self.options = options
        self.items: dict[Ref, Item] = {}
        self.busy: set[Ref] = set()
        self.machinery: Any = None
        """What the VMs' abilities share; made by them."""
        self._told = told
        self._profiles: dict[Ref, tuple[Profile, float]] = {}
        self._disks: dict[Ref, tuple[Disk, ...]] = {}
        self._epoch = now
        self._churned = 0
        self._engine = engine
        self._kinds = _KINDS[options.part]
        seed = options.seed
        if Kind.CONTAINER in self._kinds:
            boxes = (
                catalog.many_containers(engine, seed, now, options.containers)
                if options.containers
                else catalog.containers(engine, seed, now)
            )
            for container, profile in boxes:
                self._add(container, profile)
            for image in catalog.images(engine, seed, now):
                self.items[image.ref] = image
            made = [item for item in self.items.values() if isinstance(item, Container)]
            for volume in belongings.volumes(engine, now, made):
                self.items[volume.ref] = volume
            for network in belongings.networks(engine, now, made):
                self.items[network.ref] = network
        if Kind.VM in self._kinds:
            machines = (
                catalog.many_machines(engine, seed, now, options.vms)
                if options.vms
                else catalog.machines(engine, seed, now)
            )
            for vm, profile in machines:
                self._add(vm, profile)
                self._disks[vm.ref] = catalog.disks(seed, vm)
        self._by_name = {item.name: ref for ref, item in self.items.items() if isinstance(item, (Container, VM))}
        self._churning = [ref for ref in self.items if ref.kind is Kind.CONTAINER] if options.containers else []
        self.advance(now)

    def _add(self, item: Container | VM, profile: Profile) -> None:
        self.items[item.ref] = item
        phase = curves.number(self.options.seed, "phase", item.name) / 2**64 * tau
        self._profiles[item.ref] = (profile, phase)

    def info(self, url: str) -> EngineInfo:
        part = self.options.part
        return EngineInfo(
            engine=self._engine,
            product=part or "demo",
            version=_VERSIONS[part],
            url=url,
            kinds=self._kinds,
            api_version="1.51" if part == "docker" else "",
            notes=("simulated: nothing here is real",),
        )

    def admit(self, item: Container | VM, profile: Profile) -> None:
        """A container or VM that was not there when the world began, or that has another name now."""
        self._by_name = {name: ref for name, ref in self._by_name.items() if ref != item.ref}
        self._by_name[item.name] = item.ref
        self._add(item, profile)
        self._told(item.ref)

    def profile(self, ref: Ref) -> Profile:
        return self._profiles[ref][0]

    def put(self, item: Item) -> None:
        self.items[item.ref] = item
        self._told(item.ref)

    def drop(self, ref: Ref) -> None:
        self.items.pop(ref, None)
        self._profiles.pop(ref, None)
        self._disks.pop(ref, None)
        self._told(ref)

    def named(self, name: str) -> Item | None:
        ref = self._by_name.get(name)
        return None if ref is None else self.items.get(ref)

    def disks(self, ref: Ref) -> tuple[Disk, ...]:
        return self._disks.get(ref, ())

    def set_disks(self, ref: Ref, disks: tuple[Disk, ...]) -> None:
        self._disks[ref] = disks
        self._told(ref)

    def usage(self, ref: Ref, now: float) -> Usage | None:
        item = self.items.get(ref)
        if not isinstance(item, (Container, VM)) or item.state not in (State.RUNNING, State.PAUSED):
            return None
        profile, phase = self._profiles[ref]
        return curves.usage(profile, phase, now, paused=item.state is State.PAUSED)

    def advance(self, now: float) -> None:
        """Let happen what has happened by `now`: health checks, crashes, restarts. The same at every run."""
        age = max(0.0, now - self._epoch)
        self._crash_and_restart(now, age % _CRASH_CYCLE)
        self._waver(age % _HEALTH_CYCLE)
        if self._churning:
            # one a second, in an order that looks like none; a long sleep is not made up for
            second = int(age)
            for step in range(max(self._churned, second - 10), second):
                self._churn(self._churning[step * 7919 % len(self._churning)], now)
            self._churned = second

    def _crash_and_restart(self, now: float, moment: float) -> None:
        item = self.named(catalog.RESTARTING)
        if not isinstance(item, Container) or item.ref in self.busy:
            return
        up = moment >= _CRASH_CYCLE - _CRASH_UP
        if up and item.state is State.RESTARTING:
            self.put(running(item, now - (moment - (_CRASH_CYCLE - _CRASH_UP))))
        elif not up and item.state is State.RUNNING and (item.started or 0.0) < now - moment:
            self.put(
                replace(
                    item, state=State.RESTARTING, state_word="restarting", started=None, ended=now - moment, exit_code=1
                )
            )

    def _waver(self, moment: float) -> None:
        item = self.named(catalog.WAVERING)
        if not isinstance(item, Container) or item.ref in self.busy or item.state is not State.RUNNING:
            return
        health = Health.UNHEALTHY if moment >= _HEALTH_CYCLE - _HEALTH_BAD else Health.HEALTHY
        if item.health is not health and item.health is not Health.STARTING:
            self.put(replace(item, health=health))

    def _churn(self, ref: Ref, now: float) -> None:
        item = self.items.get(ref)
        if not isinstance(item, Container) or ref in self.busy:
            return
        if item.state is State.RUNNING:
            self.put(exited(item, now, 0))
        elif item.state is State.EXITED:
            self.put(running(item, now))


def running(item: Container, now: float) -> Container:
    return replace(item, state=State.RUNNING, state_word="running", started=now, ended=None, exit_code=None)


def exited(item: Container, now: float, code: int) -> Container:
    return replace(item, state=State.EXITED, state_word="exited", started=None, ended=now, exit_code=code, health=None)
