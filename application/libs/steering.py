"""Steer jobs from code by the methods of Flask-APScheduler's extension: they act on the store that all processes share.

A call acts in the unit of work that is open, or in one of its own; without an application context, on the application
that was bound last. Before one is bound a callable can be declared: it is brought in when the scheduler starts.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar, overload

from apscheduler.events import EVENT_SCHEDULER_PAUSED, EVENT_SCHEDULER_RESUMED, SchedulerEvent
from apscheduler.jobstores.base import ConflictingIdError
from flask import Flask, current_app, has_app_context

from application.libs.declaration import DeclarationError
from application.libs.scheduled_job import JobFacts, ScheduledJob

OPERATIONS = "scheduler-operations"
"""Under which an application's extensions hold what steers its jobs."""

F = TypeVar("F", bound=Callable[..., object])


class Unfit(ValueError):
    """A job cannot be as it is wanted; `errors` names each fault and its place."""

    def __init__(self, message: str, errors: list[Any] | None = None) -> None:
        """Say what is wrong, as the API does."""
        super().__init__(message)
        self.errors = errors or []


class Operations(Protocol):
    """Act on the jobs of one application, by the rules that the API goes by.

    Raises APScheduler's `JobLookupError` and `ConflictingIdError`, and `Unfit` for everything else that is wrong.
    """

    def declare(self, job: Mapping[str, Any]) -> None:
        """Take a job in that code declares, as if it stood in SCHEDULER_JOBS."""

    def register(self, function: Callable[..., object], name: str | None) -> str:
        """Let jobs call a function, and return its reference."""

    def add(self, given: Mapping[str, Any]) -> JobFacts:
        """Add a job."""

    def change(self, job_id: str, given: Mapping[str, Any]) -> JobFacts:
        """Change a job."""

    def find(self, job_id: str, jobstore: str | None) -> JobFacts | None:
        """Return a job, None where there is none."""

    def all(self, jobstore: str | None) -> list[JobFacts]:
        """Return the jobs by their next run, paused ones last."""

    def remove(self, job_id: str, jobstore: str | None) -> None:
        """Delete a job."""

    def pause(self, job_id: str, jobstore: str | None) -> None:
        """Take a job off the schedule."""

    def resume(self, job_id: str, jobstore: str | None) -> None:
        """Put a job on the schedule again; delete one whose time is over."""

    def run(self, job_id: str, jobstore: str | None) -> str:
        """Ask for a run now and return its id."""

    def pause_all(self) -> None:
        """Pause the schedule for all processes; raise SchedulerNotRunningError where nobody fires."""

    def resume_all(self) -> None:
        """Let the schedule go on; raise SchedulerNotRunningError where nobody fires."""

    @property
    def paused(self) -> bool:
        """Tell whether the schedule is paused for all processes."""


class Steering:
    """Be the part of the extension that adds, changes and runs jobs."""

    app: Flask | None
    scheduler: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Begin with nothing declared."""
        self.declared: list[dict[str, Any]] = []
        """What `task`, and `add_job` before an application is bound, have declared."""
        self.functions: list[tuple[Callable[..., object], str | None]] = []
        """What `function` has registered, with the names that were chosen."""
        super().__init__(*arguments, **options)

    def task(self, trigger: Any = None, id: str | None = None, **fields: Any) -> Callable[[F], F]:
        """Declare a job of the decorated function, as a dict of SCHEDULER_JOBS does.

        Without an id it has the function's name: it is found again by it at the next start.
        """

        def declare(function: F) -> F:
            job = {"id": id or function.__name__, "func": function, "trigger": trigger, **fields}
            self._declare({name: value for name, value in job.items() if name != "trigger" or value is not None})
            return function

        return declare

    def function(self, name: str | None = None) -> Callable[[F], F]:
        """Let jobs call the decorated function, by a name: `@scheduler.function()`.

        What is decorated at import is known to each process, and that is where a job has to run.
        """

        def register(function: F) -> F:
            self.functions.append((function, name))
            if self._application() is not None:
                self._act(lambda operations: operations.register(function, name))
            return function

        return register

    @overload
    def job(self, function: F, /) -> F: ...

    @overload
    def job(self, /, *, name: str) -> Callable[[F], F]: ...

    def job(self, function: F | None = None, /, *, name: str | None = None) -> F | Callable[[F], F]:
        """Let jobs call the decorated function, as `function` does: `@scheduler.job`, `@scheduler.job(name="x")`."""
        register = self.function(name)
        return register if function is None else register(function)

    def add_job(self, id: str, func: Any, **options: Any) -> ScheduledJob:
        """Add a job and return it; a callable is registered by it, a text has to be.

        Raises `ConflictingIdError` unless `replace_existing`, and ValueError with every fault.
        """
        given = {**options, "id": id, "func": func, "name": options.get("name") or id}
        if self._application() is None:
            return self._pending(given)
        return self._shown(self._act(lambda operations: operations.add(self._named(operations, given))))

    def modify_job(self, id: str, jobstore: str | None = None, **changes: Any) -> ScheduledJob:
        """Change a job, all that is given or nothing, and return it; a paused one stays paused."""
        given = changes if jobstore is None else {**changes, "jobstore": jobstore}
        return self._shown(self._act(lambda operations: operations.change(id, self._named(operations, given))))

    def reschedule_job(self, id: str, jobstore: str | None = None, trigger: Any = None, **fields: Any) -> ScheduledJob:
        """Give a job another trigger and return the job."""
        return self.modify_job(id, jobstore, **({} if trigger is None else {"trigger": trigger}), **fields)

    def remove_job(self, id: str, jobstore: str | None = None) -> None:
        """Delete a job; its runs and changes stay."""
        self._act(lambda operations: operations.remove(id, jobstore))

    def remove_all_jobs(self, jobstore: str | None = None) -> None:
        """Delete the jobs of a store, or of all."""

        def remove(operations: Operations) -> None:
            for job in operations.all(jobstore):
                operations.remove(job.id, job.jobstore)

        self._act(remove)

    def get_job(self, id: str, jobstore: str | None = None) -> ScheduledJob | None:
        """Return a job, None where there is none."""
        if self._application() is None:
            return next((job for job in self.get_jobs() if job.id == id), None)
        facts = self._act(lambda operations: operations.find(id, jobstore))
        return None if facts is None else self._shown(facts)

    def get_jobs(self, jobstore: str | None = None) -> list[ScheduledJob]:
        """Return the jobs by their next run, paused ones last; before an application is bound, what is declared."""
        if self._application() is None:
            return [ScheduledJob(self, _declared_facts(job)) for job in self.declared]
        return [self._shown(facts) for facts in self._act(lambda operations: operations.all(jobstore))]

    def pause_job(self, id: str, jobstore: str | None = None) -> ScheduledJob | None:
        """Take a job off the schedule until it is resumed, and return it."""
        self._act(lambda operations: operations.pause(id, jobstore))
        return self.get_job(id, jobstore)

    def resume_job(self, id: str, jobstore: str | None = None) -> ScheduledJob | None:
        """Put a job on the schedule again and return it; one whose time is over is deleted."""
        self._act(lambda operations: operations.resume(id, jobstore))
        return self.get_job(id, jobstore)

    def run_job(self, id: str, jobstore: str | None = None) -> str:
        """Ask for a run now, of a paused job too, and return the id of the run; nothing waits for it."""
        run_id: str = self._act(lambda operations: operations.run(id, jobstore))
        return run_id

    def pause(self) -> None:
        """Pause the schedule for all processes until it is resumed."""
        self._act(lambda operations: operations.pause_all())
        self.scheduler.announce(SchedulerEvent(EVENT_SCHEDULER_PAUSED))

    def resume(self) -> None:
        """Let the schedule go on for all processes."""
        self._act(lambda operations: operations.resume_all())
        self.scheduler.announce(SchedulerEvent(EVENT_SCHEDULER_RESUMED))

    def _declare(self, job: dict[str, Any]) -> None:
        if any(known["id"] == job["id"] for known in self.declared):
            raise DeclarationError(f"The job {job['id']!r} is declared twice; give each an id of its own")
        if self._application() is not None:
            self._act(lambda operations: operations.declare(job))
        self.declared.append(job)

    def _pending(self, given: dict[str, Any]) -> ScheduledJob:
        """Keep a job until an application is bound; declared again it is replaced only where that is wanted."""
        known = [job for job in self.declared if job["id"] == given["id"]]
        if known and not given.get("replace_existing"):
            raise ConflictingIdError(given["id"])
        self.declared[:] = [job for job in self.declared if job not in known]
        self._declare(given)
        return ScheduledJob(self, _declared_facts(given))

    def _named(self, operations: Operations, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is given with its function as text."""
        func = given.get("func")
        return {**given, "func": operations.register(func, None)} if callable(func) else dict(given)

    def _shown(self, facts: JobFacts) -> ScheduledJob:
        return ScheduledJob(self, facts)

    def _application(self) -> Flask | None:
        return current_app if has_app_context() else self.app

    def _operations(self) -> Operations | None:
        app = self._application()
        return None if app is None else app.extensions.get(OPERATIONS)

    def _act(self, work: Callable[[Operations], Any]) -> Any:
        app, operations = self._application(), self._operations()
        if app is None or operations is None:
            raise RuntimeError("No scheduler is bound; call create_app() with SCHEDULER_ENABLED=1 before this")
        context: AbstractContextManager[object] = nullcontext() if has_app_context() else app.app_context()
        with context:
            return work(operations)


def _declared_facts(job: Mapping[str, Any]) -> JobFacts:
    """Show a declaration that nobody has stored yet; what it leaves out is not known before."""
    return JobFacts(
        id=job["id"],
        name=job.get("name") or job["id"],
        func_ref=job["func"]
        if isinstance(job["func"], str)
        else f"{job['func'].__module__}:{job['func'].__qualname__}",
        function=job["func"] if callable(job["func"]) else None,
        args=job.get("args", ()),
        kwargs=job.get("kwargs", {}),
        trigger=job.get("trigger", "date"),
        executor=job.get("executor", "default"),
        coalesce=job.get("coalesce", True),
        max_instances=job.get("max_instances", 1),
        misfire_grace_time=job.get("misfire_grace_time", 60),
        next_run_time=None,
        jobstore=None,
    )
