"""Addresses of guests, on the real engines."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator

import pytest

from backends.base import Backend, EngineSettings
from backends.libvirt.backend import LibvirtBackend
from backends.model import VM, Kind, Ref, State
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.virtualbox_engine import PrivateVirtualBox

MAC, ADDRESS = "52:54:00:b0:77:09", "192.0.2.77"


async def told(backend: Backend, ref: Ref) -> VM:
    """The VM with its addresses, once its backend tells by itself that it changed, its load having been asked for."""
    await backend.connect()
    try:
        await backend.list_all()
        events = backend.events()
        await backend.usage([ref])
        async with asyncio.timeout(60):
            while True:
                # it may tell of something else before
                if ref in await anext(events):
                    (found,) = (await backend.list_some([ref])).updated
                    assert isinstance(found, VM)
                    if found.addresses:
                        return found
    finally:
        await backend.close()


def outward() -> str:
    """The network card of this machine that leads outward."""
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, timeout=10, check=True).stdout
    return next((line.split()[4] for line in routes.splitlines() if line.startswith("default")), "")


@pytest.fixture
def neighbour() -> Iterator[None]:
    """This machine knows the address of a network card."""
    card = outward()
    if not card:
        pytest.skip("this machine has no network card that leads outward")
    entry = ["to", ADDRESS, "lladdr", MAC, "dev", card]
    subprocess.run(["ip", "neigh", "replace", *entry, "nud", "reachable"], timeout=10, check=True)
    yield
    subprocess.run(["ip", "neigh", "del", *entry], timeout=10, check=False)


@pytest.mark.libvirt
async def test_a_domain_is_known_by_its_card(libvirt: PrivateLibvirt, neighbour: None) -> None:
    card = f'<interface type="user"><mac address="{MAC}"/></interface>'
    uuid = libvirt.define("on the net", extra=card, start=True)
    ref = Ref("libvirt", Kind.VM, uuid)
    found = await told(LibvirtBackend("libvirt", libvirt.url), ref)
    assert found.addresses == (ADDRESS,)
    # it ran before the backend came: its start is its process's
    assert found.started is not None


@pytest.mark.virtualbox
async def test_what_guest_additions_tell(virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    uuid = virtualbox.create("on the net")
    virtualbox.run(uuid)
    for number, address in ((1, "192.168.56.9"), (0, "10.0.2.15"), (2, "169.254.3.3")):
        virtualbox.manage("guestproperty", "set", uuid, f"/VirtualBox/GuestInfo/Net/{number}/V4/IP", address)
    for name, value in (
        ("GuestInfo/OS/Product", "Linux"),
        ("GuestInfo/OS/Release", "6.1.0-56"),
        ("GuestAdd/Version", "7"),
    ):
        virtualbox.manage("guestproperty", "set", uuid, f"/VirtualBox/{name}", value)
    found = await told(
        VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings()), Ref("virtualbox", Kind.VM, uuid)
    )
    assert found.state is State.RUNNING
    assert found.addresses == ("10.0.2.15", "192.168.56.9")
    assert found.guest == (("system", "Linux"), ("kernel", "6.1.0-56"), ("additions", "7"))
