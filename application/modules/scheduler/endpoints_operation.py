"""Operate jobs: many at once, why one did not run, what is quarantined."""

from collections.abc import Sequence
from typing import Any

from application.config.current import current_settings
from application.libs.auth import current_identity
from application.libs.redprint import Redprint
from application.modules.scheduler import business
from application.modules.scheduler.schemas import PASSED_OVER, JobId, JobOut, shown
from application.modules.scheduler.schemas_operation import (
    ExplanationOut,
    MomentQuery,
    OutcomeOut,
    QuarantineOut,
    RepairIn,
    SelectionIn,
)
from application.permissions import Permission

operation = Redprint("operation", __name__, url_prefix="", tag="scheduler")

SELECTING = (business.bulk.InvalidSelection,)


@operation.post("/bulk/pause", permission=Permission.SCHEDULER_MANAGE, answer=OutcomeOut, errors=SELECTING)
def pause_jobs(body: SelectionIn) -> business.bulk.Outcome:
    """Take jobs off the schedule: those of the ids, of a tag, or all."""
    return business.bulk.pause(_given(body), by=current_identity().name)


@operation.post("/bulk/resume", permission=Permission.SCHEDULER_MANAGE, answer=OutcomeOut, errors=SELECTING)
def resume_jobs(body: SelectionIn) -> business.bulk.Outcome:
    """Put jobs on the schedule again: those of the ids, of a tag, or all."""
    return business.bulk.resume(_given(body), by=current_identity().name)


@operation.post(
    "/bulk/run",
    permission=Permission.SCHEDULER_MANAGE,
    answer=OutcomeOut,
    errors=[*SELECTING, business.RunRequested],
)
def run_jobs(body: SelectionIn) -> business.bulk.Outcome:
    """Ask for a run of each of the jobs now."""
    return business.bulk.request_runs(_given(body), by=current_identity().name)


@operation.post("/bulk/delete", permission=Permission.SCHEDULER_MANAGE, answer=OutcomeOut, errors=SELECTING)
def delete_jobs(body: SelectionIn) -> business.bulk.Outcome:
    """Delete jobs; their runs and changes stay."""
    return business.bulk.delete(_given(body), by=current_identity().name)


@operation.get(
    "/jobs/<job_id>/explain",
    permission=Permission.SCHEDULER_MANAGE,
    answer=ExplanationOut,
    errors=[business.JobNotFound],
)
def explain_job(job_id: JobId, query: MomentQuery) -> business.explanation.Explanation:
    """Tell why a job ran at an instant, or did not."""
    settings = current_settings()
    retention = business.explanation.Retention(settings.scheduler_runs_keep_days, settings.scheduler_runs_keep_per_job)
    return business.explanation.explain(job_id, query.at, retention)


@operation.get("/quarantine", permission=Permission.SCHEDULER_MANAGE, answer=QuarantineOut)
def get_quarantine() -> Sequence[business.quarantine.QuarantineRow]:
    """List the jobs that cannot be restored, and why."""
    return business.quarantine.search()


@operation.post(
    "/quarantine/<job_id>/repair",
    permission=Permission.SCHEDULER_MANAGE,
    errors=[
        business.InvalidJob,
        business.JobNotFound,
        business.JobQuarantined,
        business.JobExists,
        business.JobChanged,
        business.quarantine.NotQuarantined,
    ],
)
def repair_job(job_id: JobId, body: RepairIn) -> JobOut:
    """Restore a quarantined job by another function or other arguments, or by all of it where nothing can be read."""
    given = body.model_dump(exclude_unset=True, exclude=set(PASSED_OVER))
    return shown(business.quarantine.repair(job_id, given, by=current_identity().name))


def _given(body: SelectionIn) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True)
