"""What goes through the network adapters of VMs is told, and asking for it harms no VM, however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable

import psutil
import pytest

from backends.base import EngineSettings
from backends.model import State, Usage
from backends.virtualbox import traffic
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.virtualbox_engine import PrivateVirtualBox

_PATIENCE = 90.0


@pytest.fixture
async def backend(virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VirtualBoxBackend]:
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    for name, seconds in {"_EACH": 0.3, "_FIRST": 0.2, "_PAUSE": 0.05, "_AGAIN": 0.2, "_ANSWER": 5.0}.items():
        monkeypatch.setattr(traffic, name, seconds)
    made = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings(virtualbox_network=True))
    await made.connect()
    yield made
    await made.close()


def networked(virtualbox: PrivateVirtualBox, name: str) -> str:
    """A VM that runs, with an adapter, through which its guest sends nothing."""
    machine = virtualbox.create(name, guest="ignores")
    virtualbox.manage("modifyvm", machine, "--nic1=nat")
    virtualbox.manage("startvm", machine, "--type=headless")
    virtualbox.wait_state(machine, "running")
    return machine


async def sampled(backend: VirtualBoxBackend, until: Callable[[dict[str, Usage]], bool], what: str) -> dict[str, Usage]:
    """Figures by name once they are so; all is on screen."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        vms = (await backend.list_all()).vms
        live = {vm.ref: vm for vm in vms if vm.state is State.RUNNING}
        backend.on_screen(live)
        found = await backend.usage(tuple(live))
        figures = {live[ref].name: usage for ref, usage in found.items()}
        if until(figures):
            return figures
        assert time.monotonic() < deadline, f"waited for {what}: {figures}"
        await asyncio.sleep(0.1)


def known(*names: str) -> Callable[[dict[str, Usage]], bool]:
    return lambda figures: all(name in figures and figures[name].network_receive is not None for name in names)


def told_anew(backend: VirtualBoxBackend, name: str, machine: str) -> Callable[[dict[str, Usage]], bool]:
    """Its rates from an answer of after now: those of before stand until then."""
    now, some = time.monotonic(), known(name)

    def condition(figures: dict[str, Usage]) -> bool:
        told = backend._traffic._known.get(machine)
        return some(figures) and told is not None and told.at is not None and told.at > now

    return condition


async def gone(pid: int | None) -> None:
    """Wait until a process has ended and its end was taken note of."""
    assert pid is not None
    deadline = time.monotonic() + _PATIENCE
    while psutil.pid_exists(pid):
        assert time.monotonic() < deadline, "waited for the asking process to end"
        await asyncio.sleep(0.02)


async def test_rates_are_told_of_what_is_on_screen_and_has_adapters(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    networked(virtualbox, "networked")
    virtualbox.run(virtualbox.create("without"))
    figures = await sampled(backend, known("networked"), "its rates")
    assert (figures["networked"].network_receive, figures["networked"].network_transmit) == (0.0, 0.0)
    assert figures["without"].network_receive is None
    pid = backend._traffic.pid
    assert pid is not None
    backend.on_screen(())
    vms = (await backend.list_all()).vms
    found = await backend.usage([vm.ref for vm in vms])
    assert {usage.network_receive for usage in found.values()} == {None}
    await backend.close()
    await gone(pid)


async def test_vms_end_as_they_should_while_they_are_asked_and_when_the_asker_is_killed_or_frozen(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    names = ("killed", "frozen", "asked")
    machines = {name: networked(virtualbox, name) for name in names}
    service = virtualbox.services()

    async def ends(name: str) -> None:
        await asyncio.to_thread(virtualbox.manage, "controlvm", machines[name], "poweroff")
        await asyncio.to_thread(virtualbox.wait_state, machines[name], "poweroff")

    await sampled(backend, known(*names), "their rates")
    first = backend._traffic.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await ends("killed")
    # Until it is missed, the killed one's rates stand
    again = known("frozen", "asked")
    await sampled(
        backend,
        lambda figures: backend._traffic.pid not in (None, first) and again(figures),
        "rates from another process",
    )
    pid = backend._traffic.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        await ends("frozen")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    await sampled(backend, told_anew(backend, "asked", machines["asked"]), "rates after all")
    await ends("asked")
    assert virtualbox.services() == service


async def test_a_vm_that_hangs_costs_the_others_no_rates_and_goes_on(
    backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox
) -> None:
    hung, other = networked(virtualbox, "hung"), networked(virtualbox, "other")
    await sampled(backend, known("hung", "other"), "their rates")
    process = virtualbox.pid(hung)
    os.kill(process, signal.SIGSTOP)
    try:
        await sampled(backend, lambda figures: not known("hung")(figures), "the hung one to be given up")
        await sampled(backend, told_anew(backend, "other", other), "the other's rates")
    finally:
        os.kill(process, signal.SIGCONT)
    virtualbox.manage("controlvm", hung, "poweroff")
    virtualbox.wait_state(hung, "poweroff")


async def test_a_service_that_ends_ends_the_asking(backend: VirtualBoxBackend, virtualbox: PrivateVirtualBox) -> None:
    networked(virtualbox, "networked")
    await sampled(backend, known("networked"), "its rates")
    pid = backend._traffic.pid
    virtualbox.kill()
    await asyncio.wait_for(backend.close(), 30)
    await gone(pid)
