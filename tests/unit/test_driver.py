"""What is drawn on a terminal that has vanished is dropped, and nobody waits for it."""

from __future__ import annotations

import errno
import io
import threading

from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from tui.driver import Patient


class Vanished(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")


def test_drawing_on_a_vanished_terminal_blocks_nobody() -> None:
    writer = WriterThread(Patient(Vanished()))  # type: ignore[arg-type]
    writer.start()

    def draw() -> None:
        for _ in range(4 * MAX_QUEUED_WRITES):
            writer.write("x")
        writer.stop()

    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    drawing.join(10)
    assert not drawing.is_alive()


def test_what_can_be_written_is() -> None:
    file = io.StringIO()
    patient = Patient(file)
    assert patient.write("text") == 4
    patient.flush()
    assert file.getvalue() == "text"
    assert patient.isatty() is False
