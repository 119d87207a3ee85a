"""Actions on simulated objects: their transitions, their results and the refusals a real engine would give."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from backends.base import ActionError
from backends.demo import belongings, catalog
from backends.demo.world import World, exited, running
from backends.model import (
    VM,
    Action,
    ActionOptions,
    Container,
    Health,
    Image,
    Item,
    Loss,
    Network,
    Ref,
    State,
    Volume,
)

_UP = (State.RUNNING, State.PAUSED, State.RESTARTING)
_HARMLESS = {"HUP", "USR1", "USR2", "WINCH", "CONT", "CHLD", "URG"}
_SHUTDOWN = 3.0


class Operator:
    """Does to the world what an operator asks for. Transitions are tasks of their own: who waits may give up."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self._world = world
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def perform(self, action: Action, ref: Ref, options: ActionOptions) -> None:
        item = self._item(ref)
        # a kill cuts short whatever is under way
        if ref in self._world.busy and action is not Action.KILL:
            raise ActionError(f"another operation on {_name(item)} is in progress")
        if isinstance(item, Container):
            work = self._container(action, item, options)
        elif isinstance(item, VM):
            work = self._vm(action, item, options)
        elif isinstance(item, Image):
            work = self._image(action, item, options)
        else:
            work = self._belonging(action, item)
        task = asyncio.create_task(work)
        if ref not in self._world.busy:
            self._world.busy.add(ref)
            task.add_done_callback(lambda _: self._world.busy.discard(ref))
        self._keep(task)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise ActionError("the engine was closed") from None
            raise

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its own caller may be gone

    def _item(self, ref: Ref) -> Item:
        item = self._world.items.get(ref)
        if item is None:
            raise ActionError(f"No such {ref.kind}: {ref.id[:12]}")
        return item

    async def _pass(self, item: Container | VM, state: State, word: str, seconds: float) -> None:
        """Be in a state for a while. Raises ActionError when something else became of the object meanwhile."""
        self._world.put(replace(item, state=state, state_word=word))
        await asyncio.sleep(seconds * self._world.options.pace)
        now = self._world.items.get(item.ref)
        if isinstance(now, (Container, VM)) and now.state is not state:
            raise ActionError(f"{item.name} is {now.state}")

    async def _container(self, action: Action, item: Container, options: ActionOptions) -> None:
        world = self._world
        up = item.state in _UP
        if action is Action.START and item.state is not State.PAUSED:
            if not up:
                await self._start(item)
        elif action in (Action.START, Action.RESUME):
            if item.state is not State.PAUSED:
                raise ActionError(f"Container {item.ref.id[:12]} is not paused")
            world.put(replace(item, state=State.RUNNING, state_word="running"))
        elif action is Action.PAUSE:
            if item.state is not State.RUNNING:
                raise ActionError(f"Container {item.ref.id[:12]} is not running")
            world.put(replace(item, state=State.PAUSED, state_word="paused"))
        elif action is Action.STOP:
            if up:
                with suppress(ActionError):  # killed meanwhile: stopped, too
                    await self._pass(item, State.STOPPING, "running", 1.2)
                    world.put(exited(item, self._clock(), 143 if "python" in item.command else 0))
        elif action is Action.RESTART:
            await self._pass(item, State.RESTARTING, "restarting", 0.6)
            await self._start(item)
        elif action is Action.KILL:
            self._kill(item, options.signal)
        elif action is Action.DELETE:
            if up and not options.force:
                raise ActionError(
                    f'cannot remove container "/{item.name}": container is {item.state_word}: '
                    "stop the container before removing or force remove"
                )
            await self._pass(item, State.DELETING, "removing", 0.3)
            world.drop(item.ref)
        else:
            raise ActionError(f"containers know no {action}")

    async def _start(self, item: Container) -> None:
        await self._pass(item, State.STARTING, "created", 0.5)
        if item.name == catalog.BLOCKED:
            self._world.put(replace(item, state=State.CREATED, state_word="created", exit_code=128))
            raise ActionError(
                f"driver failed programming external connectivity on endpoint {item.name}: "
                "Bind for 0.0.0.0:80 failed: port is already allocated"
            )
        health = Health.STARTING if item.health is not None or item.name == catalog.WAVERING else None
        self._world.put(replace(running(item, self._clock()), health=health))
        if health is not None:
            self._keep(asyncio.create_task(self._become_healthy(item.ref)))

    async def _become_healthy(self, ref: Ref) -> None:
        await asyncio.sleep(3.0 * self._world.options.pace)
        item = self._world.items.get(ref)
        if isinstance(item, Container) and item.state is State.RUNNING and item.health is Health.STARTING:
            self._world.put(replace(item, health=Health.HEALTHY))

    def _kill(self, item: Container, name: str) -> None:
        if item.state not in (*_UP, State.STOPPING):
            raise ActionError(f"Cannot kill container: {item.name}: Container {item.ref.id[:12]} is not running")
        short = name.upper().removeprefix("SIG")
        if short.isdigit():
            number = int(short)
        elif f"SIG{short}" in signal.Signals.__members__:
            number = int(signal.Signals[f"SIG{short}"])
        else:
            raise ActionError(f"Invalid signal: {name}")
        if short not in _HARMLESS:
            self._world.put(exited(item, self._clock(), 128 + number))

    async def _vm(self, action: Action, item: VM, options: ActionOptions) -> None:
        state = item.state
        if action is Action.START and state is State.RUNNING:
            raise ActionError(f"The machine '{item.name}' is already locked by a session (or being locked or unlocked)")
        if action in (Action.START, Action.RESUME) and state is State.PAUSED:
            self._settle(item, State.RUNNING, "Running")
        elif action is Action.START:
            await self._pass(item, State.STARTING, "Restoring" if state is State.SAVED else "Starting", 0.9)
            self._settle(item, State.RUNNING, "Running")
        elif action is Action.RESUME:
            raise ActionError("The machine is not paused")
        elif action is Action.DELETE:
            await self._delete_vm(item, options)
        elif action is Action.SAVE and state in (State.RUNNING, State.PAUSED):
            await self._pass(item, State.SAVING, "Saving", 1.5)
            self._settle(item, State.SAVED, "Saved")
        elif action is Action.KILL and state not in (State.OFF, State.SAVED):
            self._settle(item, State.OFF, "PoweredOff")
        elif state is not State.RUNNING:
            raise ActionError(f"Invalid machine state: {item.state_word} (must be Running)")
        elif action is Action.PAUSE:
            self._settle(item, State.PAUSED, "Paused")
        elif action is Action.RESET:
            self._settle(item, State.RUNNING, "Running")
        elif action is Action.STOP:
            if item.name != catalog.DEAF:
                self._keep(asyncio.create_task(self._shut_down(item.ref)))
        else:
            await self._pass(item, State.RESTARTING, "Running", 1.5)
            self._settle(item, State.RUNNING, "Running")

    async def _shut_down(self, ref: Ref) -> None:
        """A guest takes its time after the power button; what happens to its VM meanwhile goes first."""
        await asyncio.sleep(_SHUTDOWN * self._world.options.pace)
        item = self._world.items.get(ref)
        if isinstance(item, VM) and item.state is State.RUNNING and ref not in self._world.busy:
            self._settle(item, State.OFF, "PoweredOff")

    def _settle(self, item: VM, state: State, word: str) -> None:
        self._world.put(settled(item, state, word, self._clock()))

    async def _delete_vm(self, item: VM, options: ActionOptions) -> None:
        if item.state in (State.RUNNING, State.PAUSED):
            raise ActionError(f"Cannot unregister the machine '{item.name}' while it is locked")
        for disk in self._world.disks(item.ref):
            user = self._world.named(disk.shared) if disk.id in options.disks and disk.shared else None
            if user is not None:
                raise ActionError(f"Cannot delete storage: medium '{disk.path}' is still attached to {disk.shared}")
        await self._pass(item, State.DELETING, item.state_word, 0.6)
        self._world.drop(item.ref)

    async def _image(self, action: Action, item: Image, options: ActionOptions) -> None:
        if action is not Action.DELETE:
            raise ActionError("images do not run")
        short = item.ref.id.removeprefix("sha256:")[:12]
        for user in self._world.items.values():
            if not isinstance(user, Container) or user.image_id != item.ref.id:
                continue
            if user.state in _UP:
                raise ActionError(
                    f"conflict: unable to delete {short} (cannot be forced) - "
                    f"image is being used by running container {user.ref.id[:12]}"
                )
            if not options.force:
                raise ActionError(
                    f"conflict: unable to delete {short} (must be forced) - "
                    f"image is being used by stopped container {user.ref.id[:12]}"
                )
        if len(item.tags) > 1 and not options.force:
            raise ActionError(
                f"conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"
            )
        await asyncio.sleep(0.4 * self._world.options.pace)
        self._world.drop(item.ref)

    async def _belonging(self, action: Action, item: Volume | Network) -> None:
        if action is not Action.DELETE:
            raise ActionError(f"{item.ref.kind}s do not run")
        belongings.check_removal(self._world.items.values(), item)
        await asyncio.sleep(0.2 * self._world.options.pace)
        self._world.drop(item.ref)


def settled(item: VM, state: State, word: str, now: float) -> VM:
    """The VM in another state since `now`."""
    live = state in (State.RUNNING, State.PAUSED)
    started = (item.started if item.state in (State.RUNNING, State.PAUSED) else now) if live else None
    # a guest that was just started has none yet
    addresses = item.addresses if live and item.started is not None else ()
    return replace(item, state=state, state_word=word, started=started, changed=now, addresses=addresses)


def losses(world: World, action: Action, item: Item) -> tuple[Loss, ...]:
    if action is not Action.DELETE:
        return ()
    if isinstance(item, Container):
        return tuple(
            Loss(f"volume {mount.source[:12]} at {mount.destination}")
            for mount in item.mounts
            if _anonymous(mount.source)
        )
    if isinstance(item, Image):
        return tuple(Loss(f"tag {tag}") for tag in item.tags)
    if isinstance(item, (Volume, Network)):
        size = belongings.size_of(item.name) if isinstance(item, Volume) else None
        return belongings.losses(world.items.values(), item, size)
    lost = [
        Loss(
            disk.path,
            disk.id,
            disk.size,
            f"also used by {disk.shared}" if disk.shared and world.named(disk.shared) else "",
        )
        for disk in world.disks(item.ref)
    ]
    if item.snapshots:
        lost.append(Loss(f"{item.snapshots} snapshot{'s' if item.snapshots > 1 else ''}"))
    if item.state is State.SAVED:
        lost.append(Loss("the saved state", size=item.memory // 3))
    return tuple(lost)


def _anonymous(volume: str) -> bool:
    return len(volume) == 64 and set(volume) <= set("0123456789abcdef")


def _name(item: Item) -> str:
    if isinstance(item, Image):
        return item.tags[0] if item.tags else item.ref.id.removeprefix("sha256:")[:12]
    return item.name
