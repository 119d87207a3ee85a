"""A domain's XML made into that of its clone. Pure. Elements: domain XML of libvirt 9.0."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

_OWN_SOCKET = re.compile(r"/(?:domain-\d+-|channel/target/|channel/)")


@dataclass(frozen=True, slots=True)
class Image:
    """The file a disk of the clone has."""

    path: str
    format: str


def cloned(xml: str, name: str, uuid: str, disks: Mapping[str, Image], *, keep_macs: bool, nvram: str = "") -> str:
    """`disks` by target; disks that are not named there are shared. `nvram`: the copy of the firmware's variables.

    Without that copy libvirt makes fresh ones from their template.
    """
    root = ElementTree.fromstring(xml)  # noqa: S314 - libvirt wrote it
    _set(root, "name", name)
    _set(root, "uuid", uuid)
    root.attrib.pop("id", None)
    if (genid := root.find("genid")) is not None:
        genid.text = None
    for entry in root.iterfind("sysinfo/system/entry"):
        if entry.get("name") == "uuid":
            entry.text = uuid
    system, variables = root.find("os"), root.find("os/nvram")
    if variables is None and nvram and system is not None:
        variables = ElementTree.SubElement(system, "nvram")
    if variables is not None:
        variables.text = nvram or None
    if not keep_macs:
        for interface in root.iterfind("devices/interface"):
            for address in interface.findall("mac"):
                interface.remove(address)
    for disk in root.iterfind("devices/disk"):
        target = disk.find("target")
        if image := disks.get((target.get("dev") or "") if target is not None else ""):
            _image(disk, image)
    for channel in root.iterfind("devices/channel"):
        source = channel.find("source")
        if source is not None and _OWN_SOCKET.search(source.get("path") or ""):
            channel.remove(source)
    for graphics in root.iterfind("devices/graphics"):
        if graphics.get("port") not in {None, "-1"}:
            # the source's own port: two cannot have it
            graphics.attrib.pop("port")
            graphics.set("autoport", "yes")
    return ElementTree.tostring(root, encoding="unicode")


def _image(disk: ElementTree.Element, image: Image) -> None:
    disk.set("type", "file")
    for child in [*disk.findall("source"), *disk.findall("backingStore")]:
        disk.remove(child)
    disk.append(ElementTree.Element("source", {"file": image.path}))
    driver = disk.find("driver")
    if driver is None:
        driver = ElementTree.SubElement(disk, "driver", {"name": "qemu"})
    driver.set("type", image.format)


def _set(root: ElementTree.Element, tag: str, text: str) -> None:
    element = root.find(tag)
    if element is None:
        element = ElementTree.SubElement(root, tag)
    element.text = text
