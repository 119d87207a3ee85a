"""A domain's XML in an exported folder. Pure. Elements: domain XML of libvirt 9.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from backends.base import ActionError
from backends.libvirt.package_filter import strip
from backends.text import clean

FILE = "domain.xml"
NVRAM = "nvram.fd"
_FORMATS = {"raw", "qcow2"}
"""Others may name further files, which QEMU opens with them."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What an export's XML says."""

    name: str
    xml: str
    """Fit to be defined elsewhere, but for name, identity and disks."""
    disks: tuple[tuple[str, str, str], ...]
    """(target, file name in the folder, format)."""
    nvram: bool
    left_out: tuple[str, ...]


def packed(xml: str, disks: Mapping[str, tuple[str, str]], *, nvram: bool) -> str:
    """A domain's XML with its disks named as the folder's files: (file, format) by target."""
    root = ElementTree.fromstring(xml)  # noqa: S314 - libvirt wrote it
    root.attrib.pop("id", None)
    system, variables = root.find("os"), root.find("os/nvram")
    if variables is None and nvram and system is not None:
        variables = ElementTree.SubElement(system, "nvram")
    if variables is not None:
        variables.text = NVRAM if nvram else None
    for disk in root.iterfind("devices/disk"):
        target = disk.find("target")
        found = disks.get((target.get("dev") or "") if target is not None else "")
        for child in disk.findall("backingStore"):
            disk.remove(child)
        if found is None:
            continue
        for child in disk.findall("source"):
            disk.remove(child)
        disk.set("type", "file")
        disk.append(ElementTree.Element("source", {"file": found[0]}))
        driver = disk.find("driver")
        if driver is None:
            driver = ElementTree.SubElement(disk, "driver", {"name": "qemu"})
        driver.set("type", found[1])
    return ElementTree.tostring(root, encoding="unicode")


def unpacked(text: str) -> Packed:
    """What somebody's export says; what it would take of this machine beyond its own files is left out.

    Raises ActionError for what is no export.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ActionError(f"{FILE} declares entities: no export of boxtop's does")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - without entities it expands to nothing
    except ElementTree.ParseError as error:
        raise ActionError(f"{FILE} cannot be read: {clean(str(error), 200)}") from None
    if root.tag != "domain" or not root.findtext("name"):
        raise ActionError(f"{FILE} is no domain's")
    left_out = strip(root)
    disks = []
    devices = root.find("devices")
    for disk in [] if devices is None else devices.findall("disk"):
        source, target, driver = disk.find("source"), disk.find("target"), disk.find("driver")
        name = (target.get("dev") or "") if target is not None else ""
        file = source.get("file") if source is not None else None
        if (disk.get("device") or "disk") != "disk":
            if source is not None:
                disk.remove(source)
                left_out.append(f"the medium in {clean(name, 20)}")
            continue
        if not file or "/" in file or file in {".", "..", FILE}:
            raise ActionError(f"its disk {clean(name, 20)} is no file of the folder")
        form = (driver.get("type") or "raw") if driver is not None else "raw"
        if form not in _FORMATS:
            raise ActionError(f"its disk {clean(name, 20)} is {clean(form, 20)}: make it qcow2 with qemu-img convert")
        disks.append((name, file, form))
    nvram = root.findtext("os/nvram") == NVRAM
    return Packed(
        clean(root.findtext("name") or "", 250),
        ElementTree.tostring(root, encoding="unicode"),
        tuple(disks),
        nvram,
        tuple(left_out),
    )
