"""A form to fill in: fields checked as they are typed, the result shown as one line, sent only when all is well."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Input, TextArea

from widgets.controls import Push
from widgets.dialog import Dialog
from widgets.fields import (
    ChoiceControl,
    ChoiceField,
    Field,
    FieldChanged,
    LinesField,
    TextControl,
    TextField,
    ToggleField,
    Value,
    Values,
)
from widgets.form_parts import FieldRow, Label, Preview
from widgets.glyphs import BRAILLE, Glyphs
from widgets.line import Line, Part
from widgets.picker import Picker, PickItem
from widgets.text import width_of
from widgets.tones import Tone

__all__ = ["ChoiceField", "Field", "Form", "LinesField", "TextField", "ToggleField", "Tool", "Value", "Values"]

log = logging.getLogger(__name__)

_WIDTH = 100
_FRAME = 4
"""Cells the border and the padding take of the box's width."""
_LABEL = 22
"""The most cells a label has, its focus mark and a blank too."""
_PREVIEW_LINES = 3
_SLOW = 0.3
"""Seconds without a key before the slow check is asked."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One more button: `run` gets the values and may answer with others for some fields, or None."""

    id: str
    label: str
    run: Callable[[Values], Awaitable[Values | None]]


class Form(Dialog[Values | None]):
    """Dismissed with the values by field id once no check objects, or None on Esc: on a second one if any is another.

    `check` and `slow_check` answer with what is wrong by field id; the slow one is asked when the keys pause, and once
    more before the form is sent. `preview` makes the line shown below, Ctrl-Y copies it. `suggest` has values to pick
    from with Ctrl-L by field id, `remarks` what is said beside some of them. `browse` is called with a field's label,
    its value and its kind of path. `follow` is called with a field that changed and the values, and answers with what
    others become, unless they were changed too.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="form.cancel", show=False),
        Binding("ctrl+s", "submit", "Submit", id="form.submit", show=False, priority=True),
        Binding("ctrl+l", "suggest", "List", id="form.suggest", show=False, priority=True),
        Binding("ctrl+o", "browse", "Browse", id="form.browse", show=False, priority=True),
        Binding("ctrl+y", "copy", "Copy", id="form.copy", show=False, priority=True),
        # By priority, so that what is typed right behind such a key goes to the field it leads to
        Binding("tab", "focus_step(1)", "Next", id="form.tab", show=False, priority=True),
        Binding("shift+tab", "focus_step(-1)", "Previous", id="form.shift_tab", show=False, priority=True),
        Binding("down", "line_step(1)", "Next", id="form.next", show=False, priority=True),
        Binding("up", "line_step(-1)", "Previous", id="form.previous", show=False, priority=True),
        Binding("enter", "enter", "Next", id="form.enter", show=False, priority=True),
        Binding("right", "focus_step(1)", "Next", id="form.right", show=False),
        Binding("left", "focus_step(-1)", "Previous", id="form.left", show=False),
        Binding("pagedown", "page(1)", "Page down", id="form.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="form.page_up", show=False),
    ]

    DEFAULT_CSS = f"""
    Form {{ align: center middle; }}
    Form > #form-box {{
        width: {_WIDTH}; max-width: 98%; height: auto; max-height: 100%;
        border: round $border; background: $surface; padding: 0 1;
    }}
    Form LineView {{ background: $surface; }}
    Form ChoiceControl {{ background: $panel; }}
    Form ToggleControl {{ background: $panel; }}
    Form Line {{ width: 100%; }}
    Form #form-body {{ height: auto; scrollbar-size-vertical: 1; }}
    Form Preview {{ width: 100%; }}
    Form #form-choices {{ width: 100%; height: 1; layout: horizontal; align-horizontal: right; }}
    Form #form-choices Push {{ margin-left: 2; }}
    """

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        submit: str = "OK",
        notes: Sequence[tuple[str, Tone]] = (),
        check: Callable[[Values], Mapping[str, str]] | None = None,
        slow_check: Callable[[Values], Awaitable[Mapping[str, str]]] | None = None,
        preview: Callable[[Values], str] | None = None,
        suggest: Mapping[str, Sequence[str]] | None = None,
        remarks: Mapping[str, str] | None = None,
        browse: Callable[[str, str, str], Awaitable[str | None]] | None = None,
        follow: Callable[[str, Values], Values] | None = None,
        tools: Sequence[Tool] = (),
        first: str = "",
        glyphs: Glyphs = BRAILLE,
    ) -> None:
        """`first` is the id of the field to begin in, where it is not the first one."""
        super().__init__()
        self._title = title
        self._submit_label = submit
        self._notes = tuple(notes)
        self._check, self._slow_check, self._preview = check, slow_check, preview
        self._suggestions = suggest or {}
        self._remarks = remarks or {}
        self._browse = browse
        self._follow = follow
        self._followed: dict[str, Value] = {}
        """What fields became by `follow`, which is not a change of the user's."""
        self._changed_by_user: set[str] = set()
        self._tools = {tool.id: tool for tool in tools}
        self._first = first
        self._glyphs = glyphs
        widest = max((width_of(field.label) for field in fields), default=0)
        width = min(_LABEL, widest + 3)
        self._rows = {field.id: FieldRow(field, self._hints(field), width, glyphs) for field in fields}
        if len(self._rows) != len(fields):
            raise ValueError("two fields have one id")
        self._touched: set[str] = set()
        """Fields that may be called wrong: those that were changed, all once it was tried to send the form."""
        self._given: Values = {}
        self._leaving = False
        """One more Esc discards what was entered."""
        self._slow: dict[str, str] = {}
        self._slow_due = 0
        self._last: Values = {}
        self._sending = False
        self._holding = False
        """What was said stays while the focus moves once."""
        self._ended = False
        self._works: set[asyncio.Task[None]] = set()

    def _hints(self, field: Field) -> list[tuple[str, str]]:
        hints = []
        if self._suggestions.get(field.id):
            hints.append(("list", "^L list"))
        if isinstance(field, TextField) and field.browse and self._browse:
            hints.append(("browse", "^O browse"))
        return hints

    def compose(self) -> ComposeResult:
        glyphs = self._glyphs
        with Vertical(id="form-box"):
            yield Label(id="form-title", glyphs=glyphs)
            with VerticalScroll(id="form-body", can_focus=False):
                for at, _ in enumerate(self._notes):
                    yield Label(id=f"form-note-{at}", glyphs=glyphs)
                yield from self._rows.values()
            if self._preview:
                yield Preview(id="form-preview", glyphs=glyphs)
            yield Label(id="form-said", glyphs=glyphs)
            with Container(id="form-choices"):
                for tool in self._tools.values():
                    yield Push(tool.label, id=f"tool-{tool.id}", glyphs=glyphs)
                yield Push("Cancel", id="form-cancel", glyphs=glyphs)
                yield Push(self._submit_label, "ok", id="form-submit", glyphs=glyphs)

    def on_mount(self) -> None:
        for at, (text, tone) in enumerate(self._notes):
            self.query_one(f"#form-note-{at}", Line).set_parts([Part(text, tone)])
        keys = "^S " + self._submit_label.lower() + "  " + ("^Y copy  " if self._preview else "") + "Esc cancel"
        self.query_one("#form-title", Line).set_parts([Part(self._title, "strong")], [Part(keys, "dim", priority=1)])
        self._fit()
        self._given = self._last = self.values
        self._renew()
        if self._rows:
            self._enter((self._rows.get(self._first) or next(iter(self._rows.values()))).control)

    def on_unmount(self) -> None:
        for work in self._works:
            work.cancel()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        height = self.app.size.height
        lines = 0
        if self._preview:
            lines = 2 if height < 30 else _PREVIEW_LINES
            self.query_one(Preview).styles.height = lines
        self.query_one("#form-body").styles.max_height = max(3, height - 2 - 3 - lines)

    @property
    def values(self) -> Values:
        """What is entered now, by field id."""
        return {field_id: row.control.entered for field_id, row in self._rows.items()}

    @property
    def unsaved(self) -> bool:
        return not self._ended and bool(self._given) and self.values != self._given

    def _enter(self, control: Widget | None) -> None:
        """Give a control the keyboard: what is typed replaces the text it has, an arrow keeps it and moves in it."""
        if control is not None:
            # At once, so that keys that are here already mean this field too
            self.set_focus(control)
        # One like `shop/api:` waits for its rest
        if isinstance(control, TextControl) and not control.value.endswith(":"):
            control.select_all()

    def set_values(self, values: Values) -> None:
        """Enter these in the fields of those ids."""
        for field_id, value in values.items():
            if (row := self._rows.get(field_id)) is not None:
                row.control.entered = value
                self._touched.add(field_id)
        self._renew()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(FieldChanged)
    def _changed(self, event: Input.Changed | TextArea.Changed | FieldChanged) -> None:
        event.stop()
        self._renew()

    def _renew(self) -> None:
        """The values may be others: check them, and show what they amount to."""
        values = self.values
        changed = {field_id for field_id, value in values.items() if value != self._last.get(field_id)}
        self._last = values
        self._touched |= changed
        by_user = {field_id for field_id in changed if self._followed.get(field_id) != values[field_id]}
        self._changed_by_user |= by_user
        if self._follow and by_user:
            self._lead(by_user, values)
        for field_id in changed:
            self._slow.pop(field_id, None)
        if changed:
            self._say("")
        self._tell(self._problems(values))
        if self._preview:
            self.query_one(Preview).show(self._preview(values))
        if self._slow_check and (changed or not self._slow_due):
            self._slow_due += 1
            self._work(self._ask_slowly(self._slow_due))

    def _lead(self, changed: set[str], values: Values) -> None:
        """Have other fields become what these lead to, but those the user has changed already."""
        assert self._follow is not None  # noqa: S101
        for field_id in changed:
            for other, value in self._follow(field_id, values).items():
                if other in self._rows and other not in self._changed_by_user and values[other] != value:
                    self._followed[other] = value
                    self._rows[other].control.entered = value

    def _problems(self, values: Values) -> dict[str, str]:
        return {**self._slow, **(self._check(values) if self._check else {})}

    def _tell(self, problems: Mapping[str, str]) -> None:
        for field_id, row in self._rows.items():
            row.tell(problems.get(field_id, "") if field_id in self._touched else "")

    async def _ask_slowly(self, due: int) -> None:
        await asyncio.sleep(_SLOW)
        if due == self._slow_due:
            await self._ask_now(due)

    async def _ask_now(self, due: int) -> None:
        if self._slow_check is None:
            return
        values = self.values
        try:
            found = dict(await self._slow_check(values))
        except Exception as error:
            # It only spares a refusal: what is sent is judged by its receiver all the same
            log.warning("%s cannot be checked: %s", self._title, error)
            found = {}
        if due == self._slow_due:
            self._slow = found
            self._tell(self._problems(values))

    @on(DescendantFocus)
    def _entered(self) -> None:
        if not self._holding:
            self._say("")
        self._holding = False

    def _say(self, text: str, tone: Tone = "") -> None:
        """Tell something; by itself the help of the field that has the focus."""
        self._leaving = False
        if not text and (row := self._current) is not None:
            text, tone = row.field.help, "dim"
        self.query_one("#form-said", Line).set_parts([Part(text, tone)])

    @property
    def _current(self) -> FieldRow | None:
        return next((row for row in self._rows.values() if row.control is self.focused), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Arrows and Enter are a field of lines' own, Enter a button's, too."""
        if action == "enter" and not isinstance(self.focused, Input):
            return False
        if action == "line_step" and isinstance(self.focused, TextArea):
            return False
        return super().check_action(action, parameters)

    def action_enter(self) -> None:
        row = self._current
        if row is not None and row is list(self._rows.values())[-1]:
            self.action_submit()
        else:
            self.action_focus_step(1)

    @on(ChoiceControl.Opened)
    def _open(self, event: ChoiceControl.Opened) -> None:
        event.stop()
        choice = event.choice
        choice.focus()
        items = [PickItem(value, label) for value, label in choice.options]

        def picked(value: str | None) -> None:
            if value is not None:
                choice.entered = value

        label = next((row.field.label for row in self._rows.values() if row.control is choice), "")
        self.app.push_screen(Picker(label, items, glyphs=self._glyphs), picked)

    @on(Line.Clicked)
    def _hint_clicked(self, event: Line.Clicked) -> None:
        event.stop()
        for row in self._rows.values():
            if event.line in row.query(Line):
                row.control.focus()
                self._suggest(row) if event.id == "list" else self._browse_for(row)

    def action_suggest(self) -> None:
        if (row := self._current) is not None:
            self._suggest(row)

    def action_browse(self) -> None:
        if (row := self._current) is not None:
            self._browse_for(row)

    def _suggest(self, row: FieldRow) -> None:
        control = row.control
        entries = self._suggestions.get(row.field.id)
        if not entries or isinstance(control, ChoiceControl) or not hasattr(control, "suggest"):
            return

        def picked(text: str | None) -> None:
            if text is not None:
                control.suggest(text)

        items = [PickItem(entry, entry, self._remarks.get(entry, "")) for entry in dict.fromkeys(entries)]
        self.app.push_screen(Picker(row.field.label, items, glyphs=self._glyphs), picked)

    def _browse_for(self, row: FieldRow) -> None:
        if isinstance(row.field, TextField) and row.field.browse and self._browse:
            self._work(self._browsed(row, row.field.browse, self._browse))

    async def _browsed(
        self, row: FieldRow, kind: str, browse: Callable[[str, str, str], Awaitable[str | None]]
    ) -> None:
        path = await browse(row.field.label, str(row.control.entered), kind)
        if path is not None:
            row.control.entered = path

    def action_copy(self) -> None:
        if self._preview:
            self.app.copy_to_clipboard(self._preview(self.values))
            self._say("Copied (if the terminal takes OSC 52).", "info")

    @on(Push.Pressed)
    def _pressed(self, event: Push.Pressed) -> None:
        event.stop()
        name = event.push.id or ""
        if name == "form-cancel":
            self._end(None)
        elif name == "form-submit":
            self.action_submit()
        else:
            self._work(self._use(self._tools[name.removeprefix("tool-")]))

    async def _use(self, tool: Tool) -> None:
        answer = await tool.run(self.values)
        if answer is not None and not self._ended:
            self.set_values(answer)

    def action_submit(self) -> None:
        # behind what is on its way to the field
        (self.focused or self).call_later(self._submit)

    def _submit(self) -> None:
        if not self._sending and not self._ended:
            self._sending = True
            self._work(self._send())

    async def _send(self) -> None:
        """Check once more, and end with the values when nothing is wrong."""
        try:
            if self._slow_check and not (self._check and self._check(self.values)):
                self._say("checking", "dim")
                self._slow_due += 1
                await self._ask_now(self._slow_due)
            values = self.values
            problems = self._problems(values)
            self._touched |= set(self._rows)
            self._tell(problems)
            if not problems:
                self._end(values)
                return
            first = next((field_id for field_id in self._rows if field_id in problems), None)
            if first is None:
                self._say(next(iter(problems.values())), "error")
                return
            control = self._rows[first].control
            self._holding = control is not self.focused
            control.focus()
            more = f" ({len(problems)} fields need a look)" if len(problems) > 1 else ""
            self._say(f"{self._rows[first].field.label}: {problems[first]}{more}", "error")
        finally:
            self._sending = False

    def action_focus_step(self, step: int) -> None:
        self._enter(self.focus_next() if step > 0 else self.focus_previous())

    def action_line_step(self, step: int) -> None:
        self.action_focus_step(step)

    def action_page(self, pages: int) -> None:
        body = self.query_one("#form-body")
        body.scroll_relative(y=pages * max(1, body.size.height - 1), animate=False)

    def action_cancel(self) -> None:
        if self.unsaved and not self._leaving:
            self._say("Esc again discards what you entered.", "warn")
            self._leaving = True
        else:
            self._end(None)

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._works.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s: %r", self._title, error, exc_info=error)
            self._say("That failed inside the program: see the log.", "error")

    def _end(self, values: Values | None) -> None:
        """Answer once: keys that come while the form closes mean nothing any more."""
        if not self._ended:
            self._ended = True
            self.dismiss(values)
