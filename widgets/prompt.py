"""An entry line that Enter ends: keys that follow at once go to what has the keyboard next."""

from __future__ import annotations

from textual import events
from textual.timer import Timer

from widgets.line_input import LineInput, again

_OWNER_ANSWERS = 0.5
"""Seconds the owner has for closing the prompt; after that what follows is typed into it."""


class Prompt(LineInput):
    """A line whose owner closes it at `Submitted`.

    Textual hands keys to the widget that has the focus when they are read, long before the owner has heard of Enter:
    without this, the rest of `/web<Enter>l` would become part of the words.
    """

    def __init__(
        self,
        value: str = "",
        placeholder: str = "",
        id: str | None = None,  # noqa: A002
        *,
        compact: bool = False,
        select_on_focus: bool = True,
    ) -> None:
        super().__init__(value, placeholder, id=id, compact=compact, select_on_focus=select_on_focus)
        self._ended = False
        self._ahead: list[events.Key] = []
        self._patience: Timer | None = None
        self._passed: events.Key | None = None
        """The Enter that ended it, on its way on to the app."""

    # Textual calls those of the classes below after these

    async def _on_key(self, event: events.Key) -> None:
        if self._ended:
            event.stop()
            event.prevent_default()
            self._ahead.append(event)
        elif event.key == "enter":
            self._passed = event
            self.wait_for_owner()

    def take(self, event: events.Key) -> bool:
        """Take a key that was on its way to another when this line came; False where its binding is to be run."""
        if event is self._passed:
            return False
        if self._ended:
            self._ahead.append(event)
            return True
        if event.key == "enter":
            self.wait_for_owner()
        if not event.is_printable or not event.character:
            return False
        self.insert_text_at_cursor(event.character)
        return True

    def wait_for_owner(self, seconds: float | None = _OWNER_ANSWERS) -> None:
        """Hold keys back until the owner has done what it was told and says so by `stay_open`, or closes."""
        self._ended = True
        if self._patience is not None:
            self._patience.stop()
        self._patience = self.set_timer(seconds, self.stay_open) if seconds is not None else None

    def _on_blur(self, event: events.Blur) -> None:  # noqa: ARG002
        self.stay_open()

    def stay_open(self) -> None:
        """Take keys again, as when what was submitted is refused; those held back go to what has the focus now."""
        self._ended = False
        ahead, self._ahead = self._ahead, []
        for event in ahead if self.app.return_code is None else ():
            self.app.post_message(again(event))
