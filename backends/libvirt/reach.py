"""Whether QEMU can get to a file: libvirt runs it as a user of its own. Blocking. Capabilities of libvirt 9.0."""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from backends.libvirt.connection import Connection


def out_of_reach(connection: Connection, path: str) -> str:
    """Why QEMU's user cannot get to a file of this machine; empty when it can, or nobody knows.

    libvirt hands the file itself over to that user when the VM starts, but never the folders above it.
    """
    owner = _user(connection) if connection.is_local() else None
    if owner is None or owner[0] == 0:
        return ""
    try:
        folders = [*Path(path).resolve().parents][::-1]
        barred = next((folder for folder in folders if not _may_enter(folder, *owner)), None)
    except OSError:
        return ""
    if barred is None:
        return ""
    name = str(owner[0])
    with suppress(KeyError):
        name = pwd.getpwuid(owner[0]).pw_name
    return f"QEMU runs as {name}, who may not enter {barred}: move it, or setfacl -m u:{name}:x {barred}"


def _user(connection: Connection) -> tuple[int, int] | None:
    """The user and group QEMU runs as; None where the capabilities do not tell."""
    root = ElementTree.fromstring(connection.virt.getCapabilities())  # noqa: S314 - libvirt wrote it
    for model in root.iterfind("host/secmodel"):
        if model.findtext("model") == "dac":
            user, _, group = (model.findtext("baselabel") or "").replace("+", "").partition(":")
            if user.isdigit() and group.isdigit():
                return int(user), int(group)
    return None


def _may_enter(folder: Path, user: int, group: int) -> bool:
    """By its mode; one with an access control list is taken to let it through."""
    facts = folder.stat()
    with suppress(OSError):
        if "system.posix_acl_access" in os.listxattr(folder):
            return True
    if facts.st_uid == user:
        return bool(facts.st_mode & 0o100)
    groups = {group}
    with suppress(KeyError, OSError):
        groups |= set(os.getgrouplist(pwd.getpwuid(user).pw_name, group))
    return bool(facts.st_mode & (0o010 if facts.st_gid in groups else 0o001))
