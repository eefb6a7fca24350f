"""Look at runs, read along, and cancel them."""

from collections.abc import Sequence

from application.libs.auth import current_identity
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.scheduler import business
from application.modules.scheduler.schemas import JobId
from application.modules.scheduler.schemas_run import (
    BusyOut,
    OutputOut,
    OutputQuery,
    PageOfRuns,
    RunDetailOut,
    RunId,
    RunOut,
    RunQuery,
)
from application.permissions import Permission

run = Redprint("run", __name__, url_prefix="", tag="scheduler")


@run.get("/jobs/<job_id>/runs", permission=Permission.SCHEDULER_MANAGE, answer=RunOut, errors=[business.JobNotFound])
def get_job_runs(job_id: JobId, query: PageOfRuns) -> Page[business.run.RunRow]:
    """List the runs of a job, newest first."""
    return business.run.search_of(job_id, limit=query.limit, after=query.after)


@run.get("/runs", permission=Permission.SCHEDULER_MANAGE, answer=RunOut)
def get_runs(query: RunQuery) -> Page[business.run.RunRow]:
    """List the runs of all jobs, newest first."""
    return business.run.search(**query.model_dump())


@run.get(
    "/runs/<id:run_id>", permission=Permission.SCHEDULER_MANAGE, answer=RunDetailOut, errors=[business.run.RunNotFound]
)
def get_run(run_id: RunId) -> business.run.RunDetail:
    """Read a run with each of its attempts."""
    return business.run.get(run_id)


@run.post(
    "/runs/<id:run_id>/cancel",
    permission=Permission.SCHEDULER_MANAGE,
    answer=RunDetailOut,
    errors=[business.run.RunNotFound, business.run.RunEnded],
)
def cancel_run(run_id: RunId) -> business.run.RunDetail:
    """Cancel a run: what waits never begins, a process is killed, a thread is asked to end."""
    return business.run.cancel(run_id, by=current_identity().name)


@run.get(
    "/runs/<id:run_id>/output",
    permission=Permission.SCHEDULER_MANAGE,
    answer=OutputOut,
    errors=[business.run.RunNotFound],
)
def get_output(run_id: RunId, query: OutputQuery) -> business.run.OutputRow:
    """Read what a run logs and prints, from a place on, also while it runs."""
    return business.run.read(run_id, after=query.after)


@run.get("/busy", permission=Permission.SCHEDULER_MANAGE, answer=BusyOut)
def get_busy() -> Sequence[business.run.BusyRow]:
    """List what goes on now, on all hosts, the longest first."""
    return business.run.busy()
