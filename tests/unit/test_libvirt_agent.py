"""A guest's agent that hangs holds up nothing. Agents that answer were seen with QEMU's own in a guest."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from backends.libvirt import agent

TARGET = "<target type='virtio' name='org.qemu.guest_agent.0' state='{}'/>"
PORT = f"<domain><devices><channel>{TARGET}</channel></devices></domain>"


class Library:
    """libvirt and its domains, whose agents answer once `release` is set."""

    libvirtError = OSError
    VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT = VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE = 1
    VIR_DOMAIN_GUEST_INFO_OS, VIR_DOMAIN_GUEST_INFO_HOSTNAME = 2, 8

    def __init__(self) -> None:
        self.release = threading.Event()
        self.state = "connected"
        self.limits: list[int] = []
        self.libvirt = self
        self.asked = 0

    def beside(self, _: str) -> Library:
        return self

    def connection(self) -> Library:
        return self

    def domain(self, _: str) -> Library:
        return self

    async def ask(self, call: Callable[[Any], Any]) -> Any:
        return await asyncio.to_thread(call, self)

    engine = "libvirt"

    def XMLDesc(self, _: int) -> str:
        return PORT.format(self.state)

    def agentSetResponseTimeout(self, seconds: int, _: int) -> None:
        self.limits.append(seconds)

    def interfaceAddresses(self, _: int, __: int) -> dict[str, Any]:
        self.asked += 1
        self.release.wait(20)
        return {
            "lo": {"addrs": [{"addr": "127.0.0.1"}]},
            "eth0": {"addrs": [{"addr": "fe80::1"}, {"addr": "10.0.2.15"}]},
        }

    def guestInfo(self, _: int, __: int) -> dict[str, str]:
        return {"os.pretty-name": "Tiny\x1b[31m Linux", "hostname": "tiny"}


async def test_one_that_hangs_is_left_and_few_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "_PATIENCE", 0.2)
    library = Library()
    guests = agent.Guests(library)  # type: ignore[arg-type]
    library.release.set()
    assert await guests.addresses("one") == ["10.0.2.15", "fe80::1"]
    facts = guests.facts("one")
    assert [label for label, _ in facts] == ["system", "host name"]
    assert "\x1b" not in facts[0][1]
    assert library.limits and 0 < library.limits[0] <= 60
    library.release.clear()
    began = time.monotonic()
    # what it told before still holds
    assert await guests.addresses("one") == ["10.0.2.15", "fe80::1"]
    assert guests.facts("one") == (*facts, ("agent", "it does not answer"))
    asked = library.asked
    await guests.addresses("one")
    assert library.asked == asked
    for other in ("two", "three"):
        assert await guests.addresses(other) == []
    assert library.asked == asked + 1
    assert time.monotonic() - began < 20
    library.release.set()
    async with asyncio.timeout(30):
        while guests.facts("one") != facts:
            await guests.addresses("one")
            await asyncio.sleep(0.02)
    library.state = "disconnected"
    await guests.addresses("one")
    assert guests.facts("one") == (("agent", "it does not run in the guest"),)
    guests.keep_only(["two"])
    assert guests.facts("one") == ()
