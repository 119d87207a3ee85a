"""A text field that takes its keys in the order they were typed, however fast they come."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


def again(event: events.Key) -> events.Key:
    """The same key to be handed over once more, to whatever takes it."""
    key = events.Key(event.key, event.character)
    # Textual lets no message bubble past who sent it: the app's bindings, Enter's too, would not hear of this one
    key._sender = None
    return key


class LineInput(Input):
    """An `Input` that answers Backspace, arrows and the like itself.

    Textual enters a letter at once but sends other keys to the app first: of `ab<Backspace>c` in one go it makes `ab`.
    """

    # Textual calls Input's own handler after this
    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable or event.key == "enter":
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
