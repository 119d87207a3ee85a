"""Lists of many VMs are whole, and stay so as VMs change, by what the engines tell of the changed ones alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.base import Backend, EngineSettings
from backends.libvirt.backend import LibvirtBackend
from backends.model import VM, Change, Snapshot, State
from backends.virtualbox.backend import VirtualBoxBackend
from backends.watch import Update, Watcher
from tests.engines.simulated_domains import write
from tests.engines.virtualbox_engine import PrivateVirtualBox

_PATIENCE = 60.0


class Kept:
    """What a watcher has told, put together as the screen does."""

    def __init__(self) -> None:
        self.vms: dict[str, VM] = {}
        self.listings = 0
        self.asked: list[int] = []
        """Sizes of the changes told."""

    def take(self, update: Update) -> None:
        if isinstance(update, Snapshot):
            self.listings += 1
            self.vms = {vm.ref.id: vm for vm in update.vms}
        elif isinstance(update, Change):
            self.asked.append(len(update.updated) + len(update.removed))
            for vm in update.updated:
                if isinstance(vm, VM):
                    self.vms[vm.ref.id] = vm
            for ref in update.removed:
                self.vms.pop(ref.id, None)

    def named(self, name: str) -> VM | None:
        return next((vm for vm in self.vms.values() if vm.name == name), None)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited for {what}: {sorted(vm.name for vm in self.vms.values())}"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def watched(backend: Backend) -> AsyncIterator[Kept]:
    """Full listings come at the start alone: what is seen later, events told."""
    kept = Kept()
    watcher = Watcher(backend, kept.take, listing_period=3600)
    task = asyncio.create_task(watcher.run())
    try:
        # The second one is that which catches what came before the events
        await kept.until(lambda: kept.listings >= 2, "the first listings")
        yield kept
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await backend.close()


async def test_a_hundred_domains_stay_current_by_their_events(tmp_path: Path) -> None:
    pytest.importorskip("libvirt")
    backend = LibvirtBackend("libvirt", write(tmp_path / "domains.xml", 100, off=40))
    async with watched(backend) as kept:
        assert len(kept.vms) == 100
        assert sum(vm.state is State.RUNNING for vm in kept.vms.values()) == 60
        assert {(vm.cpus, vm.memory) for vm in kept.vms.values()} == {(2, 1 << 30)}
        virt = backend.connection().virt
        virt.lookupByName("dom-030").destroy()
        virt.lookupByName("dom-099").create()
        virt.lookupByName("dom-070").undefine()
        virt.lookupByName("dom-001").suspend()
        virt.defineXML(virt.lookupByName("dom-002").XMLDesc().replace("dom-002", "dom-new").replace("2e0002", "2eFFFF"))
        await kept.until(lambda: kept.named("dom-new"), "the new one")
        await kept.until(lambda: not kept.named("dom-070"), "one to go")
        states = {"dom-030": State.OFF, "dom-099": State.RUNNING, "dom-001": State.PAUSED}
        for name, state in states.items():
            await kept.until(lambda name=name, state=state: getattr(kept.named(name), "state", None) is state, name)  # type: ignore[misc]
        assert len(kept.vms) == 100
        assert kept.listings == 2
        assert sum(kept.asked) <= 10
        running = [vm.ref for vm in kept.vms.values() if vm.state is State.RUNNING]
        assert set(await backend.usage(running)) == set(running)


async def test_forty_vms_stay_current_by_their_events(
    virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    names = {f"vm-{number:02}" for number in range(1, 41)}
    await asyncio.gather(*(asyncio.to_thread(_register, virtualbox, sorted(names)[first::4]) for first in range(4)))
    async with watched(VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())) as kept:
        assert {vm.name for vm in kept.vms.values()} == names
        assert {vm.state for vm in kept.vms.values()} == {State.OFF}
        assert {vm.groups for vm in kept.vms.values()} == {("/even",), ("/odd",)}
        for arguments in (
            ("modifyvm", "vm-07", "--name=renamed", "--memory=64"),
            ("snapshot", "vm-20", "take", "first"),
            ("unregistervm", "vm-40"),
            ("createvm", "--name=another", "--register"),
        ):
            await asyncio.to_thread(virtualbox.manage, *arguments)
        await kept.until(lambda: kept.named("another"), "the new one")
        await kept.until(lambda: not kept.named("vm-40"), "one to go")
        await kept.until(lambda: getattr(kept.named("renamed"), "memory", 0) == 64 << 20, "the other memory")
        await kept.until(lambda: getattr(kept.named("vm-20"), "snapshots", 0) == 1, "the snapshot")
        assert {vm.name for vm in kept.vms.values()} == names - {"vm-07", "vm-40"} | {"renamed", "another"}
        assert kept.listings == 2


def _register(virtualbox: PrivateVirtualBox, names: list[str]) -> None:
    for name in names:
        group = "even" if int(name[-2:]) % 2 == 0 else "odd"
        virtualbox.manage("createvm", f"--name={name}", "--ostype=Other", f"--groups=/{group}", "--register")
