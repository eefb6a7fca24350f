"""Show a stored job to code as an object of APScheduler, whose methods change the store."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from apscheduler.job import Job

from application.libs.record import Record


class JobFacts(Record):
    """Hold what a job is; `function` is None where none is registered under `func_ref`."""

    id: str
    name: str
    func_ref: str
    function: Callable[..., object] | None
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    trigger: Any
    executor: str
    coalesce: bool
    max_instances: int
    misfire_grace_time: int | None
    next_run_time: datetime | None
    jobstore: str | None = "default"
    """None where the job is declared and not stored yet."""


class SubmittedJob(Job):
    """Be what an executor is given: events name the store of its job."""

    def __init__(self, job_id: str, function: Callable[[], object], *, name: str, trigger: Any, executor: str) -> None:
        """Take what the ledger has judged: it may run now, however late and often.

        APScheduler's own inspects the function's signature each time, which costs more than handing it over.
        """
        self.id, self.name, self.trigger, self.executor = job_id, name, trigger, executor
        self.func, self.func_ref, self.args = function, None, ()
        self.kwargs: dict[str, Any] = {}
        self.coalesce, self.max_instances, self.misfire_grace_time = True, sys.maxsize, None
        self.next_run_time, self._scheduler, self._jobstore_alias = None, None, "default"


class ScheduledJob(Job):
    """Be a job as it was when it was read; `modify`, `pause` and the like change the store and then this object."""

    def __init__(self, scheduler: Any, facts: JobFacts) -> None:
        """Show the facts; `scheduler` is asked for every change."""
        self._scheduler = scheduler
        self._show(facts)

    def modify(self, **changes: Any) -> "ScheduledJob":
        """Change the job, all that is given or nothing."""
        return self._again(self._scheduler.modify_job(self.id, self._jobstore_alias, **changes))

    def reschedule(self, trigger: Any, **trigger_args: Any) -> "ScheduledJob":
        """Give the job another trigger."""
        return self._again(self._scheduler.reschedule_job(self.id, self._jobstore_alias, trigger, **trigger_args))

    def pause(self) -> "ScheduledJob":
        """Take the job off the schedule."""
        return self._again(self._scheduler.pause_job(self.id, self._jobstore_alias))

    def resume(self) -> "ScheduledJob":
        """Put the job on the schedule again."""
        return self._again(self._scheduler.resume_job(self.id, self._jobstore_alias))

    def remove(self) -> None:
        """Delete the job; its runs stay."""
        self._scheduler.remove_job(self.id, self._jobstore_alias)

    def _again(self, changed: "ScheduledJob | None") -> "ScheduledJob":
        """Show what has become of it; of a job whose time is over nothing is left but that it has no next run."""
        if changed is None:
            self.next_run_time = None
            return self
        for name in (*_SHOWN, "func", "func_ref", "_jobstore_alias"):
            setattr(self, name, getattr(changed, name))
        return self

    def _show(self, facts: JobFacts) -> None:
        for name in _SHOWN:
            setattr(self, name, getattr(facts, name))
        self.func, self.func_ref, self._jobstore_alias = facts.function, facts.func_ref, facts.jobstore


_SHOWN = (
    "id",
    "name",
    "args",
    "kwargs",
    "trigger",
    "executor",
    "coalesce",
    "max_instances",
    "misfire_grace_time",
    "next_run_time",
)
