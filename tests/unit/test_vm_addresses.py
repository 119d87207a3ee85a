"""How often guests are asked for their addresses."""

from __future__ import annotations

import asyncio
import time

import pytest

from backends.addresses import Addresses, usable
from backends.base import EngineError


async def settled(found: Addresses, ids: list[str]) -> None:
    for _ in range(20):
        found.want(ids)
        await asyncio.sleep(0)


async def test_each_is_asked_once_and_again_only_when_it_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    asked: list[str] = []
    changed: list[str] = []

    async def ask(identity: str) -> list[str]:
        asked.append(identity)
        if identity == "broken":
            raise EngineError("gone")
        return ["10.0.0.5", "fe80::1", "10.0.0.5"] if identity == "up" else []

    found = Addresses(ask, changed.append, pause=0.0)
    await settled(found, ["up", "bare", "broken"])
    assert (asked, changed) == (["up", "bare", "broken"], ["up"])
    assert (found.of("up"), found.of("bare"), found.of("other")) == (("10.0.0.5",), (), ())
    now += 11
    await settled(found, ["up", "bare", "broken"])
    assert asked[3:] == ["bare", "broken"]
    now += 19
    await settled(found, ["up", "bare"])
    assert asked[5:] == ["up"] and changed == ["up"]
    # one that was off meanwhile has none until it is asked anew
    await settled(found, [])
    assert found.of("up") == ()
    await found.close()


@pytest.mark.parametrize("address", ["", "127.0.0.1", "::1", "fe80::5054:ff:fe00:1", "169.254.1.1", "0.0.0.0"])
def test_addresses_that_lead_nowhere(address: str) -> None:
    assert not usable(address)
    assert usable("192.168.1.7") and usable("2001:db8::7")
