"""What an operator says and sees: of many jobs at once, of what became of a fire, of jobs that are quarantined."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from application.libs.schema import Schema, UtcTime, absent
from application.modules.scheduler.schemas import JobPatch, Tag
from application.modules.scheduler.schemas_run import RunOut


class SelectionIn(Schema):
    """Say which jobs are meant, in exactly one way."""

    ids: Annotated[list[Annotated[str, Field(max_length=191)]], Field(max_length=1000)] = absent(
        examples=[["nightly-report"]]
    )
    tag: Tag = absent()
    all: bool = absent()


class OutcomeOut(Schema):
    """Show what became of many jobs."""

    changed: int = Field(examples=[1])
    unchanged: int = Field(description="How many were so already, or cannot be.", examples=[0])
    not_found: list[str] = Field(description="The ids that no job has.", examples=[[]])


class MomentQuery(Schema):
    """Say which instant is meant."""

    at: UtcTime | None = Field(
        None,
        description="An instant, now if it is left out; a full minute stands for all of it, a full second likewise.",
        examples=["2026-11-28T03:00:00Z"],
    )


class ExplanationOut(Schema):
    """Show why a job ran at an instant, or did not."""

    job_id: str = Field(examples=["nightly-report"])
    at: datetime
    verdict: str = Field(
        description="ran, running, queued, failed, timed_out, cancelled, missed, skipped, held, interrupted, lost, "
        "paused, not_due, not_yet, did_not_exist, deleted, ended, changed_since, quarantined, out_of_retention, "
        "scheduler_was_down or unknown",
        examples=["missed"],
    )
    text: str = Field(description="The same for people, in English.", examples=["Its trigger does not fire then"])
    run: RunOut | None = Field(description="What the ledger holds of it.")
    previous_fire: datetime | None = Field(description="The last one before, by what the job was then.")
    next_fire: datetime | None = Field(description="The first one from then on, by what the job was then.")
    facts: dict[str, Any] = Field(description="What the text is made of.", examples=[{"version": 1}])


class QuarantineOut(Schema):
    """Show a job that cannot be restored."""

    id: str = Field(examples=["nightly-report"])
    reason: str = Field(examples=["no function is registered as reports:nightly"])
    since: datetime | None = Field(description="When whoever fires found out; null where nobody has come to it.")
    definition: str = Field(description="As it is stored.", examples=["{}"])


class RepairIn(JobPatch):
    """Say what a quarantined job becomes: another `func`, other arguments, or all of it where nothing can be read."""
