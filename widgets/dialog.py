"""A screen over the others that has every key typed for it, also those that came before it could take any."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual import events
from textual.screen import ModalScreen
from textual.widget import Widget

from widgets.line_input import again

_Answer = TypeVar("_Answer")


class Dialog(ModalScreen[_Answer]):
    """A subclass gives one of its widgets the focus in `on_mount`, by `set_focus`: what was typed goes there then.

    Textual hands keys to what has the focus when they are read; a screen that is being made has nothing with a focus.
    """

    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(self) -> None:
        super().__init__()
        self._begins_in: Widget | None = None
        """What has the focus first."""
        self._ahead: list[events.Key] | None = []
        """What was typed until it can be taken; None from then on."""
        self._ready = 0.0
        """Since when it takes keys, by the events' clock."""

    def set_focus(
        self,
        widget: Widget | None,
        scroll_visible: bool = True,
        from_app_focus: bool = False,
    ) -> None:
        if self._ahead is None:
            super().set_focus(widget, scroll_visible, from_app_focus)
        else:
            # what has the focus is handed keys at once, before those typed earlier
            self._begins_in = widget

    @property
    def unsaved(self) -> bool:
        """Whether something was entered that would be lost."""
        return False

    def begin_with(self, keys: Iterable[events.Key]) -> None:
        """Keys that were typed for it before it was made; only before it is shown."""
        if self._ahead is not None:
            self._ahead.extend(keys)

    def hold(self, event: events.Key) -> bool:
        """Keep a key that is meant for this screen, whoever was handed it; False when the screen takes keys itself."""
        if self._ahead is None:
            return False
        self._ahead.append(event)
        return True

    def is_late(self, event: events.Key) -> bool:
        """Whether a key that nothing took was typed before this screen took keys: another may have been handed it."""
        return event.time < self._ready

    def _forward_event(self, event: events.Event) -> None:
        if not (isinstance(event, events.Key) and self.hold(event)):
            super()._forward_event(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key of its own does anything before those typed earlier did."""
        return self._ahead is None and super().check_action(action, parameters)

    def _on_mount(self, event: events.Mount) -> None:  # noqa: ARG002
        # Textual calls a subclass's `on_mount` before, and a base class's `_on_mount` after this
        self.call_next(self._mounted)

    def _mounted(self) -> None:
        # as the app's own next work: what is on its way to the app waits, and overtakes none of these
        self.app.call_next(self._hand_over)

    async def _hand_over(self) -> None:
        ahead, self._ahead = self._ahead or [], None
        self._ready = events.Event().time
        if self._begins_in is not None:
            self.set_focus(self._begins_in)
        for event in sorted(ahead, key=lambda event: event.time):
            if self.is_current:
                await self.app.on_event(again(event))
