"""A tab that asks the engine: once the selection rests, once for each state of the object, sparingly again."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

from backends.base import ActionError, EngineError
from backends.model import Item
from backends.secrets import mask_text
from tui.tabs.tab import Tab

log = logging.getLogger(__name__)

CALM = 0.15
"""Seconds the selection must rest before the engine is asked."""
_AFTER_FAILURE = 10.0


class AskingTab(Tab):
    """One question at a time; whatever comes late for another object is dropped."""

    every: ClassVar[float | None] = None
    """Seconds after an answer when it is asked for again while in view; None: only when the object changed."""

    _asked: object = None
    _question_task: asyncio.Task[None] | None = None
    _item: Item | None = None

    def question(self, item: Item) -> object:
        """What the answer depends on: it is asked for anew when this is another."""
        return item

    async def ask(self, item: Item) -> Any:
        """The answer. May raise EngineError or ActionError."""
        raise NotImplementedError

    def show_waiting(self) -> None:
        """Another object's answer is awaited: show nothing of the last one."""

    def show_answer(self, item: Item, answer: Any) -> None:
        raise NotImplementedError

    def show_failure(self, reason: str) -> None:
        """No answer, in one line of words."""
        raise NotImplementedError

    def draw(self, item: Item) -> None:
        question = self.question(item)
        if question == self._asked:
            return
        if self._item is None or self._item.ref != item.ref:
            self.show_waiting()
        self._item = item
        self._drop_question()
        self._asked = question
        self._question_task = asyncio.create_task(self._follow(item), name=self.place)

    def left(self) -> None:
        if self._question_task is not None:
            self._drop_question()
            if self.every is not None:
                self._asked = None

    def ask_again(self) -> None:
        self._asked = None

    def on_unmount(self) -> None:
        self._drop_question()

    def _drop_question(self) -> None:
        """End the question under way, if there is one: it counts as not asked."""
        if self._question_task is not None and not self._question_task.done():
            self._question_task.cancel()
            self._asked = None
        self._question_task = None

    async def _follow(self, item: Item) -> None:
        await asyncio.sleep(CALM)
        while True:
            failed = False
            try:
                answer = await self.ask(item)
            except (EngineError, ActionError) as error:
                failed = True
                self.show_failure(mask_text(str(error)))
            except Exception:
                failed = True
                log.exception("%s", self.place)
                self.show_failure("this failed inside boxtop: see the log")
            else:
                self.show_answer(item, answer)
            if self.every is None:
                return
            await asyncio.sleep(max(self.every, _AFTER_FAILURE) if failed else self.every)
