"""A new domain's XML. Pure. Format: libvirt 9.0 with QEMU."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from backends.abilities.creating import NewVM
from backends.base import ActionError
from backends.libvirt import osinfo
from backends.libvirt.storage import text_of

_OSINFO = "http://libosinfo.org/xmlns/libvirt/domain/1.0"
_MODES = {"user": "user", "nat": "user", "network": "network", "bridge": "bridge"}


@dataclass(frozen=True, slots=True)
class Machine:
    """What the host makes of it: architecture, machine type and emulator of its QEMU."""

    arch: str
    machine: str
    emulator: str
    type: str
    """`kvm` or `qemu`."""


def domain_xml(spec: NewVM, identity: str, disk: tuple[str, str] | None, machine: Machine) -> str:
    """`disk` is the (path, format) of the disk, None for none."""
    virtio = osinfo.knows_virtio(spec.os_type)
    root = Element("domain", type=machine.type)
    SubElement(root, "name").text = spec.name
    SubElement(root, "uuid").text = identity
    if spec.os_type:
        entry = SubElement(SubElement(root, "metadata"), f"{{{_OSINFO}}}libosinfo")
        SubElement(entry, f"{{{_OSINFO}}}os", id=spec.os_type)
    SubElement(root, "memory", unit="bytes").text = str(spec.memory)
    SubElement(root, "vcpu").text = str(spec.cpus)
    system = SubElement(root, "os", {"firmware": "efi"} if spec.uefi else {})
    SubElement(system, "type", arch=machine.arch, machine=machine.machine).text = "hvm"
    for device in ("cdrom", "hd"):
        SubElement(system, "boot", dev=device)
    features = SubElement(root, "features")
    SubElement(features, "acpi")
    SubElement(features, "apic")
    if machine.type == "kvm":
        SubElement(root, "cpu", mode="host-passthrough")
    SubElement(root, "clock", offset="localtime" if osinfo.is_windows(spec.os_type) else "utc")
    devices = SubElement(root, "devices")
    SubElement(devices, "emulator").text = machine.emulator
    if disk is not None:
        devices.append(drive("disk", disk[0], disk[1], "vda" if virtio else "sda", "virtio" if virtio else "sata"))
    devices.append(drive("cdrom", spec.iso, "raw", "sdb", "sata"))
    network = interface(spec.network, "virtio" if virtio else "e1000e")
    if network is not None:
        devices.append(network)
    SubElement(devices, "serial", type="pty")
    SubElement(devices, "console", type="pty")
    channel = SubElement(devices, "channel", type="unix")
    SubElement(channel, "target", type="virtio", name="org.qemu.guest_agent.0")
    SubElement(devices, "input", type="tablet", bus="usb")
    SubElement(devices, "graphics", type="vnc", port="-1", autoport="yes", listen="127.0.0.1")
    SubElement(SubElement(devices, "video"), "model", type="vga")
    SubElement(devices, "memballoon", model="virtio")
    return text_of(root)


def drive(device: str, path: str, form: str, target: str, bus: str) -> Element:
    """A disk or a drive; without a path an empty one."""
    root = Element("disk", type="file", device=device)
    SubElement(root, "driver", name="qemu", type=form)
    if path:
        SubElement(root, "source", file=path)
    SubElement(root, "target", dev=target, bus=bus)
    if device == "cdrom":
        SubElement(root, "readonly")
    return root


def interface(network: str, model: str) -> Element | None:
    """A network adapter, None for `none`. Raises ActionError for what is no network."""
    mode, _, name = network.partition(":")
    if mode == "none":
        return None
    if mode not in _MODES or (bool(name) is (_MODES[mode] == "user")):
        raise ActionError(f"{network}: no network of this machine")
    root = Element("interface", type=_MODES[mode])
    if name:
        SubElement(root, "source", {_MODES[mode]: name})
    SubElement(root, "model", type=model)
    return root


def name_wrong(name: str) -> str:
    """Why libvirt cannot call a domain so; empty when it can."""
    if not name or not name.isprintable() or not name.strip():
        return "a name of letters, digits and signs"
    if "/" in name or name in {".", ".."}:
        return "no / in a name"
    if len(name.encode()) > 240:
        return "too long: 240 bytes at most, as files are named after it"
    return ""


def target_after(taken: set[str], prefix: str) -> str:
    """The first free device name with this prefix: `vdb`."""
    for letter in "abcdefghijklmnopqrstuvwxyz":
        if f"{prefix}{letter}" not in taken:
            return f"{prefix}{letter}"
    raise ActionError("no more disks fit in")


def bus_of(target: str) -> str:
    """The bus by a device name's prefix."""
    match = re.match(r"[a-z]d", target)
    return {"vd": "virtio", "hd": "ide", "sd": "sata", "fd": "fdc"}.get(match[0] if match else "", "virtio")
