"""Failures and other notices, listed until they are dismissed."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import LineView
from widgets.text import plain, width_of, wrap
from widgets.tones import Tone

_MOST_LINES: dict[Tone, int] = {"error": 3, "warn": 2}
"""Lines of the newest notice by its tone: a reason that is cut off helps nobody. Others have one."""


class Notices(LineView):
    """The newest notice and how many more there are: a failure on up to three lines, a warning on two."""

    DEFAULT_CSS = """
    Notices { height: 1; width: 1fr; }
    """

    class Dismissed(Message):
        """A click on the line: the newest notice is gone."""

        def __init__(self, notices: Notices, notice_id: str) -> None:
            super().__init__()
            self.notices = notices
            self.id = notice_id

        @property
        def control(self) -> Notices:
            return self.notices

    def __init__(
        self,
        *,
        dismiss_key: str = "x",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
        glyphs: Glyphs = BRAILLE,
    ) -> None:
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self.dismiss_key = dismiss_key
        self._notices: dict[str, tuple[str, Tone]] = {}
        self.display = False

    @property
    def entries(self) -> tuple[tuple[str, str, Tone], ...]:
        """All notices as (id, text, tone), oldest first."""
        return tuple((notice_id, text, tone) for notice_id, (text, tone) in self._notices.items())

    def add(self, id: str, text: str, tone: Tone = "error") -> None:  # noqa: A002
        """A notice; one of the same id is replaced and becomes the newest."""
        self._notices.pop(id, None)
        self._notices[id] = (text, tone)
        self._changed()

    def dismiss(self, id: str | None = None) -> str | None:  # noqa: A002
        """Take away the notice of this id, or the newest one; the id of what was taken away."""
        if id is None:
            id = next(reversed(self._notices), None)  # noqa: A001
        if id is None or id not in self._notices:
            return None
        del self._notices[id]
        self._changed()
        return id

    def _changed(self) -> None:
        self.display = bool(self._notices)
        self._fit()
        self.repaint()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        width = self.size.width or self.app.size.width
        self.styles.height = max(1, len(self._wrapped(width))) if self._notices else 1

    def _wrapped(self, width: int) -> list[str]:
        """The newest one's lines; the last has room for what is said of the others, unless there is too much."""
        text, tone = self._notices[next(reversed(self._notices))]
        text = plain(text)
        room = max(1, width - 1)
        most = _MOST_LINES.get(tone, 1)
        lines = wrap(text, room, most)
        if lines and len(lines) < most and width_of(lines[-1]) + width_of(self._tail(width)) > room:
            lines.append("")
        elif len(lines) == most:
            # More than fits: the line is drawn cut, with an ellipsis
            lines[-1] = " ".join(wrap(text, room, most + 1)[most - 1 :])
        return lines

    def _tail(self, width: int) -> str:
        more = len(self._notices) - 1
        tail = f" (+{more} more, {self.dismiss_key} to dismiss)" if more else f" ({self.dismiss_key} to dismiss)"
        if width_of(tail) > width // 2:
            return f" (+{more})" if more else ""
        return tail

    def line(self, y: int) -> Strip:
        width = self.size.width
        lines = self._wrapped(width) if self._notices else []
        if y >= len(lines):
            return Strip(self.segments([], width), width)
        tone = self._notices[next(reversed(self._notices))][1]
        if y < len(lines) - 1:
            return Strip(self.segments([(" ", ""), (lines[y], tone)], width), width)
        tail = self._tail(width)
        body = self.segments([(" ", ""), (lines[y], tone)], max(0, width - width_of(tail)))
        return Strip([*body, *self.segments([(tail, "dim")], min(width, width_of(tail)))], width)

    def on_click(self, event: events.Click) -> None:
        del event
        if (taken := self.dismiss()) is not None:
            self.post_message(self.Dismissed(self, taken))
