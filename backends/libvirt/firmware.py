"""Where a domain's firmware keeps its variables (NVRAM). Blocking. Seen with libvirt 9.0.

Where libvirt chose the firmware itself, the definition of one that is off does not tell: the file is named after it.
"""

from __future__ import annotations

import os
from pathlib import Path

from backends.base import ActionError
from backends.libvirt import uris
from backends.libvirt.connection import Connection
from backends.libvirt.domains import Definition
from backends.text import clean

_SYSTEM = "/var/lib/libvirt/qemu/nvram"


def variables(connection: Connection, own: Definition) -> str:
    """The path of the file, which may not be there before the first start; empty for one without, or where unknown."""
    if own.nvram or not own.efi:
        return own.nvram
    folder = _folder(connection)
    return f"{folder}/{own.name}_VARS.fd" if folder else ""


def is_there(path: str) -> bool:
    """Whether there is such a file; True where this user may not see."""
    try:
        os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def check_rename(connection: Connection, own: Definition) -> None:
    """Raise ActionError where the file would be left behind: libvirt gives a renamed domain fresh variables."""
    if own.nvram or not own.efi:
        return
    path = variables(connection, own)
    if not connection.is_local() or not path:
        raise ActionError("its firmware's settings would be lost: rename it on its machine, with their file")
    if is_there(path) and not (os.access(path, os.R_OK) and os.access(Path(path).parent, os.W_OK | os.X_OK)):
        raise ActionError(clean(f"its firmware's settings would be lost: only root may rename {path}", 300))


def renamed(connection: Connection, own: Definition, name: str) -> None:
    """Have the file follow its domain. Raises OSError."""
    if own.nvram or not own.efi or not is_there(path := variables(connection, own)):
        return
    new = Path(path).with_name(f"{name}_VARS.fd")
    if new.exists():
        # of a VM that is gone: what it holds is nobody's, and is not thrown away
        new.rename(new.with_name(f"{new.name}.old"))
    Path(path).rename(new)


def _folder(connection: Connection) -> str:
    if not uris.is_session(connection.uri):
        return _SYSTEM
    if not connection.is_local():
        return ""
    return f"{os.environ.get('XDG_CONFIG_HOME') or Path.home() / '.config'}/libvirt/qemu/nvram"
