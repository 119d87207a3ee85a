"""Network adapters of domains: read from their XML, added, changed, removed; live where libvirt 9.0 can, else later."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from backends.abilities.editing import Adapter, Forward, Settings, When
from backends.base import ActionError
from backends.libvirt.connection import Connection
from backends.libvirt.machine_xml import interface
from backends.libvirt.storage import text_of
from backends.text import clean

_GONE = "it has no such adapter any more"
_LETS_GO = 3.0
"""Seconds a guest has to give an adapter up."""


def read_adapter(entry: Element) -> Adapter:
    mac, source, link, model = entry.find("mac"), entry.find("source"), entry.find("link"), entry.find("model")
    address = ((mac.get("address") if mac is not None else "") or "").lower()
    kind = entry.get("type") or ""
    name = ""
    if source is not None:
        name = source.get("network") or source.get("bridge") or source.get("dev") or ""
    down = link is not None and link.get("state") == "down"
    network = f"{kind}:{name}" if name else kind
    model_type = (model.get("type") if model is not None else "") or ""
    return Adapter(address, network, address, not down, model_type, _no_forwards(entry, kind, name))


def _no_forwards(entry: Element, kind: str, name: str) -> str:
    backend = entry.find("backend")
    if backend is not None and backend.get("type") == "passt":
        return "passt forwards its ports: virsh edit changes them"
    if kind == "user":
        return "libvirt forwards no ports into QEMU's user network"
    where = f"{kind} {clean(name, 40)}".strip()
    return f"in {where} the guest has an address of its own: libvirt forwards no ports"


def forwards_of(entry: Element) -> list[Forward]:
    """The ports passt forwards to it, a range as its first port. Format: libvirt 9.0, where it was built with passt."""
    found = []
    adapter = read_adapter(entry).id
    for rule in entry.iterfind("portForward"):
        protocol, host = clean(rule.get("proto") or "tcp", 10), clean(rule.get("address") or "", 60)
        for ports in rule.iterfind("range"):
            start, end, to = (ports.get(key) or "" for key in ("start", "end", "to"))
            if ports.get("exclude") == "yes" or not start.isdigit():
                continue
            name = f"{start}-{end}" if end and end != start else start
            guest = int(to) if to.isdigit() else int(start)
            found.append(Forward(f"passt {clean(name, 20)}", protocol, host, int(start), "", guest, adapter))
    return found


def add(connection: Connection, domain: Any, now: Settings, wanted: Adapter) -> When:
    """One more, in PCI's next place; live where the machine has a place left for it."""
    lib = connection.libvirt
    model = wanted.model or (now.adapters[0].model if now.adapters else "") or "virtio"
    entry = interface(wanted.network, model)
    if entry is None:
        raise ActionError("an adapter of libvirt is always in a network: choose one, and pull its cable")
    # one for both: libvirt would make up another for the definition
    address = wanted.mac or _new_mac()
    entry.insert(0, Element("mac", address=address))
    if any(one.mac == address for one in now.adapters):
        raise ActionError("another of its adapters has this MAC address already")
    if not wanted.link:
        SubElement(entry, "link", state="down")
    text = text_of(entry)
    live = _tried(connection, domain, lambda: domain.attachDeviceFlags(text, lib.VIR_DOMAIN_AFFECT_LIVE))
    try:
        domain.attachDeviceFlags(text, lib.VIR_DOMAIN_AFFECT_CONFIG)
    except lib.libvirtError:
        if live and domain.isActive():
            domain.detachDeviceFlags(text, lib.VIR_DOMAIN_AFFECT_LIVE)
        raise
    return When.NOW if live else When.NEXT


def remove(connection: Connection, domain: Any, adapter: Adapter) -> When:
    lib = connection.libvirt
    entry = _entry(domain, adapter.id, _inactive(connection, domain))
    if entry is None:
        raise ActionError(_GONE)
    domain.detachDeviceFlags(text_of(entry), lib.VIR_DOMAIN_AFFECT_CONFIG)
    running = _entry(domain, adapter.id, 0) if domain.isActive() else None
    if running is None:
        return When.NOW
    text = text_of(running)
    asked = _tried(connection, domain, lambda: domain.detachDeviceFlags(text, lib.VIR_DOMAIN_AFFECT_LIVE))
    return When.NOW if asked and _let_go(domain, adapter.id) else When.NEXT


def change(connection: Connection, domain: Any, now: Settings, wanted: Adapter) -> When:
    """Its cable, its network, its MAC; the first two live where libvirt can."""
    before = next((one for one in now.adapters if one.id == wanted.id), None)
    if before is None:
        raise ActionError(_GONE)
    lib, flags = connection.libvirt, _inactive(connection, domain)
    if wanted.mac != before.mac:
        if any(one.mac == wanted.mac for one in now.adapters):
            raise ActionError("another of its adapters has this MAC address already")
        return _change_mac(connection, domain, before, wanted)
    live = True
    if domain.isActive():
        running = _entry(domain, wanted.id, 0)
        live = running is not None
        if running is not None:
            # as it is now, in which its address on the bus may be another than at the next start
            _alter(running, before, wanted)
            text = text_of(running)
            live = _tried(connection, domain, lambda: domain.updateDeviceFlags(text, lib.VIR_DOMAIN_AFFECT_LIVE))
    entry = _entry(domain, wanted.id, flags)
    if entry is None:
        raise ActionError(_GONE)
    _alter(entry, before, wanted)
    domain.updateDeviceFlags(text_of(entry), lib.VIR_DOMAIN_AFFECT_CONFIG)
    return When.NOW if live else When.NEXT


def _change_mac(connection: Connection, domain: Any, before: Adapter, wanted: Adapter) -> When:
    # with its passwords, which a definition written anew would lose
    root = ElementTree.fromstring(  # noqa: S314 - libvirt wrote it
        domain.XMLDesc(_inactive(connection, domain) | connection.libvirt.VIR_DOMAIN_XML_SECURE)
    )
    entry = next((one for one in root.iterfind("devices/interface") if read_adapter(one).id == wanted.id), None)
    if entry is None:
        raise ActionError(_GONE)
    _alter(entry, before, wanted)
    mac = entry.find("mac")
    if mac is None:
        mac = SubElement(entry, "mac")
    mac.set("address", wanted.mac)
    connection.virt.defineXML(text_of(root))
    return When.NEXT if domain.isActive() else When.NOW


def _alter(entry: Element, before: Adapter, wanted: Adapter) -> None:
    """Its cable and its network in the XML."""
    for link in entry.findall("link"):
        entry.remove(link)
    SubElement(entry, "link", state="up" if wanted.link else "down")
    if wanted.network == before.network:
        return
    fresh = interface(wanted.network, before.model or "virtio")
    if fresh is None:
        raise ActionError("pull its cable instead: an adapter of libvirt is always in a network")
    entry.set("type", fresh.get("type") or "")
    for tag in ("source", "backend", "virtualport", "portForward", "target"):
        for old in entry.findall(tag):
            entry.remove(old)
    if (source := fresh.find("source")) is not None:
        entry.insert(0, source)


def _tried(connection: Connection, domain: Any, act: Callable[[], object]) -> bool:
    """Do it to what runs: whether that went; True where nothing runs."""
    if not domain.isActive():
        return True
    try:
        act()
    except connection.libvirt.libvirtError:
        return False
    return True


def _inactive(connection: Connection, domain: Any) -> int:
    return int(connection.libvirt.VIR_DOMAIN_XML_INACTIVE) if domain.isPersistent() else 0


def _entry(domain: Any, identity: str, flags: int) -> Element | None:
    root = ElementTree.fromstring(domain.XMLDesc(flags))  # noqa: S314 - libvirt wrote it
    return next((one for one in root.iterfind("devices/interface") if read_adapter(one).id == identity), None)


def _let_go(domain: Any, identity: str) -> bool:
    """Whether a running guest has given the adapter up: it is only asked to."""
    deadline = time.monotonic() + _LETS_GO
    while domain.isActive() and _entry(domain, identity, 0) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _new_mac() -> str:
    """In QEMU's own range."""
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(3))
