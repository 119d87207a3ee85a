"""An entry line that Enter ends: keys that follow at once go to what has the keyboard next."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

_OWNER_ANSWERS = 0.5
"""Seconds the owner has for closing the prompt; after that what follows is typed into it."""


class Prompt(Input):
    """An `Input` whose owner closes it at `Submitted`.

    Textual hands keys to the widget that has the focus when they are read, long before the owner has heard of Enter:
    without this, the rest of `/web<Enter>l` would become part of the words.
    """

    def __init__(self, value: str = "", placeholder: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(value, placeholder, id=id)
        self._ended = False
        self._ahead: list[events.Key] = []

    # Textual calls Input's own handlers after these

    async def _on_key(self, event: events.Key) -> None:
        if self._ended:
            event.stop()
            event.prevent_default()
            self._ahead.append(event)
        elif event.key == "enter":
            self._ended = True
            self.set_timer(_OWNER_ANSWERS, self.stay_open)

    def _on_blur(self, event: events.Blur) -> None:  # noqa: ARG002
        self.stay_open()

    def stay_open(self) -> None:
        """Take keys again, as when what was submitted is refused; those held back go to what has the focus now."""
        self._ended = False
        ahead, self._ahead = self._ahead, []
        for event in ahead if self.app.return_code is None else ():
            self.app.post_message(events.Key(event.key, event.character))
