"""What the scheduler tells those who watch it, over HTTP and `/ws`."""

from datetime import datetime

from pydantic import Field

from application.libs.schema import Ident, Schema
from application.modules.scheduler.schemas import if_any


class EventQuery(Schema):
    """Say what has been seen."""

    after: int | None = Field(
        None,
        ge=0,
        le=2**63 - 1,
        description="The `last` of the answer before; without it the answer only says where the numbers stand.",
        examples=[0],
    )


class EventOut(Schema):
    """Show what happened; what does not apply is left out."""

    number: int = Field(description="Grows by one with each event.", examples=[4711])
    kind: str = Field(
        description="added, changed, paused, resumed, removed (a job, or with no job_id the whole schedule); "
        "queued, started, finished, missed, skipped (a run); leader (who leads; nobody where it names no host); alert",
        examples=["finished"],
    )
    at: datetime = Field(description="By the clock of the process that did it.")
    job_id: str | None = if_any(examples=["prune-expired-sessions"])
    run_id: Ident | None = if_any()
    status: str | None = if_any(description="What the run has become.", examples=["succeeded"])
    attempt: int | None = if_any(examples=[1])
    reason: str | None = if_any(description="The beginning of why.")
    by: str | None = if_any(description="Who did it.")
    host: str | None = if_any()
    process: int | None = if_any()
    late_seconds: float | None = if_any(description="How long after its instant the run began.", examples=[0.02])
    duration_seconds: float | None = if_any(description="How long the attempt took.", examples=[0.35])


class EventsOut(Schema):
    """Tell what happened to jobs and runs, in the order of its numbers."""

    events: list[EventOut]
    last: int = Field(description="Ask for what follows this number next.", examples=[4711])
    reset: bool = Field(
        description="Whether events are missing that are kept no longer: read the state anew, then go on from `last`.",
        examples=[False],
    )
