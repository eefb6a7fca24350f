"""Let code steer the jobs of an application by the rules that the API goes by, each call in a unit of work."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.schedulers import SchedulerNotRunningError
from msgspec import ValidationError

from application.database import transaction
from application.extensions import scheduler
from application.libs import trigger
from application.libs.auth import find_identity
from application.libs.catalogue import Catalogue, NotRegistered
from application.libs.declaration import DeclarationError
from application.libs.error import field_error
from application.libs.scheduled_job import JobFacts
from application.libs.steering import Unfit
from application.modules.scheduler import business
from application.modules.scheduler.business import roster
from application.modules.scheduler.business.definition import arguments_of, register
from application.modules.scheduler.schemas import JobIn

_KEYS = frozenset(JobIn.model_fields)

BY_CODE = "code"
"""Whose change it is where nobody is signed in."""


class EngineOperations:
    """Steer the jobs of one application; see `application.libs.steering.Operations`."""

    def __init__(self, functions: Catalogue, declare: Callable[[Mapping[str, Any]], None]) -> None:
        """Register in `functions`, and hand declarations to `declare`."""
        self._functions = functions
        self.declare = declare

    def register(self, function: Callable[..., object], name: str | None) -> str:
        """Let jobs call a function, and return its reference."""
        try:
            return register(self._functions, function, name)
        except DeclarationError as error:
            raise Unfit(str(error), [field_error("body", "func", msg=str(error), type_="declaration")]) from None

    def add(self, given: Mapping[str, Any]) -> JobFacts:
        """Add a job."""
        with _unit(str(given.get("id"))):
            return self._facts(business.create(_checked(given), by=_by()))

    def change(self, job_id: str, given: Mapping[str, Any]) -> JobFacts:
        """Change a job."""
        with _unit(job_id):
            return self._facts(business.update(job_id, _checked(given), by=_by()))

    def find(self, job_id: str, jobstore: str | None) -> JobFacts | None:
        """Return a job, None where there is none."""
        _check_store(jobstore)
        with transaction(write=False):
            try:
                job = business.get(job_id)
            except business.JobNotFound:
                return None
        return self._facts(job) if jobstore in (None, job.jobstore) else None

    def all(self, jobstore: str | None) -> list[JobFacts]:
        """Return the jobs by their next run, paused ones last."""
        _check_store(jobstore)
        with transaction(write=False):
            return [self._facts(job) for job in roster.search().items if jobstore in (None, job.jobstore)]

    def remove(self, job_id: str, jobstore: str | None) -> None:
        """Delete a job."""
        with _unit(job_id, jobstore):
            business.delete(job_id, by=_by())

    def pause(self, job_id: str, jobstore: str | None) -> None:
        """Take a job off the schedule."""
        with _unit(job_id, jobstore):
            business.pause(job_id, by=_by())

    def resume(self, job_id: str, jobstore: str | None) -> None:
        """Put a job on the schedule again; delete one whose time is over."""
        with _unit(job_id, jobstore):
            business.resume(job_id, by=_by())

    def run(self, job_id: str, jobstore: str | None) -> str:
        """Ask for a run now and return its id."""
        with _unit(job_id, jobstore):
            return business.request_run(job_id, by=_by())[1]

    def pause_all(self) -> None:
        """Pause the schedule for all processes."""
        with _unit(""):
            business.cluster.pause(by=_by())

    def resume_all(self) -> None:
        """Let the schedule go on."""
        with _unit(""):
            business.cluster.resume()

    @property
    def paused(self) -> bool:
        """Tell whether the schedule is paused for all processes."""
        with transaction(write=False):
            return business.cluster.status().paused

    def _facts(self, job: business.JobRow) -> JobFacts:
        definition = job.definition
        args, kwargs = arguments_of(definition) if definition is not None else ([], {})
        try:
            function = self._functions.get(job.func).function
        except NotRegistered:
            function = None
        return JobFacts(
            id=job.id,
            name=job.name,
            func_ref=job.func,
            function=function,
            args=args,
            kwargs=kwargs,
            trigger=None if definition is None else trigger.handed(definition.trigger),
            executor=job.executor,
            coalesce=job.coalesce,
            max_instances=job.max_instances,
            misfire_grace_time=job.misfire_grace_time,
            next_run_time=job.next_run_time,
            jobstore=job.jobstore,
        )


def _checked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is given, if there is nothing that no job has; what is only shown is passed over by the rules."""
    unknown = sorted(given.keys() - _KEYS)
    if unknown:
        message = f"A job has no {', '.join(unknown)}; leave it out"
        raise Unfit(
            message, [field_error("body", name, msg="There is no such field", type_="unknown") for name in unknown]
        )
    return given


def _check_store(jobstore: str | None) -> None:
    if jobstore is not None and jobstore not in scheduler.setup.stores.aliases:
        raise KeyError(f"No such job store: {jobstore}")


def _check_place(job_id: str, jobstore: str | None) -> None:
    if jobstore is not None and business.get(job_id).jobstore != jobstore:
        raise business.JobNotFound


def _by() -> str:
    identity = find_identity()
    return BY_CODE if identity is None else identity.name


@contextmanager
def _unit(job_id: str, jobstore: str | None = None) -> Iterator[None]:
    """Run the block in the caller's unit of work or in one of its own, and say what is wrong as APScheduler does."""
    _check_store(jobstore)
    try:
        with transaction():
            _check_place(job_id, jobstore)
            yield
    except business.JobNotFound:
        raise JobLookupError(job_id) from None
    except business.JobExists:
        raise ConflictingIdError(job_id) from None
    except business.InvalidJob as error:
        raise Unfit(error.detail or error.title, list(error.errors)) from None
    except business.JobQuarantined as error:
        raise Unfit(error.detail or error.title) from None
    except ValidationError as error:
        raise Unfit(str(error)) from None
    except business.cluster.NotRunning:
        raise SchedulerNotRunningError from None
