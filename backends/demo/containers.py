"""Containers of a simulated engine run, renamed, committed, limited and made anew."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from backends import references
from backends.abilities.containers import (
    ASIDE,
    Commit,
    CommitOptions,
    Existing,
    Limits,
    Recreate,
    Recreation,
    Rename,
    Run,
    Update,
)
from backends.base import ActionError
from backends.demo import catalog
from backends.demo.curves import MB, Profile
from backends.demo.details import describe
from backends.demo.world import exited, running
from backends.model import Action, ActionOptions, Container, Image, Kind, Mount, Network, Port, Ref, State
from backends.progress import Progress, Report
from backends.runs import entries
from backends.runs.again import changed
from backends.runs.shown import shown
from backends.runs.spec import RunSpec

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_UP = (State.RUNNING, State.PAUSED, State.RESTARTING)
_NEW = Profile(0.03, 24 * MB, 900, 700, pids=3)
_NAMES = ("brave_turing", "calm_hopper", "eager_lovelace", "keen_ritchie", "quiet_knuth", "vivid_dijkstra")
_OPEN_NETWORKS = {"", "bridge", "host", "none", "default"}


class _Containers:
    """What all of them need of the simulated engine."""

    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._world = backend.world

    def _all(self) -> list[Container]:
        return [item for item in self._world.items.values() if isinstance(item, Container)]

    def _container(self, ref: Ref) -> Container:
        item = self._world.items.get(ref)
        if not isinstance(item, Container):
            raise ActionError("the container is gone")
        return item

    def _named(self, name: str) -> Container | None:
        return next((item for item in self._all() if item.name == name), None)

    def _image(self, reference: str) -> Image | None:
        with suppress(ValueError):
            reference = references.parse(reference).full
        images = [item for item in self._world.items.values() if isinstance(item, Image)]
        return next((image for image in images if reference in image.tags or image.ref.id == reference), None)

    async def _wait(self, seconds: float = 0.3) -> None:
        await asyncio.sleep(seconds * self._world.options.pace)

    def _rename(self, container: Container, name: str) -> Container:
        holder = self._named(name)
        if holder is not None and holder.ref != container.ref:
            raise ActionError(
                f'Conflict. The container name "/{name}" is already in use by container "{holder.ref.id[:12]}"'
            )
        now = replace(self._container(container.ref), name=name)
        self._world.admit(now, self._world.profile(container.ref))
        return now

    def _make(self, spec: RunSpec) -> Container:
        """A created container; a fresh id each time."""
        image = self._image(spec.image)
        if image is None:
            raise ActionError(f"No such image: {spec.image}")
        taken = {item.name for item in self._all()}
        name = spec.name or next((name for name in _NAMES if name not in taken), f"box_{len(taken)}")
        if name in taken:
            raise ActionError(f'Conflict. The container name "/{name}" is already in use')
        now = self._backend.clock()
        identity = catalog.identity(self._world.options.seed, Kind.CONTAINER, f"{name}/{len(taken)}/{now}")
        while Ref(self._backend.engine, Kind.CONTAINER, identity) in self._world.items:
            identity = catalog.identity(self._world.options.seed, Kind.CONTAINER, identity)
        network = spec.network or "bridge"
        made = Container(
            ref=Ref(self._backend.engine, Kind.CONTAINER, identity),
            name=name,
            image=spec.image,
            image_id=image.ref.id,
            command=shlex.join((*spec.entrypoint, *spec.command)) or "/entrypoint.sh",
            state=State.CREATED,
            state_word="created",
            created=now,
            ports=tuple(_ports(spec)),
            labels=tuple(entries.read_label(entry) for entry in spec.labels),
            networks=((network, "172.17.0.9" if network not in {"host", "none"} else ""),),
            mounts=tuple(_mounts(spec)),
        )
        self._world.admit(made, replace(_NEW, cpu_limit=spec.cpus, memory_limit=spec.memory))
        return made


class DemoRun(_Containers, Run):
    async def objections(self, spec: RunSpec, beside: Ref | None = None) -> Mapping[str, str]:
        others = [item for item in self._all() if item.ref != beside]
        found: dict[str, str] = {}
        if spec.name and any(item.name == spec.name for item in others):
            found["name"] = f"a container is called {spec.name} already"
        networks = {item.name for item in self._world.items.values() if isinstance(item, Network)}
        if spec.network not in networks | _OPEN_NETWORKS and not spec.network.startswith("container:"):
            found["network"] = f"there is no network {spec.network}"
        wanted = {(port.protocol, port.host_port) for port in _ports(spec) if port.host_port}
        for item in others:
            held = {(port.protocol, port.host_port) for port in item.ports if item.state in _UP}
            for protocol, port in sorted(wanted & held, key=str):
                found.setdefault("ports", f"{item.name} has port {port}/{protocol} of the host")
        return found

    async def has_image(self, reference: str) -> bool:
        return self._image(reference) is not None

    async def run(self, spec: RunSpec) -> Ref:
        await self._wait()
        made = self._make(spec)
        if spec.start:
            await self._backend.perform(Action.START, made.ref, ActionOptions())
        return made.ref


class DemoRename(_Containers, Rename):
    async def rename(self, container: Ref, name: str) -> None:
        try:
            entries.check_name(name)
        except ValueError as error:
            raise ActionError(str(error)) from None
        self._rename(self._container(container), name)


class DemoCommit(_Containers, Commit):
    async def commit(self, container: Ref, options: CommitOptions) -> str:
        source = self._container(container)
        await self._wait(1.5)
        base = self._world.items.get(Ref(container.engine, Kind.IMAGE, source.image_id))
        name = f"{options.repository}:{options.tag or 'latest'}" if options.repository else ""
        now = self._backend.clock()
        seed = self._world.options.seed
        identity = f"sha256:{catalog.identity(seed, Kind.IMAGE, f'{source.ref.id}/{name}/{now}')}"
        for image in [item for item in self._world.items.values() if isinstance(item, Image) and name in item.tags]:
            tags = tuple(tag for tag in image.tags if tag != name)
            self._world.put(replace(image, tags=tags, dangling=not tags))
        size = (base.size if isinstance(base, Image) else 80 * MB) + 3 * MB
        ref = Ref(container.engine, Kind.IMAGE, identity)
        self._world.put(Image(ref, (name,) if name else (), (), size, now, dangling=not name))
        return identity.removeprefix("sha256:")[:12]


class DemoUpdate(_Containers, Update):
    def __init__(self, backend: DemoBackend) -> None:
        super().__init__(backend)
        self._others: dict[Ref, Limits] = {}

    async def limits(self, container: Ref) -> Limits:
        self._container(container)
        profile = self._world.profile(container)
        known = self._others.get(container, Limits(restart="unless-stopped"))
        memory = profile.memory_limit
        swap = known.swap if memory else None
        return replace(known, cpus=profile.cpu_limit, memory=memory, swap=swap or (2 * memory if memory else None))

    async def update(self, container: Ref, before: Limits, after: Limits) -> tuple[str, ...]:
        item = self._container(container)
        await self._wait()
        profile = self._world.profile(container)
        if after.memory and item.state in _UP and after.memory < profile.memory:
            raise ActionError("unable to set memory limit: the container uses more than that")
        if (before.cpus and not after.cpus) or (before.memory and not after.memory):
            raise ActionError("the engine cannot lift a limit: recreate the container without it")
        self._others[container] = after
        self._world.admit(item, replace(profile, cpu_limit=after.cpus, memory_limit=after.memory))
        return ()


class DemoRecreate(_Containers, Recreate):
    async def existing(self, container: Ref) -> Existing:
        item = self._container(container)
        spec = self._shown(item)
        refusal = ""
        if item.name.endswith(ASIDE):
            refusal = "it made room for another already: put it back, or delete it"
        elif item.state is State.PAUSED:
            refusal = "it is paused: resume it first"
        notes = () if spec.start else ("it does not run: the new one is only created",)
        return Existing(spec, notes, refusal)

    async def recreate(self, container: Ref, how: Recreation, report: Report) -> str:
        existing = await self.existing(container)
        if existing.refusal:
            raise ActionError(existing.refusal)
        old = self._container(container)
        spec = how.spec or existing.spec
        image = self._image(spec.image)
        if image is None:
            raise ActionError(f"there is no image {spec.image} here: pull it first")
        if image.ref.id == old.image_id and not changed(existing.spec, spec) and not spec.more and not how.always:
            return f"{old.name} is up to date: same image, same settings; nothing was done"
        name, aside = old.name, old.name + ASIDE
        made: Container | None = None
        try:
            await self._step(report, 0, f"renaming {name} to {aside}")
            self._rename(old, aside)
            await self._step(report, 1, f"creating {name} from {spec.image}")
            made = replace(self._make(replace(spec, name=name)), networks=old.networks, health=old.health)
            if spec.command == existing.spec.command:
                made = replace(made, command=old.command)
            if spec.volumes == existing.spec.volumes:
                made = replace(made, mounts=old.mounts)
            self._world.admit(made, self._world.profile(old.ref))
            if old.state in _UP:
                await self._step(report, 2, f"stopping {aside}")
                self._world.put(exited(self._container(old.ref), self._backend.clock(), 0))
                await self._step(report, 3, f"starting {name}")
                self._world.put(running(made, self._backend.clock()))
                await self._step(report, 4, f"watching {name} for {how.observe:g} s")
                await self._wait(2.0)
                if name == catalog.RESTARTING:
                    raise ActionError(f"the new {name} did not stay up: exit code 1")
        except BaseException as error:
            if made is not None:
                self._world.drop(made.ref)
            self._world.admit(replace(old, name=name), self._world.profile(old.ref))
            if isinstance(error, ActionError):
                raise ActionError(f"{error}; the old {name} runs again") from None
            raise
        if not how.keep:
            await self._step(report, 5, f"removing {aside}")
            self._world.drop(old.ref)
        return f"{name} was made anew from {spec.image}" + (f"; the old one is {aside}" if how.keep else "")

    async def put_back(self, container: Ref, successor: Ref | None, report: Report) -> str:
        old = self._container(container)
        if not old.name.endswith(ASIDE):
            raise ActionError(f"only a container whose name ends in {ASIDE} is put back")
        name = old.name.removesuffix(ASIDE)
        holder = self._named(name)
        if holder is not None:
            if holder.ref != successor:
                raise ActionError(f"another container is called {name} by now: nothing was done")
            await self._step(report, 0, f"removing the new {name}")
            self._world.drop(holder.ref)
        self._rename(old, name)
        await self._step(report, 1, f"starting {name}")
        self._world.put(running(self._container(container), self._backend.clock()))
        return f"{name} is the old container again"

    def _shown(self, item: Container) -> RunSpec:
        image = self._world.items.get(Ref(item.ref.engine, Kind.IMAGE, item.image_id))
        profile = self._world.profile(item.ref)
        spec = shown(describe(item, ()), describe(image, ()) if image else None).spec
        volumes = tuple(f"{mount.source}:{mount.destination}{'' if mount.writable else ':ro'}" for mount in item.mounts)
        return replace(spec, volumes=volumes, cpus=profile.cpu_limit, memory=profile.memory_limit)

    async def _step(self, report: Report, done: int, text: str) -> None:
        report.line(text)
        report.progress(Progress(text, done, 5, bytes=False))
        await self._wait(0.5)


def _ports(spec: RunSpec) -> list[Port]:
    found: list[Port] = []
    with suppress(ValueError):
        for entry in spec.ports:
            for port in entries.read_ports(entry):
                chosen = int(port.host_port) if port.host_port.isdigit() else 32768 + len(found)
                found.append(Port(port.port, port.protocol, port.host_ip or "0.0.0.0", chosen))  # noqa: S104
    return found


def _mounts(spec: RunSpec) -> list[Mount]:
    found = []
    for entry in spec.volumes:
        volume = entries.read_volume(entry)
        kind = "bind" if volume.bind else "volume"
        source = volume.source or catalog.identity(1, Kind.VOLUME, f"{spec.name}{volume.target}")
        found.append(Mount(kind, source, volume.target, "ro" not in volume.options))
    return found
