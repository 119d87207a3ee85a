"""What a form is made of: the rows of its fields, and the line it amounts to."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.strip import Strip

from widgets.fields import Field, FieldControl, control_of
from widgets.glyphs import BRAILLE, Glyphs
from widgets.line import Line, Part
from widgets.lines import LineView
from widgets.text import width_of, wrap
from widgets.tones import Tone


class Label(Line, can_focus=False):
    """A line the focus passes over."""


class Preview(LineView, can_focus=False):
    """What the form amounts to, on a few lines; cut with an ellipsis where it is longer."""

    def __init__(self, *, id: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, glyphs=glyphs)
        self.text = ""

    def show(self, text: str) -> None:
        self.text = text
        self.repaint()

    def line(self, y: int) -> Strip:
        width, height = self.size
        lines = wrap(self.text, width, height + 1)
        if len(lines) > height and y == height - 1:
            return Strip(self.segments([(f"{lines[y]} {lines[y + 1]}", "accent")], width), width)
        return Strip(self.segments([(lines[y], "accent")] if y < len(lines) else [], width), width)


class FieldRow(Vertical):
    """A field with its label, its control, what can be opened from it, and under it what is wrong with it."""

    DEFAULT_CSS = """
    FieldRow { height: auto; }
    FieldRow > Horizontal { height: auto; }
    FieldRow > Horizontal > .form-label { height: 1; }
    FieldRow > Horizontal > .form-hint { height: 1; margin-left: 1; }
    FieldRow > .form-error { display: none; }
    FieldRow.wrong > .form-error { display: block; }
    """

    def __init__(self, field: Field, hints: Sequence[tuple[str, str]], label_width: int, glyphs: Glyphs) -> None:
        super().__init__()
        self.field = field
        self.control: FieldControl = control_of(field, glyphs)
        self.problem = ""
        self._width = label_width
        self._label = Label(classes="form-label", glyphs=glyphs)
        self._label.styles.width = label_width
        self._hint = Label(classes="form-hint", glyphs=glyphs)
        self._hints = hints
        self._error = Label(classes="form-error", glyphs=glyphs)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self._label
            yield self.control
            if self._hints:
                yield self._hint
        yield self._error

    def on_mount(self) -> None:
        parts = [Part(f"{' ' if at else ''}{text}", "info", id=action) for at, (action, text) in enumerate(self._hints)]
        self._hint.styles.width = sum(width_of(part.text) for part in parts)
        self._hint.set_parts(parts)
        self._draw()

    def on_descendant_focus(self) -> None:
        self._draw()

    def on_descendant_blur(self) -> None:
        self._draw()

    def tell(self, problem: str) -> None:
        """Show what is wrong; nothing when empty."""
        if problem != self.problem:
            self.problem = problem
            self._draw()

    def _draw(self) -> None:
        mark = "! " if self.problem else "> " if self.control.has_focus else "  "
        tone: Tone = "error" if self.problem else "strong" if self.control.has_focus else ""
        self._label.set_parts([Part(mark + self.field.label, tone)])
        self.set_class(bool(self.problem), "wrong")
        self._error.set_parts([Part(" " * self._width), Part(self.problem, "error")])
