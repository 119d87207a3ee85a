"""A VM's screen: its picture or the text read from it, followed about once a second, and typed into."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Input

from backends.model import VM, State
from backends.screen_text import ScreenText
from tui.commands import BY_ID, Here
from tui.commands.screen import PLACE, STOP_TYPING, dark
from tui.formats import duration
from tui.keymap import key_text
from tui.screen_text_lines import Match, find, inked_lines
from tui.screen_typing import Typing
from tui.screen_watch import ScreenWatch
from tui.screen_window import ScreenWindow
from tui.store import Delta
from tui.view import View
from widgets.color_lines import ColorLines
from widgets.glyphs import Glyphs
from widgets.half_blocks import Drawing, Inked, drawn
from widgets.line import Line, Part
from widgets.prompt import Prompt
from widgets.text import fit, width_of
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

log = logging.getLogger(__name__)

_ALWAYS_OUT = "ctrl+right_square_bracket"
_NO_TEXT = "No text was read from this screen: it shows graphics, or a font that is not known here."


class ScreenLines(ColorLines):
    """Hands every key on while its view types."""

    def __init__(self, view: ScreenView, glyphs: Glyphs) -> None:
        super().__init__(id="vm-screen", glyphs=glyphs)
        self._view = view

    def on_key(self, event: events.Key) -> None:
        if self._view.takes_keys:
            event.stop()
            event.prevent_default()
            self._view.take_key(event)

    def on_paste(self, event: events.Paste) -> None:
        if self._view.takes_keys:
            event.stop()
            self._view.typing.paste(event.text)

    def on_blur(self) -> None:
        if self.app.app_focus:  # not only the terminal's window went behind another
            self._view.typing.end()


class ScreenView(View):
    place = PLACE

    DEFAULT_CSS = """
    ScreenView > Line { background: $surface; }
    ScreenView.-typing > Line { background: $warning-muted; }
    ScreenView > Input { height: 1; border: none; padding: 0 1; }
    """

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(id="screen-view")
        self._boxtop = app
        self._glyphs = app.look().glyphs
        self._title = Line(glyphs=self._glyphs)
        self.lines = ScreenLines(self, self._glyphs)
        self.entry = Prompt(id="screen-search", placeholder="search the text; Enter, then n and N")
        self.entry.cursor_blink = False
        self.entry.display = False
        self.followed = ScreenWatch(app, self._changed, self._draw_title)
        self.typing = Typing(self._typing_changed)
        self.window = ScreenWindow()
        self.as_picture = False
        """The user wants the picture also where text was read."""
        self.words = ""
        self._shown = ""
        self._matches: tuple[Match, ...] = ()
        self._match = 0
        self._due = asyncio.Event()
        self._painting: asyncio.Task[None] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.lines
        yield self.entry

    @property
    def here(self) -> Here:
        vm, ref = self.followed.vm, self.followed.ref
        return Here(vm, ref.engine if ref else "")

    def focus_content(self) -> None:
        self.lines.focus()

    def show(self, vm: VM) -> None:
        """Show this VM's screen from now on."""
        if vm.ref != self.followed.ref:
            self.typing.end()
            self.window.reset()
            self.words, self._matches = "", ()
        self._shown = vm.name
        self.followed.show(vm.ref)
        self.draw()
        self.post_message(self.Changed())

    def draw(self) -> None:
        if self._painting is None:
            self._painting = asyncio.create_task(self._paint(), name="screen painting")
            self._timer = self.set_interval(1.0, self._draw_title)
        self.followed.start()
        self._due.set()
        self._draw_title()

    def left(self) -> None:
        self.typing.end()
        self.followed.stop()
        if self._painting is not None:
            self._painting.cancel()
            self._painting = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def apply(self, delta: Delta) -> None:
        if self.typing.active and (reason := self._unfit()):
            self.typing.end()
            self._boxtop.main.say(f"Typing into {self._called} ended: {reason}.", "warn")
        if delta.engines or (self.followed.ref in delta.refs and not delta.usage):
            self.followed.changed()
            self._due.set()
            self.post_message(self.Changed())

    # -- drawing -----------------------------------------------------------------------------------------------------

    @property
    def shows_text(self) -> bool:
        return self.followed.text is not None and not self.as_picture

    @property
    def _called(self) -> str:
        """Of the VM, also when it is gone."""
        vm = self.followed.vm
        return vm.name if vm else self._shown

    @property
    def _lost(self) -> bool:
        """Whether the VM's engine does not answer."""
        ref = self.followed.ref
        return ref is not None and ref.engine in self._boxtop.store.rights.lost

    def _unfit(self) -> str | None:
        """Why it cannot be typed into any more; what it goes through on its way elsewhere is no reason."""
        vm = self.followed.vm
        if vm is None:
            return "it is gone"
        if self._lost:
            return f"{vm.ref.engine} does not answer"
        return f"it is {vm.state}" if dark(vm) or vm.state is State.PAUSED else None

    def _changed(self) -> None:
        self._search()
        self._due.set()

    async def _paint(self) -> None:
        """Draw whenever something changed; pictures are scaled in a thread."""
        while True:
            await self._due.wait()
            self._due.clear()
            self.window.size = self.lines.size
            watch = self.followed
            if message := self._message():
                self.lines.set_message([("", ""), (message, "dim")])
            elif self.shows_text and watch.text is not None:
                self.lines.set_lines(self._text_lines(watch.text))
            elif watch.scaler is not None:
                window, color = self.window.of_picture, not self.app.no_color
                try:
                    lines = await asyncio.to_thread(
                        drawn, watch.scaler, window, self._drawing, self._glyphs, color=color
                    )
                except Exception:
                    log.exception("a VM's screen cannot be drawn")
                    continue
                self.lines.set_lines(lines)
            self._draw_title()

    def _message(self) -> str:
        """What stands in the place of a picture when there is none."""
        vm = self.followed.vm
        if vm is None:
            return f"{self._called} is gone. Esc goes back."
        if reason := dark(vm):
            return f"{reason}. Once it runs, its screen is shown here."
        if self.followed.picture is None:
            reason = self.followed.failure
            return f"{vm.name} is {vm.state}. There is no picture of its screen: {reason}." if reason else "Looking ..."
        return ""

    @property
    def _drawing(self) -> Drawing:
        if self._glyphs.dots == "ascii":
            return "shades"
        if self.app.no_color:
            return "braille" if self._glyphs.dots == "braille" else "shades"
        return "half"

    def _text_lines(self, text: ScreenText) -> Sequence[Sequence[Inked]]:
        current = self._matches[self._match] if self._matches else None
        return inked_lines(text, self._matches, current, self.window.text_left, self.window.text_top(text))

    def _draw_title(self) -> None:
        if not self.is_attached:
            return
        watch, vm = self.followed, self.followed.vm
        before = [Part(" TYPING into", "warn")] if self.typing.active else []
        after = []
        if watch.picture is not None:
            after.append(Part(f"  {watch.picture.width}x{watch.picture.height}", "dim", priority=4))
            after.append(Part(f"  {self._mode()}", "accent", priority=3))
        word, tone = self._state()
        after.append(Part(f"  {word}", tone, priority=1))
        if watch.picture is not None:
            if word in ("live", "held"):
                after.append(Part(f" {self._age()}", "dim", priority=2))
            if reason := watch.failure or (f"{vm.ref.engine} does not answer" if vm and self._lost else ""):
                after.append(Part(f"  {fit(reason, min(len(reason), 56), ellipsis=self._glyphs.ellipsis)}", "error"))
        aside = self._aside()
        name = self._called
        taken = sum(width_of(part.text) for part in (*before, *after, *aside)) + 2
        room = max(12, self.size.width // 4, self.size.width - taken)
        short = fit(name, min(width_of(name), room), ellipsis=self._glyphs.ellipsis).rstrip()
        self._title.set_parts([*before, Part(f" {short}", "strong"), *after], aside)

    def _state(self) -> tuple[str, Tone]:
        """In a word, what the picture is to the screen as it is now."""
        watch, vm = self.followed, self.followed.vm
        if vm is None:
            return "gone", "warn"
        if dark(vm):
            return str(vm.state), "warn"
        if watch.held:
            return "held", "warn"
        if watch.failure or self._lost:
            return ("no picture" if watch.picture is None else f"last picture {self._age()}"), "warn"
        return ("paused", "warn") if vm.state is State.PAUSED else ("live", "ok")

    def _mode(self) -> str:
        text, scaler = self.followed.text, self.followed.scaler
        if self.shows_text and text is not None:
            return f"text {text.columns}x{text.rows}"
        return f"picture {round(100 * scaler.scale_of(self.window.of_picture))}%" if scaler else "picture"

    def _age(self) -> str:
        seconds = max(0.0, self._boxtop.look().now - self.followed.taken)
        return "now" if seconds < 2 else f"{duration(seconds)} ago"

    def _aside(self) -> list[Part]:
        """What else is to be said, at the right."""
        if self.typing.active:
            refused = [Part(f"{self.typing.refused}  ", "error")] if self.typing.refused else []
            return [*refused, Part(f"{' or '.join(map(key_text, self.ways_out))} leaves ", "strong")]
        if self.words:
            place = f"{self._match + 1} of {len(self._matches)}" if self._matches else "no match"
            return [Part(f"/{self.words}  {place} ", "info" if self._matches else "warn", priority=2)]
        if self.followed.text is not None and self.as_picture:
            key = self._boxtop.keymap.first(BY_ID["screen.mode"])
            return [Part(f"{key} shows the text " if key else "text was read ", "info", priority=5)]
        return []

    # -- what its commands do ----------------------------------------------------------------------------------------

    def toggle_mode(self) -> str:
        """Between picture and text; what to say when there is no text."""
        if self.followed.text is None:
            return _NO_TEXT
        self.as_picture = not self.as_picture
        self._due.set()
        return ""

    def zoom(self, by: int) -> None:
        if self.followed.scaler is not None and not self.shows_text:
            self.window.zoom(self.followed.scaler, by)
            self._due.set()

    def fit(self) -> None:
        self.window.fit()
        self._due.set()

    @on(ColorLines.Panned)
    def _panned(self, event: ColorLines.Panned) -> None:
        event.stop()
        text, scaler = self.followed.text, self.followed.scaler
        if self.shows_text and text is not None:
            self.window.pan_text(text, event.across, event.down, far=event.far)
        elif scaler is not None:
            self.window.pan(scaler, event.across, event.down, far=event.far)
        self._due.set()

    @on(ColorLines.Resized)
    def _resized(self, event: ColorLines.Resized) -> None:
        event.stop()
        self.window.size = self.lines.size
        if self.followed.scaler is not None:
            self.window.bound(self.followed.scaler)
        self._due.set()

    # -- search ------------------------------------------------------------------------------------------------------

    def ask_words(self) -> str:
        """Type what to search; what to say when there is nothing to search in."""
        if self.followed.text is None:
            return _NO_TEXT
        self.as_picture = False
        self.entry.display = True
        self.entry.value = self.words
        self.screen.set_focus(self.entry)
        self._due.set()
        return ""

    def back(self) -> bool:
        if self.words or self.entry.display:
            self._end_entry()
            self._set_words("")
            return True
        return False

    def step_match(self, by: int) -> str:
        if not self._matches:
            return f"No match of {self.words}." if self.words else "Nothing is searched for: press / first."
        self._match = (self._match + by) % len(self._matches)
        self._reveal()
        return ""

    def _set_words(self, words: str) -> None:
        self.words, self._match = words, 0
        self._search()
        self._reveal()

    def _search(self) -> None:
        self._matches = find(self.followed.text, self.words) if self.followed.text is not None else ()
        self._match = min(self._match, max(0, len(self._matches) - 1))

    def _reveal(self) -> None:
        if self._matches and self.followed.text is not None:
            self.window.reveal(self.followed.text, self._matches[self._match])
        self._due.set()
        self._draw_title()

    @on(Input.Changed)
    def _words_typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.entry.display:
            self._set_words(event.value)

    @on(Input.Submitted)
    def _words_done(self, event: Input.Submitted) -> None:
        event.stop()
        self._end_entry()

    def _end_entry(self) -> None:
        self.entry.display = False
        self.lines.focus()

    # -- typing ------------------------------------------------------------------------------------------------------

    @property
    def takes_keys(self) -> bool:
        return self.typing.active

    @property
    def ways_out(self) -> tuple[str, ...]:
        """The keys that end typing; there is always one."""
        return self._boxtop.keymap.keys(BY_ID[STOP_TYPING]) or (_ALWAYS_OUT,)

    def take_key(self, event: events.Key) -> None:
        if event.key in self.ways_out:
            self.typing.end()
        else:
            self.typing.key(event.key, event.character)

    def _typing_changed(self) -> None:
        self.set_class(self.typing.active, "-typing")
        self._draw_title()
        self._boxtop.main.draw_keys()
