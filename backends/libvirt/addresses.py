"""Addresses of a domain: its leases, what its guest agent tells, the neighbours this host knows (libvirt 9.0)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from backends.libvirt.connection import Connection

_AGENT = "org.qemu.guest_agent.0"
_INCOMPLETE = "0x0"


def addresses(connection: Connection, identity: str) -> list[str]:
    """Of the first source that knows any. An agent is asked only when it is connected, as that may take seconds."""
    lib, domain = connection.libvirt, connection.domain(identity)
    root = ElementTree.fromstring(domain.XMLDesc(0))  # noqa: S314 - libvirt wrote it
    cards = {(card.get("address") or "").lower() for card in root.iterfind("devices/interface/mac")}
    if not cards:
        return []
    sources = [lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE]
    if any(
        target.get("name") == _AGENT and target.get("state") == "connected"
        for target in root.iterfind("devices/channel/target")
    ):
        sources.insert(0, lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    for source in sources:
        if found := _told(connection, domain, source):
            return found
    if connection.is_local():
        # libvirt 9.0 itself fails at a long table: wrong nlmsg len
        return _neighbours(cards)
    return _told(connection, domain, lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)


def _told(connection: Connection, domain: Any, source: int) -> list[str]:
    """IPv4 first; empty where this source knows none."""
    with suppress(connection.libvirt.libvirtError):
        found = domain.interfaceAddresses(source, 0) or {}
        told = [str(entry["addr"]) for name, card in found.items() if name != "lo" for entry in card["addrs"] or ()]
        return sorted(told, key=lambda address: ":" in address)
    return []


def _neighbours(cards: set[str]) -> list[str]:
    """IPv4 addresses that this machine spoke to by these cards (proc(5), net/arp)."""
    found = []
    with suppress(OSError):
        for line in Path("/proc/net/arp").read_text().splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[3].lower() in cards and fields[2] != _INCOMPLETE:
                found.append(fields[0])
    return found
