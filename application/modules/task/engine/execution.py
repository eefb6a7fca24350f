"""Do a task: claim its row, call its function with all that it has, and write down how that ended."""

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask

from application.database import transaction
from application.libs import tagged_json
from application.libs.catalogue import NotRegistered
from application.libs.error import Unavailable
from application.libs.outcome_text import fault_of
from application.libs.process_pool import KillablePool, Killed, ProcessDied
from application.libs.run_context import Cancelled, current_stop
from application.libs.task import TASKS, Declared, TaskContext, current_task
from application.modules.task.business import attempting
from application.modules.task.business.attempting import Claimed, Superseded, Worker
from application.modules.task.engine import child
from application.modules.task.engine.keeper import STOPS, Closed, Hand, Keeper, Unit

_LOG = logging.getLogger(__name__)

_AGAIN_SECONDS = (0.2, 0.5, 1.0)

MOST_POSTPONED = 100
"""How often a task may meet a database that is away before that counts as a failure."""


_END_CODES = frozenset(-(256 - number) for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT))
"""With which billiard, whose processes Celery's prefork has, ends one that a signal has told to end."""


class SoftLimitExceeded(Exception):
    """The task took longer than it should, and heeded that it was asked to end."""


class Execution:
    """Do what this process is rung for, on the threads that call `perform`."""

    def __init__(
        self,
        app: Flask,
        worker: Worker,
        keeper: Keeper,
        unit: Unit,
        *,
        pool: KillablePool | None = None,
        kill: Callable[[], object] | None = None,
    ) -> None:
        """Do it for an application.

        `pool` are processes for what may kill or be killed; `kill` ends this one where it does one task at a time.
        """
        self._app = app
        self._worker = worker
        self._keeper = keeper
        self._unit = unit
        self._pool = pool
        self._kill = kill

    def perform(self, task_id: str) -> str:
        """Do a task that was rung for; return in words what came of that."""
        if self._keeper.closed:
            return "left to another process: this one stops"
        try:
            with self._unit():
                claimed = attempting.claim(task_id, self._worker)
        except Unavailable:
            return "the database is away; it is rung for again"
        if claimed is None:
            return "nothing to do: it has begun or ended already"
        try:
            declared = TASKS.get(claimed.name).limited(claimed.hard_limit_seconds)
        except NotRegistered:
            return self._write(partial(attempting.postpone, claimed, "No code for it is here"))
        try:
            return self._do(declared, claimed)
        except Closed:
            return self._write(partial(attempting.hand_back, claimed, STOPS))

    def _do(self, declared: Declared, claimed: Claimed) -> str:
        needs_process = declared.options.hard_limit_seconds is not None or claimed.losses > 0
        if needs_process and self._pool is not None:
            return self._do_there(declared, claimed, self._pool)
        return self.do_here(declared, claimed, kill=self._kill)

    def do_here(self, declared: Declared, claimed: Claimed, kill: Callable[[], object] | None = None) -> str:
        """Do a task on this thread."""
        hand = self._keeper.add(claimed, declared.options, kill)
        try:
            with self._bound(claimed, hand):
                return self._call(declared, claimed, hand)
        except Superseded:
            _LOG.warning("Task %s %s ended after it had been given up here", declared.name, claimed.id)
            return "given up"
        except BaseException as error:
            if self._kill is not None and _is_end_of_process(error):
                self._write(partial(attempting.hand_back, claimed, STOPS))
                raise
            return self._write(partial(self._end_badly, declared, hand, error))
        finally:
            self._keeper.remove(hand)

    def _call(self, declared: Declared, claimed: Claimed, hand: Hand) -> str:
        given = tagged_json.decode(claimed.arguments)
        args, kwargs = declared.entry.convert(given["args"], given["kwargs"])
        if declared.options.transaction:
            with transaction():
                result = declared.entry.function(*args, **kwargs)
                attempting.succeed(claimed, result, hand.take_progress())
            return "done"
        result = declared.entry.function(*args, **kwargs)
        return self._write(partial(attempting.succeed, claimed, result, hand.take_progress()))

    def _do_there(self, declared: Declared, claimed: Claimed, pool: KillablePool) -> str:
        """Do a task in a process of its own, while this thread waits."""
        hand = self._keeper.add(
            claimed, declared.options, partial(pool.kill, claimed.id), partial(pool.has_begun, claimed.id)
        )
        try:
            return pool.call(claimed.id, child.do, claimed)
        except Killed:
            if hand.why == "stopping":
                return self._write(partial(attempting.hand_back, claimed, hand.stop.reason))
            return hand.stop.reason
        except ProcessDied as error:
            return self._write(partial(attempting.lose, claimed, most=declared.options.losses, reason=str(error)))
        finally:
            self._keeper.remove(hand)

    @contextmanager
    def _bound(self, claimed: Claimed, hand: Hand) -> Iterator[None]:
        context = TaskContext(
            task_id=claimed.id,
            name=claimed.name,
            key=claimed.key,
            attempt=claimed.attempt,
            stop=hand.stop,
            report=hand.report,
            is_interrupted=lambda: hand.why in ("stopping", "superseded"),
        )
        known, asked = current_task.set(context), current_stop.set(hand.stop)
        try:
            with self._app.app_context():
                yield
        finally:
            current_stop.reset(asked)
            current_task.reset(known)

    def _end_badly(self, declared: Declared, hand: Hand, error: BaseException) -> None:
        claimed = hand.claimed
        if isinstance(error, Cancelled) and hand.why == "cancelled":
            attempting.end_cancelled(claimed, hand.stop.reason)
        elif isinstance(error, Cancelled) and hand.why == "stopping":
            attempting.hand_back(claimed, hand.stop.reason)
        elif isinstance(error, Unavailable) and claimed.attempt < MOST_POSTPONED:
            attempting.postpone(claimed, "the database was away")
        else:
            if isinstance(error, Cancelled) and hand.why == "soft limit":
                error = SoftLimitExceeded(hand.stop.reason)
            attempting.fail(claimed, error, fault_of(error), declared.options)

    def _write(self, write: Callable[[], object]) -> str:
        """Write down how a task ended, again and again where the database is away, as long as this process lives."""
        tries = 0
        while True:
            try:
                with self._unit():
                    write()
            except Superseded:
                return "given up"
            except Unavailable:
                if self._keeper.stopped:
                    return "not written down: the database is away, and this process stops"
                time.sleep(_AGAIN_SECONDS[min(tries, len(_AGAIN_SECONDS) - 1)])
                tries += 1
            else:
                return "ended"


def _is_end_of_process(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and error.code in _END_CODES
