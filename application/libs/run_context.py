"""Tell the code of a job which run it belongs to, and let it hear that it should end.

from application.libs.run_context import check_cancelled, current_run


def charge() -> None:
    run = current_run.get()  # (job_id, scheduled_at) is the same in every attempt: the idempotency key
    for customer in customers():
        check_cancelled()    # raises Cancelled once somebody has cancelled the run, or its time is over
"""

import threading
from contextvars import ContextVar
from datetime import datetime

from application.libs.record import Record


class Cancelled(Exception):
    """This run was asked to end, and ends; what its transaction has changed is rolled back."""


class Stop:
    """Be the request that a run should end; a thread cannot be killed, so its code has to ask for it."""

    def __init__(self) -> None:
        """Ask for nothing yet."""
        self._asked = threading.Event()
        self.reason = ""

    def ask(self, reason: str) -> None:
        """Ask the run to end, and say why; the first reason stays."""
        if not self._asked.is_set():
            self.reason = reason
            self._asked.set()

    @property
    def asked(self) -> bool:
        """Tell whether the run was asked to end."""
        return self._asked.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so many seconds at most; return whether the run was asked to end meanwhile."""
        return self._asked.wait(seconds)

    def check(self) -> None:
        """Raise `Cancelled` if the run was asked to end."""
        if self.asked:
            raise Cancelled(self.reason)


class RunContext(Record):
    """Hold which run this code belongs to.

    `(job_id, scheduled_at)` is the same in every attempt: the idempotency key. `token` grows with each leader: the
    fencing token for effects outside of the database.
    """

    run_id: str
    job_id: str
    scheduled_at: datetime
    token: int
    attempt: int
    stop: Stop

    @property
    def cancelled(self) -> bool:
        """Tell whether the run was asked to end: it was cancelled, replaced, or took longer than it may."""
        return self.stop.asked


current_run: ContextVar[RunContext | None] = ContextVar("redprint_run", default=None)

current_stop: ContextVar[Stop | None] = ContextVar("redprint_stop", default=None)
"""What asks this code to end, be it of a run or of a task."""


def check_cancelled() -> None:
    """Raise `Cancelled` where this code belongs to a run or a task that was asked to end."""
    stop = current_stop.get()
    if stop is not None:
        stop.check()
