"""Addresses of a domain beside what its agent tells: its leases, the neighbours this host knows (libvirt 9.0)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from backends.libvirt.connection import Connection

_INCOMPLETE = "0x0"


def addresses(connection: Connection, identity: str) -> list[str]:
    """Of the first source that knows any."""
    lib, domain = connection.libvirt, connection.domain(identity)
    root = ElementTree.fromstring(domain.XMLDesc(0))  # noqa: S314 - libvirt wrote it
    cards = {(card.get("address") or "").lower() for card in root.iterfind("devices/interface/mac")}
    if not cards:
        return []
    if found := _by(connection, domain, lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE):
        return found
    if connection.is_local():
        # libvirt 9.0 itself fails at a long table: wrong nlmsg len
        return _neighbours(cards)
    return _by(connection, domain, lib.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)


def told(answer: Mapping[str, Any] | None) -> list[str]:
    """Those of an answer by network card, IPv4 first."""
    cards = (card for name, card in (answer or {}).items() if name != "lo")
    return sorted((str(entry["addr"]) for card in cards for entry in card["addrs"] or ()), key=lambda one: ":" in one)


def _by(connection: Connection, domain: Any, source: int) -> list[str]:
    """Empty where this source knows none."""
    with suppress(connection.libvirt.libvirtError):
        return told(domain.interfaceAddresses(source, 0))
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
