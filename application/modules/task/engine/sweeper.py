"""Look after the tasks that nobody has in hand, on one thread of each process that runs tasks or fires jobs."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from application.libs.catalogue import NotRegistered
from application.libs.clock import now
from application.libs.error import Unavailable
from application.libs.task import TASKS, Options
from application.libs.unit_of_work import Transaction
from application.libs.watch import Watch
from application.modules.task.business import sweeping
from application.modules.task.business.sweeping import MOST_RINGS, Outlook, Running, Waiting

_LOG = logging.getLogger(__name__)

POLL_SECONDS = 0.5

LEASE_SECONDS = 10.0
"""How long a task may be silent before it begins anew; its beats are a second apart."""

_EXPIRY_SECONDS = 5.0
_LEFT_SECONDS = 60.0
_LONG_WAIT_SECONDS = 2.0
_SAY_AGAIN_SECONDS = 60.0


class Sweeper:
    """Be the thread, from `start` until `stop`."""

    def __init__(
        self,
        unit: Transaction,
        ring: Callable[[Sequence[Waiting]], object],
        *,
        ours: Callable[[], Collection[str]],
        again_seconds: float,
        capacity: Callable[[], int] = lambda: MOST_RINGS,
        busy: Callable[[], Collection[str]] = frozenset,
        lease_seconds: float = LEASE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ring by `ring` for `capacity()` tasks at most; `ours` is what this process has in hand itself.

        `busy` tells the queues in which rings wait: what is due there is left for a while.
        """
        self._unit = unit
        self._ring = ring
        self._ours = ours
        self._again_seconds = again_seconds
        self._capacity = capacity
        self._busy = busy
        self._monotonic = monotonic
        self._watch = Watch(lease_seconds, monotonic)
        self._lease_seconds = lease_seconds
        self._woken = threading.Event()
        self._stopped = False
        self._expired_at = 0.0
        self._failed_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="task-sweeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look now instead of at the end of the poll."""
        self._woken.set()

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            try:
                rest = self.sweep()
                self._failed_at = None
            except Exception as error:
                self._report(error)
                rest = POLL_SECONDS
            self._woken.wait(rest)
            self._woken.clear()

    def sweep(self) -> float:
        """Look after everything once; return after how many seconds to do so again."""
        began, moment = self._monotonic(), now()
        with self._unit(write=False):
            seen = sweeping.look(moment)
            expires = began - self._expired_at >= _EXPIRY_SECONDS and sweeping.is_any_expired(moment)
        lost = sweeping.silent(seen.running, self._watch, ours=self._ours())
        has_come = seen.next_at is not None and seen.next_at <= moment
        room = min(self._capacity(), MOST_RINGS) if seen.is_due or has_come else 0
        busy = self._busy() if room else ()
        found: list[Waiting] = []
        if expires or lost or has_come or room:
            began = self._monotonic()
            with self._unit():
                sweeping.queue_due(moment)  # the first statement waits for whoever writes
                if self._monotonic() - began > _LONG_WAIT_SECONDS:
                    self._watch.clear()  # who was to show itself had to wait as well
                    lost = []
                self._settle(lost, expires=expires)
                sweeping.leave(busy, moment, seconds=_LEFT_SECONDS)
                found = sweeping.take(moment, most=room, again_seconds=self._again_seconds) if room else []
        if expires:
            self._expired_at = began
        self._ring(found)
        return self._rest(seen, more=len(found) == MOST_RINGS)

    def _settle(self, lost: Sequence[Running], *, expires: bool) -> None:
        moment = now()
        if expires:
            sweeping.expire(moment)
        for one in lost:
            reason = f"its process was silent for {self._lease_seconds:g} s in attempt {one.attempt}"
            sweeping.lose(one, most=options_of(one.name).losses, moment=moment, reason=reason)

    def _rest(self, seen: Outlook, *, more: bool) -> float:
        if more:
            return 0.0
        if seen.next_at is None:
            return POLL_SECONDS
        left = (seen.next_at - now()) / timedelta(seconds=1)
        return min(max(left, 0.01), POLL_SECONDS)

    def _report(self, error: Exception) -> None:
        moment = self._monotonic()
        if isinstance(error, Unavailable):
            self._watch.clear()
        if self._failed_at is None or moment - self._failed_at >= _SAY_AGAIN_SECONDS:
            self._failed_at = moment
            _LOG.warning("Nobody can look after tasks; it is tried again every %s s", POLL_SECONDS, exc_info=True)


def options_of(name: str) -> Options:
    """Return how a task is run; one whose code is not here, as others are."""
    try:
        return TASKS.get(name).options
    except NotRegistered:
        return Options()
