"""Run attempts: find the function, convert its arguments, call it with all that a run has, and note how it ended."""

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial

from flask import Flask
from msgspec.structs import replace

from application.libs import clock
from application.libs.catalogue import Catalogue
from application.libs.outcome_text import Fault, fault_of
from application.libs.process_pool import KillablePool, Killed
from application.libs.scheduling import Submission, Submit
from application.libs.trigger import from_micros
from application.modules.scheduler.business import ending
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.calling import called, restored
from application.modules.scheduler.business.definition import build_trigger, decode
from application.modules.scheduler.business.ending import Ended
from application.modules.scheduler.engine import child
from application.modules.scheduler.engine.workload import Hand, Workload

_LOG = logging.getLogger(__name__)


class FailedElsewhere(Exception):
    """A function failed in another process; `fault` is what it raised, as text."""

    def __init__(self, fault: Fault) -> None:
        """Word it as it was."""
        super().__init__(f"{fault.type}: {fault.message}")
        self.fault = fault


class Execution:
    """Hand attempts to their executors, which call back here on a thread of theirs."""

    def __init__(
        self,
        app: Flask,
        functions: Catalogue,
        workload: Workload,
        submit: Submit,
        pools: Mapping[str, KillablePool],
    ) -> None:
        """Call the functions of the catalogue and no other; `pools` are the executors that are processes."""
        self._app = app
        self._functions = functions
        self._workload = workload
        self._submit = submit
        self._pools = pools

    def launch(self, launch: Launch) -> None:
        """Hand an attempt to its executor; raise `Unreadable` or `LookupError` where that cannot be."""
        definition = decode(launch.definition)
        restored_call = restored(definition, self._functions)
        pool = self._pools.get(definition.executor)
        call: Callable[[Hand], object] = partial(self._call_here, launch, restored_call)
        if pool is not None:
            call = partial(self._call_there, launch, pool)
        self._workload.prepare(
            launch.attempt_id,
            executor=definition.executor,
            timeout=definition.timeout,
            kill=None if pool is None else pool.kill,
            has_begun=None if pool is None else pool.has_begun,
        )
        self._submit(
            Submission(
                job_id=launch.job_id,
                name=definition.name,
                trigger=build_trigger(definition),
                executor=definition.executor,
                scheduled_at=from_micros(launch.scheduled_at),
                function=partial(self._run, launch, call),
            )
        )

    def _run(self, launch: Launch, call: Callable[[Hand], object]) -> object:
        """Run an attempt on an executor's thread; what it raises is written down, and raised for the listeners."""
        hand = self._workload.begin(launch.attempt_id)
        if hand is None or hand.begun_at is None:
            return None
        try:
            result = call(hand)
        except Killed:
            return None  # who had it killed has noted how it ended
        except BaseException as error:
            fault = error.fault if isinstance(error, FailedElsewhere) else fault_of(error)
            self._end(ending.failed(launch, hand.begun_at, clock.now(), fault, hand.stop), hand)
            raise
        self._end(ending.succeeded(launch, hand.begun_at, clock.now(), result, hand.stop), hand)
        return result

    def _call_here(self, launch: Launch, call: Callable[[], object], hand: Hand) -> object:
        with self._app.app_context():
            return called(launch, call, stop=hand.stop, output=hand.output)

    def _call_there(self, launch: Launch, pool: KillablePool, hand: Hand) -> object:
        """Run an attempt in a process of a pool, while this thread waits."""
        done = pool.call(launch.attempt_id, child.run, launch)
        hand.memory = done.memory
        if done.fault is not None:
            raise FailedElsewhere(done.fault)
        return None if done.result is None else json.loads(done.result)

    def _end(self, ended: Ended, hand: Hand) -> None:
        if not self._workload.end(replace(ended, memory=hand.memory)):
            _LOG.warning("Job %s ended (%s) after this process had given it up", ended.job_id, ended.status)
