"""VBoxManage at work for one task: short steps that are not cut off, and long ones followed."""

from __future__ import annotations

from collections.abc import Sequence

from backends.base import ActionError
from backends.progress import Report
from backends.undoing import whole
from backends.virtualbox.following import Followed, follow
from backends.virtualbox.manage import VBoxManage, refusals


class Taken(ActionError):
    """There is a file of that name already: it is another's."""


class Working:
    """Runs VBoxManage for one long work; a failure is an ActionError with its words."""

    def __init__(self, manage: VBoxManage, report: Report) -> None:
        self._manage = manage
        self._report = report

    async def run(self, *arguments: str, seconds: float = 60.0) -> str:
        """Something short, which is not cut off; what it printed."""
        with refusals():
            return await whole(self._manage.run(*arguments, seconds=seconds))

    async def long(self, text: str, arguments: Sequence[str]) -> None:
        """Something that tells its progress, with `text` for what it is at. Raises Taken, and other ActionErrors."""
        self._report.line(text)
        try:
            await follow(self._manage, arguments, text, self._report, cancels=True)
        except Followed as error:
            if "VERR_ALREADY_EXISTS" in str(error):
                raise Taken(str(error)) from None
            if "VERR_DISK_FULL" in str(error):
                raise ActionError("the disk is full (VERR_DISK_FULL)") from None
            raise
