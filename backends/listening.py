"""Ports this machine listens on, from the kernel's own tables."""

from __future__ import annotations

from pathlib import Path

_LISTEN = "0A"
_UNCONNECTED = "07"


def listening_ports(proc: Path = Path("/proc")) -> frozenset[tuple[str, int]]:
    """(`tcp` or `udp`, port) of every local socket that takes connections or datagrams; empty where unknown. Blocks."""
    found: set[tuple[str, int]] = set()
    for protocol, state in (("tcp", _LISTEN), ("udp", _UNCONNECTED)):
        for table in (protocol, f"{protocol}6"):
            try:
                lines = (proc / "net" / table).read_text().splitlines()[1:]
            except OSError:
                continue
            for line in lines:
                words = line.split()
                if len(words) > 3 and words[3] == state:
                    found.add((protocol, int(words[1].rpartition(":")[2], 16)))
    return frozenset(found)
