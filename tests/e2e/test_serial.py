"""A VM's serial port on the real terminal: joined, left, closed by a power-off; the screen that comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.terminal import Boxtop
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.test_serial import DISK

READY = "Ctrl-] returns"
BACK = ("? help", "e serial console")


def wait_back(app: Boxtop, text: str) -> None:
    app.wait_text(*BACK, text)
    app.wait_gone(READY)
    modes = app.modes()
    assert (modes[1049], modes[1000], modes[25], modes[7]) == (True, True, False, False)


@pytest.mark.libvirt
def test_a_serial_port_is_joined_left_and_lost(tmp_path: Path, libvirt: PrivateLibvirt) -> None:
    uuid = libvirt.define("talks")
    libvirt.disk(uuid).write_bytes(DISK)
    with Boxtop(tmp_path, "--host", libvirt.url) as app:
        app.wait_row("talks", "off")
        app.press("2", "e")
        app.wait_text("It has no serial port.", "a serial port as a pty")
        app.press("Tab", "Enter")
        app.wait_text("talks has a serial port from its next start on.")
        app.press("s")
        app.wait_row("talks", "up ")
        app.press("e")
        app.wait_text(READY)
        app.press("hello-there")
        app.wait_text("hello-there")
        app.press("\x1d")
        wait_back(app, "Left the serial port of talks")
        app.press("e")
        app.wait_text(READY)
        libvirt.virsh("destroy", uuid)
        wait_back(app, "The serial port of talks was closed")
        app.wait_row("talks", "off")
        app.press("l")
        app.wait_text("Engine's log", "shutting down", "following")
        app.press("q")
