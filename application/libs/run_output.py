"""Keep what the code of a job logs and prints, so that it can be read while the job runs."""

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

from application.libs.strict_json import printable

MOST_CHARACTERS = 256 * 1024
"""How much of one attempt is kept; a job that prints without end fills no database."""

_MOST_PIECE = 16_000  # characters of four bytes, of which a TEXT column of MariaDB holds 65,535

_CUT = "\n(more was written than is kept)\n"


class Output:
    """Collect the text of one attempt, from any thread, until somebody takes it away."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._parts: list[str] = []
        self._left = MOST_CHARACTERS

    def write(self, text: str) -> None:
        """Add text; what is too much is left out, and said once."""
        with self._lock:
            if self._left <= 0:
                return
            kept = printable(text[: self._left])
            self._left -= len(text)
            self._parts.append(kept if self._left > 0 else kept + _CUT)

    def take(self) -> list[str]:
        """Return what has come since the last time, in pieces that any text column takes."""
        with self._lock:
            text, self._parts = "".join(self._parts), []
        return [text[first : first + _MOST_PIECE] for first in range(0, len(text), _MOST_PIECE)]


current_output: ContextVar[Output | None] = ContextVar("redprint_output", default=None)


class OutputTap(logging.Handler):
    """Copy what is logged in a run to its output, as the formatter writes it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Copy a record, if it belongs to a run."""
        output = current_output.get()
        if output is not None:
            output.write(f"{self.format(record)}\n")


class _Echo(io.TextIOBase):
    """Write to a stream, and copy what a run writes to its output."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        output = current_output.get()
        if output is not None:
            output.write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()


def copy_prints() -> None:
    """Copy what runs print to their outputs from now on; for a process that does nothing else until it ends."""
    if not isinstance(sys.stdout, _Echo):
        sys.stdout, sys.stderr = _Echo(sys.stdout), _Echo(sys.stderr)


@contextmanager
def copied_prints() -> Iterator[None]:
    """Copy what runs print to their outputs while the block runs; for a process in which jobs run."""
    plain, errors = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Echo(plain), _Echo(errors)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = plain, errors
