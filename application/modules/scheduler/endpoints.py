"""Watch, pause, resume and run jobs, in the wire format that clients of Flask-APScheduler know."""

from collections.abc import Sequence
from typing import Any

from flask import Response, request

from application.extensions import scheduler as extension
from application.libs import exposition
from application.libs.auth import current_identity
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.scheduler import business
from application.modules.scheduler.schemas import (
    PASSED_OVER,
    ChangeOut,
    ClusterOut,
    FunctionOut,
    InfoOut,
    JobId,
    JobIn,
    JobOut,
    JobPatch,
    JobQuery,
    LeaderOut,
    PreviewIn,
    PreviewOut,
    PreviewQuery,
    TriggerIn,
    Version,
    shown,
)
from application.modules.scheduler.schemas_sight import EventQuery, EventsOut
from application.permissions import Permission

scheduler = Redprint("scheduler", __name__, url_prefix="")

ADDING = (business.InvalidJob, business.JobExists, business.JobChanged)
CHANGING = (business.InvalidJob, business.JobNotFound, business.JobQuarantined, business.JobChanged)


@scheduler.get("", permission=Permission.SCHEDULER_MANAGE)
def get_scheduler_info() -> InfoOut:
    """Read who fires the jobs."""
    status = business.cluster.status()
    leader = status.leader
    state = "stopped" if not status.running else "paused" if status.paused else "running"
    return InfoOut(
        current_host=extension.host_name,
        allowed_hosts=list(extension.allowed_hosts),
        running=status.running,
        state=state,
        mode=status.mode,
        leader=None if leader is None else LeaderOut(host=leader.host, process=leader.process),
    )


@scheduler.get("/leader", permission=Permission.SCHEDULER_MANAGE, answer=ClusterOut)
def get_leader() -> business.cluster.ClusterRow:
    """Read which process leads, when it was last seen, who competes, and whether the schedule is paused for all."""
    return business.cluster.get()


@scheduler.post("/pause", permission=Permission.SCHEDULER_MANAGE, errors=[business.cluster.NotRunning])
def pause_scheduler() -> None:
    """Pause the schedule for all processes; jobs that are asked for by hand still run."""
    business.cluster.pause(by=current_identity().name)


@scheduler.post("/resume", permission=Permission.SCHEDULER_MANAGE, errors=[business.cluster.NotRunning])
def resume_scheduler() -> None:
    """Let the schedule go on."""
    business.cluster.resume()


@scheduler.post(
    "/start",
    permission=Permission.SCHEDULER_MANAGE,
    errors=[business.cluster.AlreadyRunning, business.cluster.NoRunner, business.cluster.HostNotAllowed],
)
def start_scheduler() -> None:
    """Start the scheduler where jobs are kept in memory; processes of a cluster start by themselves."""
    business.cluster.start()


@scheduler.post(
    "/shutdown",
    permission=Permission.SCHEDULER_MANAGE,
    errors=[business.cluster.NotRunning, business.cluster.NotOffered],
)
def shutdown_scheduler() -> None:
    """Stop the scheduler where jobs are kept in memory; `{"wait": false}` lets what runs run on alone."""
    given = request.get_json(force=True, silent=True)
    business.cluster.shutdown(wait=not (isinstance(given, dict) and given.get("wait") is False))


@scheduler.get("/jobs", permission=Permission.SCHEDULER_MANAGE)
def get_jobs(query: JobQuery) -> Page[JobOut]:
    """List the jobs by their next run, paused ones last; without `limit` all of them."""
    choice = business.roster.Choice(tag=query.tag, state=query.state, source=query.source, q=query.q)
    page = business.roster.search(choice, limit=query.limit, after=query.after)
    return Page(items=[shown(job) for job in page.items], limit=page.limit, next=page.next)


@scheduler.get("/jobs/<job_id>", permission=Permission.SCHEDULER_MANAGE, errors=[business.JobNotFound])
def get_job(job_id: JobId) -> JobOut:
    """Read a job."""
    return shown(business.get(job_id))


@scheduler.post("/jobs", permission=Permission.SCHEDULER_MANAGE, errors=ADDING)
def add_job(body: JobIn) -> JobOut:
    """Add a job; its function is one that is registered."""
    return shown(business.create(_given(body), by=current_identity().name))


@scheduler.patch("/jobs/<job_id>", permission=Permission.SCHEDULER_MANAGE, errors=CHANGING)
def update_job(job_id: JobId, body: JobPatch) -> JobOut:
    """Change a job, all that is given or nothing."""
    return shown(business.update(job_id, _given(body), by=current_identity().name))


@scheduler.delete("/jobs/<job_id>", permission=Permission.SCHEDULER_MANAGE, errors=[business.JobNotFound])
def delete_job(job_id: JobId) -> None:
    """Delete a job; its runs and changes stay."""
    business.delete(job_id, by=current_identity().name)


@scheduler.get(
    "/jobs/<job_id>/history",
    permission=Permission.SCHEDULER_MANAGE,
    answer=ChangeOut,
    errors=[business.JobNotFound],
)
def get_history(job_id: JobId) -> Sequence[business.history.ChangeRow]:
    """List who changed a job and when, newest first; it outlives the job."""
    return business.history_of(job_id)


@scheduler.post(
    "/jobs/<job_id>/revert/<int:version>",
    permission=Permission.SCHEDULER_MANAGE,
    errors=[*CHANGING, business.history.VersionNotFound],
)
def revert_job(job_id: JobId, version: Version) -> JobOut:
    """Make a job what it was in an earlier version; a paused one stays paused."""
    return shown(business.revert(job_id, version, by=current_identity().name))


@scheduler.get("/events", permission=Permission.SCHEDULER_MANAGE, answer=EventsOut)
def get_events(query: EventQuery) -> business.event.Events:
    """List what happened to jobs and runs since an event, as viewers of `/ws` are told."""
    return business.event.since(query.after)


@scheduler.get("/metrics", permission=Permission.SCHEDULER_MANAGE, media_type="text/plain")
def get_metrics() -> Response:
    """Read figures for Prometheus: what became of runs, how long they took, who leads."""
    return Response(exposition.text(business.metrics.read()), content_type=exposition.CONTENT_TYPE)


@scheduler.get("/functions", permission=Permission.SCHEDULER_MANAGE)
def get_functions() -> list[FunctionOut]:
    """List the functions that jobs may call, with the JSON Schemas of their arguments."""
    return [FunctionOut(**function) for function in business.functions()]


@scheduler.post("/preview", permission=Permission.SCHEDULER_MANAGE, answer=PreviewOut, errors=[business.InvalidJob])
def preview_trigger(body: PreviewIn) -> business.Preview:
    """Tell when a trigger would fire next, and what one should beware of."""
    return business.preview(_given(body))


@scheduler.get("/jobs/<job_id>/preview", permission=Permission.SCHEDULER_MANAGE, answer=PreviewOut, errors=CHANGING)
def preview_job(job_id: JobId, query: PreviewQuery) -> business.Preview:
    """Tell when a job will fire next, and what one should beware of."""
    return business.preview_of(job_id, count=query.n)


@scheduler.post("/jobs/<job_id>/pause", permission=Permission.SCHEDULER_MANAGE, errors=[business.JobNotFound])
def pause_job(job_id: JobId) -> JobOut:
    """Take a job off the schedule."""
    return shown(business.pause(job_id, by=current_identity().name))


@scheduler.post(
    "/jobs/<job_id>/resume",
    permission=Permission.SCHEDULER_MANAGE,
    errors=[business.JobNotFound, business.JobQuarantined],
)
def resume_job(job_id: JobId) -> JobOut:
    """Put a paused job on the schedule again."""
    return shown(business.resume(job_id, by=current_identity().name))


@scheduler.post(
    "/jobs/<job_id>/run",
    permission=Permission.SCHEDULER_MANAGE,
    errors=[business.JobNotFound, business.RunRequested],
)
def run_job(job_id: JobId) -> JobOut:
    """Ask for a run now, of a paused job too; the answer does not wait for it."""
    job, run_id = business.request_run(job_id, by=current_identity().name)
    return shown(job, run_id=run_id)


def _given(body: TriggerIn) -> dict[str, Any]:
    """Return what a client gave, without what is only shown."""
    return body.model_dump(exclude_unset=True, exclude=set(PASSED_OVER))
