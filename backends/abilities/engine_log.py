"""What an engine itself writes of one VM: VBox.log, QEMU's log."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from backends.model import Ref


@dataclass(frozen=True, slots=True)
class LogMark:
    """Up to where a log was read."""

    file: tuple[int, int] = (0, 0)
    """Device and inode; a log begun anew is another file."""
    offset: int = 0
    """Bytes."""
    held: int = 0
    """Bytes after it of a line that had no end yet."""


@dataclass(frozen=True, slots=True)
class LogPart:
    """Lines of a log, raw and NOT safe to draw: only those on screen are cleaned (`backends.log_text`)."""

    lines: tuple[bytes, ...]
    mark: LogMark
    place: str
    """The file's path, or the command that told it; clean."""
    cut: bool = False
    """Older lines were left out."""
    anew: bool = False
    """The log was begun anew: what was read before is of an earlier start."""
    again: float = 1.0
    """Seconds after which to look again."""


class EngineLog(ABC):
    @abstractmethod
    async def read(self, ref: Ref, after: LogMark | None = None) -> LogPart:
        """The end of the VM's newest log, or what came after the mark. Changes nothing.

        Raises ActionError when there is none or it cannot be read, with the reason, and EngineError.
        """
