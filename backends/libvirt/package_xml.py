"""A domain's XML in an exported folder. Pure. Elements: domain XML of libvirt 9.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from backends.base import ActionError
from backends.text import clean

FILE = "domain.xml"
NVRAM = "nvram.fd"
_QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"
_OWN_FILES = ("os/kernel", "os/initrd", "os/dtb")
_HOST = {"hostdev": "host devices", "filesystem": "shared folders", "shmem": "shared memory"}


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
    variables = root.find("os/nvram")
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
    left_out = _strip(root)
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
        disks.append((name, file, (driver.get("type") or "raw") if driver is not None else "raw"))
    nvram = root.findtext("os/nvram") == NVRAM
    return Packed(
        clean(root.findtext("name") or "", 250),
        ElementTree.tostring(root, encoding="unicode"),
        tuple(disks),
        nvram,
        tuple(left_out),
    )


def _strip(root: ElementTree.Element) -> list[str]:
    """Take out what reaches into the machine it is brought to, or is of the one it came from."""
    left_out: list[str] = []
    for child in list(root):
        if child.tag.startswith(_QEMU):
            root.remove(child)
            left_out.append("QEMU's own arguments")
        elif child.tag == "seclabel":
            root.remove(child)
    system = root.find("os")
    for place in _OWN_FILES:
        found = root.find(place)
        if system is not None and found is not None:
            system.remove(found)
            left_out.append(f"its {found.tag}")
    devices = root.find("devices")
    for child in [] if devices is None else list(devices):
        if child.tag in _HOST:
            devices.remove(child)  # type: ignore[union-attr]
            left_out.append(_HOST[child.tag])
        elif child.tag in {"serial", "console", "parallel", "channel"} and child.get("type") in {"file", "dev", "pipe"}:
            devices.remove(child)  # type: ignore[union-attr]
            left_out.append(f"a {child.tag} port to a file")
        elif child.tag == "emulator":
            devices.remove(child)  # type: ignore[union-attr]
    return list(dict.fromkeys(left_out))
