"""The scheduler over HTTP, as clients of Flask-APScheduler know it."""

from application.extensions import scheduler as extension
from application.libs.auth import current_identity
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.scheduler import business
from application.modules.scheduler.schemas import InfoOut, JobOut, LeaderOut, RunOut, RunQuery
from application.permissions import Permission

scheduler = Redprint("scheduler", __name__, url_prefix="")


@scheduler.get("", permission=Permission.SCHEDULER_MANAGE)
def get_scheduler_info() -> InfoOut:
    """Read who fires the jobs."""
    status = business.status()
    leader = status.leader
    state = "stopped" if leader is None else "paused" if status.paused else "running"
    return InfoOut(
        current_host=extension.host_name,
        allowed_hosts=list(extension.allowed_hosts),
        running=leader is not None,
        state=state,
        mode="cluster",
        leader=None if leader is None else LeaderOut(host=leader.host, process=leader.process),
    )


@scheduler.get("/jobs", permission=Permission.SCHEDULER_MANAGE)
def get_jobs() -> list[JobOut]:
    """List the jobs by their next run, paused ones last."""
    return [_shown(job) for job in business.search()]


@scheduler.get("/jobs/<job_id>", permission=Permission.SCHEDULER_MANAGE, errors=[business.JobNotFound])
def get_job(job_id: str) -> JobOut:
    """Read a job."""
    return _shown(business.get(job_id))


@scheduler.post("/jobs/<job_id>/pause", permission=Permission.SCHEDULER_MANAGE, errors=[business.JobNotFound])
def pause_job(job_id: str) -> JobOut:
    """Take a job off the schedule."""
    return _shown(business.pause(job_id, by=current_identity().name))


@scheduler.post(
    "/jobs/<job_id>/resume",
    permission=Permission.SCHEDULER_MANAGE,
    errors=[business.JobNotFound, business.JobQuarantined],
)
def resume_job(job_id: str) -> JobOut:
    """Put a paused job on the schedule again."""
    return _shown(business.resume(job_id))


@scheduler.post(
    "/jobs/<job_id>/run",
    permission=Permission.SCHEDULER_MANAGE,
    errors=[business.JobNotFound, business.RunRequested],
)
def run_job(job_id: str) -> JobOut:
    """Ask for a run now, of a paused job too; the answer does not wait for it."""
    job, run_id = business.request_run(job_id, by=current_identity().name)
    return _shown(job, run_id=run_id)


@scheduler.get(
    "/jobs/<job_id>/runs", permission=Permission.SCHEDULER_MANAGE, answer=RunOut, errors=[business.JobNotFound]
)
def get_runs(job_id: str, query: RunQuery) -> Page[business.RunRow]:
    """List the runs of a job, newest first."""
    return business.search_runs(job_id, limit=query.limit, after=query.after)


def _shown(job: business.JobRow, *, run_id: str | None = None) -> JobOut:
    fields = {name: getattr(job, name) for name in job.__struct_fields__ if name != "trigger"}
    return JobOut(**fields, **job.trigger, run_id=run_id)
