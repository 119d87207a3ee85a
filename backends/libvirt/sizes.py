"""CPUs and memory of domains: as defined, and changed live as far as what runs has room for it. libvirt 9.0."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from backends.abilities.editing import Timing, When
from backends.libvirt.connection import Connection

_INFLATES = 3.0
"""Seconds a guest has to take or give memory."""


def cpus_of(root: Element) -> int:
    vcpu = root.find("vcpu")
    return int((vcpu.get("current") or vcpu.text or "1") if vcpu is not None else 1)


def memory_of(root: Element) -> int:
    """Bytes it has from its start; a definition always comes in KiB."""
    return int(root.findtext("currentMemory") or root.findtext("memory") or 0) << 10


def timings(connection: Connection, domain: Any) -> tuple[Timing, Timing]:
    """What a change of either does to a running domain: some room is left, or it is for the next start."""
    lib = connection.libvirt
    cpus = memory = When.NEXT
    with suppress(lib.libvirtError):  # not every hypervisor tells
        live = lib.VIR_DOMAIN_AFFECT_LIVE
        if domain.vcpusFlags(live | lib.VIR_DOMAIN_VCPU_MAXIMUM) > domain.vcpusFlags(live):
            cpus = When.NOW
    with suppress(lib.libvirtError):
        info = domain.info()
        if info[1] > info[2]:
            memory = When.NOW
    room = "as far as the running guest has room and goes along"
    return Timing("cpus", cpus, room), Timing("memory", memory, room)


def set_cpus(connection: Connection, domain: Any, wanted: int) -> When:
    lib = connection.libvirt
    config = lib.VIR_DOMAIN_AFFECT_CONFIG
    most, now = domain.vcpusFlags(config | lib.VIR_DOMAIN_VCPU_MAXIMUM), domain.vcpusFlags(config)
    if wanted > most or most == now:
        # room that was given for more later stays
        domain.setVcpusFlags(wanted, config | lib.VIR_DOMAIN_VCPU_MAXIMUM)
    domain.setVcpusFlags(wanted, config)
    if not domain.isActive():
        return When.NOW
    with suppress(lib.libvirtError):
        live = lib.VIR_DOMAIN_AFFECT_LIVE
        if domain.vcpusFlags(live | lib.VIR_DOMAIN_VCPU_MAXIMUM) >= wanted:
            domain.setVcpusFlags(wanted, live)
            return When.NOW if domain.vcpusFlags(live) == wanted else When.NEXT
    return When.NEXT


def set_memory(connection: Connection, domain: Any, wanted: int) -> When:
    """`wanted` bytes."""
    lib, size = connection.libvirt, wanted >> 10
    config = lib.VIR_DOMAIN_AFFECT_CONFIG
    root = ElementTree.fromstring(domain.XMLDesc(lib.VIR_DOMAIN_XML_INACTIVE))  # noqa: S314 - libvirt wrote it
    most, now = int(root.findtext("memory") or 0), int(root.findtext("currentMemory") or 0)
    if size > most or most == now:
        domain.setMemoryFlags(size, config | lib.VIR_DOMAIN_MEM_MAXIMUM)
    domain.setMemoryFlags(size, config)
    if not domain.isActive():
        return When.NOW
    with suppress(lib.libvirtError):
        if domain.info()[1] >= size:
            before = domain.info()[2]
            domain.setMemoryFlags(size, lib.VIR_DOMAIN_AFFECT_LIVE)
            deadline = time.monotonic() + _INFLATES
            while time.monotonic() < deadline:
                if domain.info()[2] == size:
                    return When.NOW
                time.sleep(0.1)
            # a guest without a balloon's driver never does; it is not to do it of a sudden much later
            domain.setMemoryFlags(before, lib.VIR_DOMAIN_AFFECT_LIVE)
    return When.NEXT
