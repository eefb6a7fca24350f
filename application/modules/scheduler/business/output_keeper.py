"""Write down what an attempt logs and prints while it goes on, where nobody else of its process does."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from application.database import db, transaction
from application.libs.run_output import Output
from application.modules.scheduler.business import output

_LOG = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.5


@contextmanager
def kept(attempt_id: str, written: Output) -> Iterator[None]:
    """Write down what the attempt prints in the block, now and then and in the end; in an application's context."""
    ended = threading.Event()
    keeper = _Keeper(db.engine, attempt_id, written)
    thread = threading.Thread(target=keeper.keep, args=(ended,), name="scheduler-output", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class _Keeper:
    """Be who writes down what an attempt prints."""

    def __init__(self, engine: Any, attempt_id: str, written: Output) -> None:
        self._engine = engine
        self._attempt_id = attempt_id
        self._written = written
        self._pieces: list[tuple[str, int, str]] = []
        self._count = 0

    def keep(self, ended: threading.Event) -> None:
        """Write until the attempt has ended, and a last time then; what no database takes is tried again."""
        while not ended.wait(_FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        for text in self._written.take():
            self._count += 1
            self._pieces.append((self._attempt_id, self._count, text))
        if not self._pieces:
            return
        try:
            with transaction(engine=self._engine):
                output.insert(self._pieces)
        except Exception:
            _LOG.warning("What a job has printed cannot be written down now", exc_info=True)
        else:
            self._pieces = []
