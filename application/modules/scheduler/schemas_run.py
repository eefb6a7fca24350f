"""What runs look like on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from application.libs.schema import Ident, Schema, UtcTime
from application.modules.scheduler.schemas import Tag

RunId = Annotated[str, Field(description="The run's id.")]


class RunOut(Schema):
    """Show a run, or why there was none."""

    id: Ident
    job_id: str = Field(examples=["prune-expired-sessions"])
    status: str = Field(
        description="queued, held, running, succeeded, failed, timed_out, cancelled, "
        "missed, skipped, interrupted or lost",
        examples=["succeeded"],
    )
    cause: str = Field(description="schedule, manual, or catch-up: later than the grace", examples=["schedule"])
    requested_by: str | None = Field(description="Who asked for a manual run.", examples=[None])
    reason: str | None = Field(description="Why it did not run, with the numbers.", examples=[None])
    tags: list[str] = Field(description="The job's as they were.", examples=[["nightly"]])
    fires: int = Field(description="How many instants the row stands for.", examples=[1])
    attempts: int = Field(description="How often its function was begun.", examples=[1])
    scheduled_at: datetime
    due_at: datetime | None = Field(description="When the next attempt may begin; null unless it is queued.")
    started_at: datetime | None
    finished_at: datetime | None
    error_type: str | None = Field(examples=[None])
    error_message: str | None = Field(examples=[None])
    host: str | None = Field(examples=["web-1"])
    process: int | None = Field(examples=[4711])


class AttemptOut(Schema):
    """Show one time that the function was begun."""

    number: int = Field(examples=[1])
    status: str = Field(
        description="running, succeeded, failed, timed_out, cancelled, interrupted or lost", examples=["failed"]
    )
    token: int = Field(description="Of the leader that claimed it; fences effects outside.", examples=[3])
    host: str = Field(examples=["web-1"])
    process: int = Field(examples=[4711])
    claimed_at: datetime
    started_at: datetime | None = Field(description="When a thread or a worker took it; null while all were busy.")
    finished_at: datetime | None
    reason: str | None = Field(examples=[None])
    error_type: str | None = Field(examples=["ValueError"])
    error_message: str | None = Field(examples=["no such file"])
    traceback: str | None = Field(description="Where it happened.", examples=[None])
    memory_start: int | None = Field(
        description="Resident memory of its process in bytes, before.", examples=[90_000_000]
    )
    memory_peak: int | None = Field(description="The most there was meanwhile.", examples=[95_000_000])
    memory_shared: bool | None = Field(
        description="Whether others ran in that process meanwhile, as threads do; else the figures are exact.",
        examples=[True],
    )
    task_id: Ident | None = Field(
        description="The task that it was handed to, by an executor of the type celery.", examples=[None]
    )


class RunDetailOut(RunOut):
    """Show a run with each of its attempts."""

    stop_reason: str | None = Field(description="Why it was asked to end.", examples=[None])
    result: Any = Field(description="What its function returned.", examples=[3])
    history: list[AttemptOut] = Field(description="The first attempt first.")


class PageOfRuns(Schema):
    """Choose a page of runs."""

    limit: int = Field(20, ge=1, le=100, description="How many runs a page holds.", examples=[20])
    after: str | None = Field(None, max_length=1024, description="The `after` of the page before's Link header.")


RunStatus = Literal[
    "queued",
    "running",
    "succeeded",
    "failed",
    "timed_out",
    "cancelled",
    "missed",
    "skipped",
    "held",
    "interrupted",
    "lost",
]


class RunQuery(PageOfRuns):
    """Choose runs of all jobs."""

    job_id: str | None = Field(None, max_length=191, description="Only runs of this job.", examples=["nightly-report"])
    tag: Tag | None = Field(None, description="Only runs of jobs that had it then.", examples=["nightly"])
    status: RunStatus | None = Field(None, description="Only runs that are so.", examples=["failed"])
    since: UtcTime | None = Field(None, description="Only runs scheduled then or later.")
    until: UtcTime | None = Field(None, description="Only runs scheduled before.")


class OutputQuery(Schema):
    """Say from where to read."""

    after: int = Field(0, ge=0, le=2**50, description="The `next` of the answer before.", examples=[0])


class OutputOut(Schema):
    """Show what a run has logged and printed since."""

    text: str = Field(examples=["2030-01-31T12:00:00.000Z INFO application.modules.blog [-] 3 reports written\n"])
    next: int = Field(description="Where the next reading begins.", examples=[1_000_001])
    ended: bool = Field(description="Whether nothing more will come.")


class BusyOut(Schema):
    """Show an attempt that goes on."""

    run_id: Ident
    job_id: str = Field(examples=["nightly-report"])
    attempt: int = Field(examples=[1])
    host: str = Field(examples=["web-1"])
    process: int = Field(examples=[4711])
    executor: str = Field(examples=["default"])
    claimed_at: datetime
    started_at: datetime | None = Field(description="null while it waits for a thread")
    seconds: float = Field(description="How long it runs, or waits.", examples=[1.5])
    stop_reason: str | None = Field(description="Why it was asked to end.", examples=[None])
