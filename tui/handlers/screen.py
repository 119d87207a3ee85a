"""Commands of a VM's screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backends import png
from backends.abilities.screens import Chord, Keyboard, Picture
from backends.base import ActionError
from backends.keyboard import CTRL_ALT_DEL, chords_of
from backends.model import VM, Item
from tui.app import BoxtopApp
from tui.commands.screen import deaf
from tui.confirmations import CANCEL
from tui.formats import size
from tui.handlers.area import Area
from tui.screen_view import ScreenView
from tui.selection import name_of
from tui.whole_file import write_whole
from widgets.confirm import Choice, Confirm
from widgets.picker import Picker, PickItem

if TYPE_CHECKING:
    from widgets.form import Values

_LONG = 200
"""Signs of a text that are said to be under way."""
_CHORDS: Sequence[Chord] = (
    CTRL_ALT_DEL,
    *(("ctrl", "alt", f"f{number}") for number in range(1, 8)),
    *((f"f{number}",) for number in range(1, 13)),
    ("ctrl", "]"),
    ("alt", "tab"),
    ("alt", "f4"),
    ("ctrl", "escape"),
    ("ctrl", "alt", "backspace"),
    ("super",),
    ("menu",),
    ("print",),
    ("insert",),
    ("scroll_lock",),
    ("num_lock",),
    ("caps_lock",),
)
"""What a terminal keeps for itself or cannot send."""


class ScreenArea(Area):
    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(app)
        self._typing: asyncio.Task[None] | None = None

    @property
    def view(self) -> ScreenView:
        view = self.main.views["screen"]
        assert isinstance(view, ScreenView)  # noqa: S101
        return view

    async def open(self, items: Sequence[Item]) -> None:
        vm = items[0]
        if isinstance(vm, VM):
            await self.main.show_view("screen")
            self.view.show(vm)

    # -- looking -----------------------------------------------------------------------------------------------------

    def mode(self) -> None:
        self._say(self.view.toggle_mode())

    def follow(self) -> None:
        self.view.followed.toggle()

    def refresh(self) -> None:
        self.view.followed.look_again()

    def zoom_in(self) -> None:
        self._zoom(1)

    def zoom_out(self) -> None:
        self._zoom(-1)

    def _zoom(self, by: int) -> None:
        if self.view.shows_text:
            key = self.app.keymap.first(self.app.keymap.by_id["screen.mode"]) or "the palette"
            self.main.say(f"Text has one size; {key} shows the picture.")
        self.view.zoom(by)

    def fit(self) -> None:
        self.view.fit()

    def find(self) -> None:
        """At once, not in a task: the next keys are words."""
        self._say(self.view.ask_words())

    def next(self) -> None:
        self._say(self.view.step_match(1))

    def previous(self) -> None:
        self._say(self.view.step_match(-1))

    def _say(self, text: str) -> None:
        if text:
            self.main.say(text)

    def copy(self) -> None:
        text = self.view.followed.text
        if text is None:
            self.main.say("No text was read from this screen: there is nothing to copy.")
            return
        self.app.copy_to_clipboard(text.text)
        count = text.text.count("\n") + 1
        self.main.say(f"Copied {count} line{'s' if count > 1 else ''} (if the terminal takes OSC 52).")

    async def save(self) -> None:
        picture, vm = self.view.followed.picture, self.view.followed.vm
        if picture is None or vm is None:
            self.main.say("There is no picture to save.")
            return
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self.view.followed.taken))
        name = "".join("_" if char in "/\0" else char for char in vm.name).lstrip(".-")[:80] or "vm"
        chosen = await self.app.browse_host("Save the picture", str(Path.home() / f"{name}-{stamp}.png"), kind="save")
        if chosen is None:
            return
        try:
            written = await asyncio.to_thread(_write, Path(chosen), picture)
        except OSError as error:
            self.main.say(f"{chosen} cannot be written: {error.strerror or error}.", "error")
        else:
            self.main.say(f"Saved {picture.width}x{picture.height} pixels ({size(written)}) to {chosen}.")

    # -- typing ------------------------------------------------------------------------------------------------------

    def _typist(self) -> tuple[VM, Keyboard] | None:
        """The VM shown and its keyboard; None when it cannot be typed into, after saying why."""
        vm = self.view.followed.vm
        reason = "the VM is gone" if vm is None else self.app.store.rights.barred.get(vm.ref.engine) or deaf(vm)
        if vm is None or reason:
            self.main.say(f"Nothing is typed: {reason}.", "warn")
            return None
        try:
            return vm, self.able(vm.ref.engine, Keyboard)
        except ActionError as error:
            self.main.say(f"Nothing is typed: {error}.", "warn")
            return None

    def typing(self) -> None:
        """At once, not in a task: the next key must not be a command any more."""
        found = self._typist()
        if found is None or self.view.typing.active:
            return
        vm, keyboard = found
        view = self.view
        view.followed.held = False
        view.lines.focus()
        view.typing.begin()
        self._typing = asyncio.create_task(self._type_into(view, vm, keyboard), name="typing")

    async def _type_into(self, view: ScreenView, vm: VM, keyboard: Keyboard) -> None:
        reason = await self.app.noted("type into", vm, view.typing.run(keyboard, vm.ref, view.followed.look_again))
        if reason is not None:
            self.main.say(f"Typing into {vm.name} ended: {reason}", "error")

    def stop_typing(self) -> None:
        self.view.typing.end()

    async def write(self) -> None:
        if found := self._typist():
            await self._type(*found)

    async def type_text(self, items: Sequence[Item]) -> None:
        await self._type(items[0], self.able(items[0].ref.engine, Keyboard))

    async def _type(self, item: Item, keyboard: Keyboard) -> None:
        from widgets.form import Form, LinesField, ToggleField

        fields = (
            LinesField("text", "Text", help="line by line, without blanks at their ends; Enter after each line"),
            ToggleField("enter", "Enter at the end", value=True),
        )
        title = f"Type a text into {name_of(item)}"
        values = await self.ask(Form(title, fields, submit="Type", check=_wrong_in, glyphs=self.glyphs))
        if values is None:
            return
        text = _text_of(values)
        if len(text) > _LONG:
            self.main.say(f"Typing {len(text):,} signs into {name_of(item)} ...")
        await self._press(item, keyboard, chords_of(text), "type a text into", f"Typed {len(text):,} signs")

    async def ctrl_alt_del(self, items: Sequence[Item]) -> None:
        await self._ctrl_alt_del(items[0], self.able(items[0].ref.engine, Keyboard))

    async def _ctrl_alt_del(self, item: Item, keyboard: Keyboard) -> None:
        dialog = Confirm(
            f"Press Ctrl-Alt-Del in {name_of(item)}?",
            [
                ("A Linux console and firmware restart at once: unsaved data is lost.", "warn"),
                ("Windows shows its log-in.", ""),
            ],
            choices=(Choice(CANCEL, "Cancel"), Choice("press", "Press", tone="warn")),
            safe=CANCEL,
            glyphs=self.glyphs,
        )
        answer = await self.ask(dialog)
        if answer is not None and answer.choice == "press":
            await self._press(item, keyboard, [CTRL_ALT_DEL], "press Ctrl-Alt-Del in", "Pressed Ctrl-Alt-Del")

    async def keys(self) -> None:
        found = self._typist()
        if found is None:
            return
        entries = [PickItem("+".join(chord), _named(chord)) for chord in _CHORDS]
        chosen = await self.ask(Picker(f"Press in {found[0].name}", entries, glyphs=self.glyphs))
        if chosen is None:
            return
        chord = tuple(chosen.split("+"))
        if chord == CTRL_ALT_DEL:
            await self._ctrl_alt_del(*found)
        else:
            await self._press(*found, [chord], f"press {_named(chord)} in", f"Pressed {_named(chord)}")

    async def _press(self, item: Item, keyboard: Keyboard, chords: Sequence[Chord], verb: str, done: str) -> None:
        reason = await self.app.noted(verb, item, keyboard.press(item.ref, chords))
        if reason is not None:
            self.main.warnings.of(item.ref, f"{verb} {name_of(item)}: {reason}")
            return
        self.main.say(f"{done} in {name_of(item)}.")
        if self.main.view == "screen":
            self.view.followed.look_again()


def _named(chord: Chord) -> str:
    """As a person writes it: Ctrl-Alt-F2."""
    names = {"delete": "Del", "escape": "Esc", "scroll_lock": "Scroll Lock", "num_lock": "Num Lock",
             "caps_lock": "Caps Lock", "print": "Print Screen", "super": "Super (Windows)"}  # fmt: skip
    return "-".join(names.get(key, key.capitalize()) for key in chord)


def _text_of(values: Values) -> str:
    lines = values["text"]
    text = "\n".join(lines) if isinstance(lines, tuple) else ""
    return text + ("\n" if values["enter"] else "")


def _wrong_in(values: Values) -> Mapping[str, str]:
    if not values["text"]:
        return {"text": "type what is to be typed"}
    try:
        chords_of(_text_of(values))
    except ActionError as error:
        return {"text": str(error).removesuffix(": nothing was typed")}
    return {}


def _write(path: Path, picture: Picture) -> int:
    """Bytes written. Raises OSError."""
    return write_whole(path, (png.encode(picture),))
