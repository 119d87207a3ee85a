"""Reads that may block for ever, kept off the event loop and unable to hold up the end of the program."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Probe(Generic[_Value]):
    """Runs `read` in a daemon thread of its own, never twice at once; a read that hangs costs that one thread.

    An executor would not do: the interpreter waits for an executor's threads when it ends.
    """

    def __init__(self, read: Callable[[], _Value], name: str) -> None:
        self._read = read
        self._name = name
        self._began: float | None = None
        self._value: _Value | None = None

    def start(self) -> None:
        """Read anew, unless a read is under way."""
        if self._began is not None:
            return
        self._began = time.monotonic()
        try:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        except RuntimeError:  # no more threads are to be had
            self._began = None

    def value(self, patience: float) -> _Value | None:
        """The last value read. None before the first, after a failure, and when a read hangs beyond `patience` s."""
        began = self._began
        if began is not None and time.monotonic() - began > patience:
            return None
        return self._value

    def _run(self) -> None:
        value: _Value | None = None
        # kernels and drivers differ: what cannot be read is not known
        with suppress(Exception):
            value = self._read()
        self._value = value
        self._began = None
