"""Guests that fit in a boot sector, for every virtualization engine."""

from __future__ import annotations

GREETING = "boxtop guest: 0123456789 abc XYZ ~!@#$%^&*()_+{}|:<>?[]\\;',./`-= \xb3\xc4"
# Sets text mode 3, prints the greeting by int 10h, then shows each key that int 16h has and a new line for Enter
ECHOES = (
    bytes.fromhex(
        "b80300 cd10 31c0 8ed8 fc be327c ac 84c0 7408 b40e 31db cd10 ebf3 31c0 cd16 84c0 74f8 b40e cd10 3c0d 75f0"
        "b00a b40e cd10 ebe8"
    )
    + GREETING.encode("latin-1")
    + b"\r\n> \0"
)
