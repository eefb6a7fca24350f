"""Write down what the attempts of this process do: that they go on, and how they ended.

One thread writes for all, many ends in one transaction; what the database does not take is tried again until it does.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager

import psutil

from application.libs.error import Unavailable
from application.modules.scheduler.business import attempt, cancelling, ending, output
from application.modules.scheduler.business.ending import Ended
from application.modules.scheduler.engine.workload import Workload

_LOG = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
"""How often an attempt shows that it goes on: thrice in the time to live."""

_AGAIN_SECONDS = (0.2, 0.5, 1)
"""How long to rest after each failure, the last one again and again: a third of the time to live at most.

Else another process could give up what has ended here, and run it again, before it is written down.
"""


class Recorder:
    """Be the thread that writes, from `start` until `stop`."""

    def __init__(
        self,
        workload: Workload,
        unit: Callable[[], AbstractContextManager[object]],
        on_ended: Callable[[Iterable[str]], None],
        on_stuck: Callable[[str], object],
        show: Callable[[], object] = lambda: None,
    ) -> None:
        """Write in units of work that `unit` opens; tell `on_ended` the jobs of the attempts whose end is written.

        `on_stuck` is told in which executor a thread may go on with an attempt that has been given up; `show` is
        called again and again, to say that this process lives.
        """
        self._workload = workload
        self._unit = unit
        self._on_ended = on_ended
        self._on_stuck = on_stuck
        self._show = show
        self._machine = psutil.Process()
        self._failures = 0
        self._beat_at = 0.0
        self._thread = threading.Thread(target=self._record, name="scheduler-recorder", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._workload.see_memory(self._machine.memory_info().rss)
        self._thread.start()

    def stop(self) -> None:
        """Write no more."""
        self._workload.finish()
        self._thread.join()

    def _record(self) -> None:
        while not self._workload.finished:
            ended = self._workload.await_ended(BEAT_SECONDS / 4)
            self._look_around()
            try:
                self._write_or_sift(ended)
                self._show()
            except Exception:
                self._wait_for_the_database()
            else:
                self._failures = 0

    def _look_around(self) -> None:
        """See what the process has in use, and which attempts take longer than they may."""
        if self._workload.ids():
            self._workload.see_memory(self._machine.memory_info().rss)
        for hand in self._workload.stop_overdue():
            _LOG.warning("Job %s took longer than it may; its attempt is given up", hand.launch.job_id)
            if hand.kill is None:
                self._on_stuck(hand.executor)

    def _write_or_sift(self, ended: list[Ended]) -> None:
        """Write all ends together; where the database refuses one, let it stop no other."""
        try:
            self._write(ended)
        except Unavailable:
            raise
        except Exception:
            _LOG.exception("%d ends of jobs cannot be written together; each is tried alone", len(ended))
            self._workload.forget_output(self._workload.output())  # it may be what is refused
            for one in ended:
                self._write_without_what_is_refused(one)

    def _write_without_what_is_refused(self, ended: Ended) -> None:
        try:
            self._write([ended])
        except Unavailable:
            raise
        except Exception:
            _LOG.exception("The end of job %s (%s) cannot be written with its details", ended.job_id, ended.status)
            self._write([ending.without_details(ended)])

    def _write(self, ended: list[Ended]) -> None:
        beats = time.monotonic() - self._beat_at >= BEAT_SECONDS
        ids = self._workload.ids() if beats else frozenset()
        if not ended and not ids:
            return
        asked: Mapping[str, str] = {}
        with self._unit():
            pieces = self._workload.output()
            output.insert(pieces)
            if ids:
                attempt.beat(ids)
                attempt.note_started(self._workload.take_started())
                asked = cancelling.asked(ids)
            late = ending.write(ended)
        if beats:
            self._beat_at = time.monotonic()
        self._workload.forget_output(pieces)
        self._workload.ask_to_stop(asked)
        for one in late:
            _LOG.warning("Job %s ended (%s) after another leader had given it up", one.job_id, one.status)
        self._workload.forget(one.attempt_id for one in ended)
        if ended:
            self._on_ended({one.job_id for one in ended})

    def _wait_for_the_database(self) -> None:
        if self._failures == 0:
            _LOG.warning("The database takes no ends of jobs; they are kept and tried again", exc_info=True)
        self._workload.await_finish(_AGAIN_SECONDS[min(self._failures, len(_AGAIN_SECONDS) - 1)])
        self._failures += 1
