"""What of a stranger's domain XML is taken: what is known to reach no file, program or port of this machine.

libvirt's daemon is root: it opens, writes (`<log file=...>`, `<audio type="file">`) and runs (`<script path=...>`)
whatever a definition names. Pure. Elements: domain XML of libvirt 9.0.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from backends.text import clean

_TOP = {
    *("name", "uuid", "genid", "title", "description", "metadata", "maxMemory", "memory", "currentMemory", "vcpu"),
    *("vcpus", "iothreads", "iothreadids", "cputune", "os", "features", "cpu", "clock", "pm", "perf", "sysinfo"),
    *("on_poweroff", "on_reboot", "on_crash", "devices"),
}
_SILENT = {"seclabel", "resource", "emulator", "alias"}
"""What is of the machine it came from, or made anew here."""
_OS = {"type", "boot", "bootmenu", "bios", "smbios", "loader", "nvram", "firmware"}
_FIRMWARE = ("/usr/share/", "/usr/lib/")
_DISK = {
    *("driver", "source", "target", "boot", "address", "serial", "wwn", "vendor", "product", "readonly", "shareable"),
    *("iotune", "geometry", "blockio", "transient"),
}
_PORTS = {"serial", "parallel", "console", "channel"}
_KNOWN = {
    "host devices": "hostdev",
    "shared folders": "filesystem",
    "shared memory": "shmem",
}
_WORDS = {tag: words for words, tag in _KNOWN.items()}


def strip(root: Element) -> list[str]:
    """Take out all else; what was, in words."""
    left_out: list[str] = []
    for child in list(root):
        if child.tag not in _TOP:
            root.remove(child)
            if child.tag not in _SILENT:
                words = "QEMU's own arguments" if child.tag.endswith("}commandline") else f"its {_tag(child)}"
                left_out.append(words)
    for found in root.findall("sysinfo"):
        if found.get("type") == "fwcfg":
            root.remove(found)
            left_out.append("files for its firmware")
    for system in root.findall("os"):
        left_out += _system(system)
    for devices in root.findall("devices"):
        for child in list(devices):
            if not _DEVICES.get(child.tag, _never)(child):
                devices.remove(child)
                if child.tag not in _SILENT:
                    left_out.append(_WORDS.get(child.tag) or _tag(child) + _kind(child))
            for inner in [*child.findall("rom"), *child.findall("log"), *child.findall("alias")]:
                child.remove(inner)
    return list(dict.fromkeys(left_out))


def _tag(element: Element) -> str:
    return clean(element.tag.partition("}")[2] or element.tag, 40)


def _kind(element: Element) -> str:
    kind = element.get("type") or ""
    if element.tag in _PORTS:
        return f" port to {'a file' if kind in {'file', 'dev', 'pipe'} else clean(kind, 20)}"
    return f" of type {clean(kind, 20)}" if kind else ""


def _system(system: Element) -> list[str]:
    left_out = []
    for child in list(system):
        own = child.tag not in _OS
        if child.tag == "loader":
            own = not posixpath.normpath((child.text or "").strip() or "/usr/share/x").startswith(_FIRMWARE)
        if own:
            system.remove(child)
            left_out.append(f"its {_tag(child)}")
        elif child.tag == "nvram":
            for inner in list(child):
                child.remove(inner)
            if not posixpath.normpath(child.get("template") or "/usr/share/x").startswith(_FIRMWARE):
                del child.attrib["template"]
    return left_out


def _never(element: Element) -> bool:
    del element
    return False


def _always(element: Element) -> bool:
    del element
    return True


def _disk(element: Element) -> bool:
    for child in list(element):
        if child.tag not in _DISK:
            element.remove(child)
    return True


def _interface(element: Element) -> bool:
    for tag in ("script", "downscript", "backend"):
        for child in element.findall(tag):
            element.remove(child)
    return element.get("type") in {"network", "bridge", "user", "direct"}


def _port(element: Element) -> bool:
    if element.get("type") == "unix":
        # libvirt gives it a socket of its own
        for child in element.findall("source"):
            element.remove(child)
        return element.tag == "channel"
    return element.get("type") in {"pty", "spicevmc", "qemu-vdagent", "null"}


def _graphics(element: Element) -> bool:
    """At this machine's own address alone."""
    for child in [*element.findall("listen"), *element.findall("gl")]:
        element.remove(child)
    for name in ("listen", "socket"):
        element.attrib.pop(name, None)
    return element.get("type") in {"vnc", "spice"}


def _rng(element: Element) -> bool:
    return all(
        backend.get("model") == "builtin"
        or (backend.get("model") == "random" and (backend.text or "").strip() in {"", "/dev/random", "/dev/urandom"})
        for backend in element.findall("backend")
    )


def _tpm(element: Element) -> bool:
    for backend in element.findall("backend"):
        for child in backend.findall("source"):
            backend.remove(child)
    return all(backend.get("type") == "emulator" for backend in element.findall("backend"))


def _typed(*kinds: str) -> Callable[[Element], bool]:
    return lambda element: element.get("type") in kinds


_DEVICES: Mapping[str, Callable[[Element], bool]] = {
    "disk": _disk,
    "controller": _always,
    "interface": _interface,
    **dict.fromkeys(_PORTS, _port),
    "graphics": _graphics,
    "rng": _rng,
    "tpm": _tpm,
    "input": _typed("tablet", "mouse", "keyboard"),
    "redirdev": _typed("spicevmc"),
    "audio": _typed("none", "spice"),
    **dict.fromkeys(("sound", "video", "hub", "watchdog", "memballoon", "panic", "iommu"), _always),
}
