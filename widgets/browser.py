"""A modal browser of folders and files, fed by a coroutine that lists a folder: of this host, of a container."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from widgets.browser_parts import BrowseAction, BrowseError, Find, Hidden, is_path
from widgets.controls import Push
from widgets.dialog import Dialog
from widgets.entries import Entry, EntryList, Listing, order
from widgets.glyphs import BRAILLE, Glyphs
from widgets.line import Line, Part
from widgets.prompt import Prompt
from widgets.tones import Tone

__all__ = ["BrowseAction", "BrowseError", "Browser", "Mode"]

Mode = Literal["file", "folder", "any", "save", "look"]
_CHOOSE = "choose"
_LABELS: dict[Mode, str] = {
    "file": "Choose",
    "folder": "Choose this folder",
    "any": "Choose",
    "save": "Save",
    "look": "",
}


class Browser(Dialog[str | None]):
    """Dismissed with the chosen path, or None on Esc.

    Modes: choose a `file`, a `folder` or `any` of both, a path to `save` to; or only `look` around.
    `listing` is awaited with an absolute path and raises BrowseError. `facts` gives an entry's size and time as texts;
    `label` makes a path safe to draw. `act` is called with an action's id, the folder, and the entry under the cursor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="browser.cancel", show=False, priority=True),
        Binding("down,ctrl+n", "move(1)", "Down", id="browser.down", show=False),
        Binding("up,ctrl+p", "move(-1)", "Up", id="browser.up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="browser.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="browser.page_up", show=False),
        Binding("ctrl+t", "toggle_hidden", "Hidden files", id="browser.hidden", show=False),
        Binding("ctrl+l", "focus_path", "Path", id="browser.path", show=False),
        Binding("f5", "reload", "List again", id="browser.reload", show=False),
        Binding("ctrl+s", "choose_here", "Choose", id="browser.choose", show=False),
    ]

    DEFAULT_CSS = """
    Browser { align: center middle; }
    Browser > Vertical {
        width: 100; max-width: 96%; height: 90%;
        border: round $border; background: $surface; padding: 0 1;
    }
    Browser LineView { background: $surface; }
    Browser Line { width: 100%; }
    Browser Input { width: 1fr; border: none; padding: 0; height: 1; background: $panel; }
    Browser Horizontal { height: 1; }
    Browser Horizontal > Line { width: 6; }
    Browser #browser-buttons > Toggle { width: 1fr; }
    Browser #browser-buttons > Push { margin-left: 2; }
    """

    def __init__(
        self,
        title: str,
        start: str,
        listing: Callable[[str], Awaitable[Listing]],
        *,
        mode: Mode = "file",
        home: str = "",
        facts: Callable[[Entry], tuple[str, str]] = lambda _: ("", ""),
        label: Callable[[str], str] = str,
        actions: Sequence[BrowseAction] = (),
        act: Callable[[str, str, Entry | None], None] | None = None,
        glyphs: Glyphs = BRAILLE,
    ) -> None:
        super().__init__()
        self._title = title
        self._listing = listing
        self._mode: Mode = mode
        self._home = home
        self._facts = facts
        self._label = label
        self._actions = tuple(actions)
        self._act = act
        self._glyphs = glyphs
        start = posixpath.normpath(start or "/")
        self._file_name = posixpath.basename(start) if mode == "save" else ""
        self.folder = posixpath.dirname(start) if mode == "save" else start
        """The folder shown, absolute, as the place browsed calls it."""
        self._heading = self.folder
        """The folder last asked for, perhaps still on its way."""
        self._path_shown = ""
        self._shows_path = ""
        self._path_before = ""
        """What the path field held when a folder was asked for: another text was typed since, and stays."""
        self._said: tuple[str, Tone] = ("", "")
        self._asking: asyncio.Task[None] | None = None
        self._enter_due = False
        self._ended = False
        self._entries = EntryList(facts, glyphs=glyphs)
        self._path = Prompt(id="browser-path", compact=True, select_on_focus=False)
        self._find = Find(id="browser-find", compact=True, placeholder="type to find; / types a path")
        self._hidden = Hidden("hidden files ^T", False, glyphs=glyphs)

    def compose(self) -> ComposeResult:
        glyphs = self._glyphs
        with Vertical():
            yield Line(id="browser-title", glyphs=glyphs)
            with Horizontal():
                yield Line(id="browser-path-label", glyphs=glyphs)
                yield self._path
            with Horizontal():
                yield Line(id="browser-find-label", glyphs=glyphs)
                yield self._find
            yield self._entries
            yield Line(id="browser-said", glyphs=glyphs)
            with Horizontal(id="browser-buttons"):
                yield self._hidden
                for action in self._actions:
                    yield Push(f"{action.label} {action.shown}", id=f"browser-{action.id}", glyphs=glyphs)
                if _LABELS[self._mode]:
                    yield Push(f"{_LABELS[self._mode]} ^S", id=f"browser-{_CHOOSE}", glyphs=glyphs)

    def on_mount(self) -> None:
        self._path.cursor_blink = self._find.cursor_blink = False
        # The cursor of the list moves whatever has the keyboard
        for lines in (*self.query(Line), self._entries):
            lines.can_focus = False
        self.query_one("#browser-path-label", Line).set_parts([Part("Path", "dim")])
        self._name_find()
        self._entries.choose_folder = self._mode in {"folder", "any"}
        self._entries.files_dim = self._mode == "folder"
        for action in self._actions:
            self._bindings.bind(action.key, f"act('{action.id}')", action.label, show=False)
        self.set_focus(self._path if self._mode == "save" else self._find)
        self._show_path()
        self.go(self.folder)

    def on_unmount(self) -> None:
        if self._asking:
            self._asking.cancel()

    def say(self, text: str, tone: Tone = "info") -> None:
        """A line below the list, until another folder is opened."""
        self._said = (text, tone)
        if self.is_mounted:
            self.query_one("#browser-said", Line).set_parts([Part(text, tone)])

    def go(self, path: str, onto: str = "") -> None:
        """Open a folder, with the cursor on the entry named `onto`."""
        self._forget_typed()
        self._heading = path
        self._ask(partial(self._open, path, onto))

    def action_reload(self, then: tuple[str, Tone] = ("", "")) -> None:
        """List the folder again, the cursor where it is; `then` is said once it is there."""
        current = self._entries.current
        self._ask(partial(self._open, self.folder, current.name if current else "", then))

    # -- what is listed ----------------------------------------------------------------------------------------

    def _ask(self, work: Callable[[], Awaitable[None]]) -> None:
        """List something; what is typed meanwhile is for what comes, an Enter too."""

        async def asked() -> None:
            try:
                await work()
            except BrowseError as error:
                due, self._enter_due = False, False
                self.say(str(error), "error")
                self._find.stay_open()
            else:
                due, self._enter_due = self._enter_due, False
            if due:
                self._asking = None
                self._choose(self._entries.current)
                self._find.stay_open()

        if self._asking:
            self._asking.cancel()
        self._enter_due = False
        self._path_before = self._path.value
        self.say("listing " + self._glyphs.ellipsis, "dim")
        self._asking = asyncio.create_task(asked(), name="browse")

    async def _open(self, path: str, onto: str, then: tuple[str, Tone] = ("", "")) -> None:
        await self._take(await self._listing(path), onto)
        if then[0]:
            self.say(*then)

    async def _take(self, found: Listing, onto: str = "") -> None:
        # Ordering 50,000 names takes longer than a key may wait
        rows = await asyncio.to_thread(order, found.entries)
        self.folder = found.path
        self._entries.set_rows(rows, "" if is_path(self._find.value) else self._find.value, onto)
        self._count()
        if self._path.value == self._path_before:
            self._show_path()
        self.say(found.note, "warn" if found.note else "")

    @property
    def _busy(self) -> bool:
        """Whether another folder is on its way, so that what is shown is not what is meant."""
        return self._asking is not None and not self._asking.done()

    def _forget_typed(self) -> None:
        if self._find.value:
            with self.prevent(Input.Changed):
                self._find.value = ""
            self._entries.set_filter("")

    def _show_path(self) -> None:
        shown = posixpath.join(self.folder, self._file_name) if self._mode == "save" else self.folder
        self._path_shown, self._shows_path = self._label(shown), shown
        self._path.value = self._path_shown
        self._path.cursor_position = len(self._path_shown)

    def _count(self) -> None:
        shown, total = self._entries.counts
        text = f"{shown:,}" if shown == total else f"{shown:,} of {total:,}"
        self.query_one("#browser-title", Line).set_parts([Part(self._title, "strong")], [Part(text, "dim", priority=1)])

    @on(Input.Changed, "#browser-find")
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self._entries.set_filter("" if is_path(event.value) else event.value)
        self._count()
        self._name_find()

    def _name_find(self) -> None:
        name = "Go to" if is_path(self._find.value) else "Find"
        self.query_one("#browser-find-label", Line).set_parts([Part(name, "dim")])

    # -- choosing ----------------------------------------------------------------------------------------------

    @on(Input.Submitted, "#browser-find")
    @on(EntryList.Chosen)
    def _chosen(self, event: Message) -> None:
        event.stop()
        if isinstance(event, Input.Submitted) and is_path(event.value):
            self._go_to(event.value)
        else:
            self.action_choose()
        if self._enter_due:
            self._find.wait_for_owner(None)
        else:
            self._find.stay_open()

    def _choose(self, entry: Entry | None) -> None:
        if entry is None:
            return
        path = posixpath.join(self.folder, entry.name)
        if entry.name == ".":
            self._end(self.folder)
        elif entry.opens:
            self._open_entry(entry)
        elif self._mode in {"file", "any"}:
            self._end(path)
        elif self._mode == "save":
            self._file_name = entry.name
            self._show_path()
            self.set_focus(self._path)
        elif self._mode == "folder":
            self.say("a folder is asked for", "warn")

    def _open_entry(self, entry: Entry) -> None:
        self.go(posixpath.join(self.folder, entry.name))
        if self.focused is not self._path:
            self.set_focus(self._find)

    @on(Find.Up)
    def _up(self, event: Message) -> None:
        event.stop()
        above, name = posixpath.split(self._heading if self._busy else self.folder)
        if name.startswith(".") and not self._hidden.value:
            self._hidden.action_activate()
        if name:
            self.go(above, name)
        self._find.stay_open()

    @on(Find.In)
    def _in(self, event: Message) -> None:
        event.stop()
        entry = self._entries.current
        if not self._busy and entry is not None and entry.opens and entry.name != ".":
            self._open_entry(entry)
        self._find.stay_open()

    @on(Input.Submitted, "#browser-path")
    def _submit_path(self, event: Input.Submitted) -> None:
        event.stop()
        self._go_to(event.value)
        self._path.stay_open()

    def _go_to(self, typed: str) -> None:
        """Do what a typed path asks for; what is typed meanwhile is for what comes."""

        async def go() -> None:
            try:
                await self._follow(typed)
            except BrowseError:
                if not self._find.value:
                    self.set_focus(self._path)
                raise

        self._forget_typed()
        if self._path.value != typed:
            self._path.value = typed
        if self._mode != "save":
            self.set_focus(self._find)
        self._ask(go)

    async def _follow(self, text: str) -> None:
        """Do what a typed path asks for: open a folder, choose a file, or a name that is to be made."""
        path = self._shows_path if text == self._path_shown else text
        if self._home and (path == "~" or path.startswith("~/")):
            path = self._home + path[1:]
        absolute = "/" + posixpath.normpath(posixpath.join(self.folder, path)).lstrip("/")
        try:
            found = await self._listing(absolute)
        except BrowseError as error:
            await self._follow_name(absolute, error, folder_meant=path.endswith("/"))
            return
        await self._take(found)

    async def _follow_name(self, path: str, error: BrowseError, *, folder_meant: bool) -> None:
        """It is no folder that can be listed: perhaps a file, or in a folder that is there."""
        parent, name = posixpath.split(path)
        if folder_meant or self._mode in {"folder", "look"} or not name:
            raise error
        around = await self._listing(parent)
        there = any(entry.name == name and not entry.opens for entry in around.entries)
        if there or self._mode == "save":
            self._end(posixpath.join(around.path, name))
            return
        raise error

    @on(Push.Pressed)
    def _pressed(self, event: Push.Pressed) -> None:
        event.stop()
        name = (event.push.id or "").removeprefix("browser-")
        if name == _CHOOSE:
            self.action_choose_here()
        else:
            self.action_act(name)

    def action_choose(self) -> None:
        """Take the entry under the cursor, as soon as the folder is listed."""
        if self._busy:
            self._enter_due = True
        else:
            self._choose(self._entries.current)

    def action_choose_here(self) -> None:
        """What the button says (this folder, the path to save to, the entry under the cursor), or what was typed."""
        if is_path(self._find.value):
            self._go_to(self._find.value)
        elif self.focused is self._path and self._mode != "folder":
            self._go_to(self._path.value)
        elif self._mode == "save":
            self._ask(partial(self._follow, self._path.value))
        elif self._mode == "folder" and not self._busy:
            self._end(self.folder)
        elif self._mode not in {"folder", "look"}:
            self.action_choose()

    def action_act(self, name: str) -> None:
        if self._act is not None and not self._busy:
            self._act(name, self.folder, self._entries.current)

    def action_move(self, lines: int) -> None:
        self._entries.action_move(lines)

    def action_page(self, pages: int) -> None:
        self._entries.action_page(pages)

    def action_toggle_hidden(self) -> None:
        self._hidden.action_activate()

    @on(Hidden.Changed)
    def _hidden_toggled(self, event: Hidden.Changed) -> None:
        event.stop()
        self._entries.set_hidden(self._hidden.value)
        self._count()

    def action_focus_path(self) -> None:
        self.set_focus(self._path)
        self._path.select_all()

    def action_cancel(self) -> None:
        self._end(None)

    def _end(self, path: str | None) -> None:
        """Answer once: keys that come while the browser closes mean nothing any more."""
        if not self._ended:
            self._ended = True
            self.dismiss(path)
