"""Screens and keyboards of real VMs: a guest in a boot sector shows a text, then what is typed."""

from __future__ import annotations

import asyncio
import time

import pytest

from backends.abilities.screens import Keyboard, Screens
from backends.base import ActionError, Backend, EngineSettings
from backends.keyboard import CTRL_ALT_DEL, chords_of
from backends.libvirt.backend import LibvirtBackend
from backends.model import Kind, Ref
from backends.screen_text import Reader
from backends.virtualbox.backend import VirtualBoxBackend
from tests.engines.guests import GREETING
from tests.engines.libvirt_engine import PrivateLibvirt
from tests.engines.virtualbox_engine import PrivateVirtualBox

SHOWN = GREETING.encode("latin-1").decode("cp437")
TYPED = "Ls -l /etc | grep 'a b' > ~/x_$1; echo \"{[(<%^&*>)]}\" !@#+=`?:,.\\"
_KEPT = 10
VIDEO = '<video><model type="vga"/></video>'


class Seen:
    """A VM's screen as boxtop has it."""

    def __init__(self, backend: Backend, ref: Ref) -> None:
        screens, keyboard = backend.ability(Screens), backend.ability(Keyboard)
        assert screens is not None and keyboard is not None
        self.screens, self.keyboard, self.ref = screens, keyboard, ref
        self._reader = Reader()

    async def text(self) -> str:
        text = self._reader.read(await self.screens.picture(self.ref))
        return text.text if text is not None and text.confidence == 1.0 else ""

    async def wait(self, text: str, seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                shown = await self.text()
            except ActionError as error:
                # a VM that has just started may have no picture yet
                shown = f"({error})"
            if shown == text:
                return
            assert time.monotonic() < deadline, f"it shows {shown!r}, not {text!r}"
            await asyncio.sleep(0.1)

    async def typed(self, text: str) -> None:
        """Type it, and see it appear before there is more than firmware keeps: this guest is interpreted, and slow."""
        while not (shown := await self.text()):
            # a picture taken amid a change cannot be read
            await asyncio.sleep(0.1)
        shown += " " if shown.endswith(">") else ""
        for start in range(0, len(text), _KEPT):
            piece = text[start : start + _KEPT]
            await self.keyboard.press(self.ref, chords_of(piece))
            shown += piece
            await self.wait(shown.rstrip())


async def prove(seen: Seen) -> None:
    """The text is read exactly, what is typed appears, and Ctrl-Alt-Del starts the guest anew."""
    await seen.wait(f"{SHOWN}\n>")
    picture = await seen.screens.picture(seen.ref)
    assert (picture.width, picture.height, len(picture.rgb)) == (720, 400, 720 * 400 * 3)
    assert len(set(picture.rgb)) > 1
    await seen.typed(f"{TYPED}\nnext")
    # read once more, as another picture may be taken amid the cursor's blinking
    await seen.wait(f"{SHOWN}\n> {TYPED}\nnext")
    await seen.keyboard.press(seen.ref, [CTRL_ALT_DEL])
    await seen.wait(f"{SHOWN}\n>")
    with pytest.raises(ActionError, match="no key called 'hyper'"):
        await seen.keyboard.press(seen.ref, [("hyper", "a")])


@pytest.mark.virtualbox
async def test_a_screen_of_virtualbox_is_read_and_typed_into(
    virtualbox: PrivateVirtualBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in virtualbox.environment().items():
        monkeypatch.setenv(name, value)
    machine = virtualbox.create('-a guest\'s "screen"', guest="echoes")
    ref = Ref("virtualbox", Kind.VM, machine)
    backend = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    try:
        assert (await backend.connect()).notes == ()
        seen = Seen(backend, ref)
        with pytest.raises(ActionError, match="is not running"):
            await seen.screens.picture(ref)
        with pytest.raises(ActionError, match="is not running"):
            await seen.keyboard.press(ref, [("x",)])
        virtualbox.manage("startvm", machine, "--type=headless")
        await prove(seen)
        virtualbox.manage("controlvm", machine, "pause")
        await seen.wait(f"{SHOWN}\n>")
        virtualbox.manage("controlvm", machine, "resume")
    finally:
        await backend.close()
    monkeypatch.setenv("BOXTOP_VIRTUALBOX_PYTHON", "/bin/false")
    backend = VirtualBoxBackend("virtualbox", "virtualbox://", EngineSettings())
    try:
        assert any("VBoxManage stands in" in note for note in (await backend.connect()).notes)
        seen = Seen(backend, ref)
        await seen.typed("by VBoxManage")
        virtualbox.manage("controlvm", machine, "poweroff")
        virtualbox.wait_state(machine, "poweroff")
        with pytest.raises(ActionError, match="not currently running"):
            await seen.screens.picture(ref)
        assert virtualbox.state(machine) == "poweroff"
    finally:
        await backend.close()


@pytest.mark.libvirt
async def test_a_screen_of_libvirt_is_read_and_typed_into(libvirt: PrivateLibvirt) -> None:
    shown = libvirt.define("a guest's -screen", "echoes", start=True, extra=VIDEO)
    blind = libvirt.define("blind", "ignores", start=True)
    off = libvirt.define("off", extra=VIDEO)
    backend = LibvirtBackend("libvirt", libvirt.url)
    try:
        await backend.connect()
        await prove(Seen(backend, Ref("libvirt", Kind.VM, shown)))
        with pytest.raises(ActionError, match="no video device is defined for it"):
            await Seen(backend, Ref("libvirt", Kind.VM, blind)).text()
        with pytest.raises(ActionError, match="not running"):
            await Seen(backend, Ref("libvirt", Kind.VM, off)).text()
        libvirt.virsh("destroy", shown)
        with pytest.raises(ActionError, match="not running"):
            await Seen(backend, Ref("libvirt", Kind.VM, shown)).keyboard.press(Ref("libvirt", Kind.VM, shown), [("x",)])
    finally:
        await backend.close()


@pytest.mark.libvirt
async def test_the_test_drivers_picture_is_one(libvirt: PrivateLibvirt) -> None:
    backend = LibvirtBackend("libvirt", "test:///default")
    try:
        await backend.connect()
        (vm,) = (await backend.list_all()).vms
        seen = Seen(backend, vm.ref)
        picture = await seen.screens.picture(vm.ref)
        assert picture.width and len(picture.rgb) == picture.width * picture.height * 3
        assert await seen.text() == ""
    finally:
        await backend.close()
