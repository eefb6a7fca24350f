"""What jobs and runs look like on the wire: Flask-APScheduler's keys, and ours beside them."""

from datetime import datetime
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from application.libs.schema import Schema

_OPTIONAL = frozenset(
    {
        *("run_date", "start_date", "end_date", "jitter", "timezone", "run_id"),
        *("weeks", "days", "hours", "minutes", "seconds"),
        *("year", "month", "day", "week", "day_of_week", "hour", "minute", "second"),
    }
)


class LeaderOut(Schema):
    """Show which process fires."""

    host: str
    process: int


class InfoOut(Schema):
    """Show the scheduler; `running` is whether any process fires."""

    current_host: str = Field(description="The machine that answers.")
    allowed_hosts: list[str]
    running: bool
    state: str = Field(description="running, paused or stopped")
    mode: str = Field(description="cluster: any process serves the jobs, an elected one fires them")
    leader: LeaderOut | None


class JobOut(Schema):
    """Show a job; of the trigger's fields only those it has."""

    id: str = Field(examples=["prune-expired-tokens"])
    name: str
    func: str = Field(examples=["application.modules.auth.tasks:prune_expired_tokens"])
    args: list[Any]
    kwargs: dict[str, Any]
    trigger: str = Field(examples=["interval"], description="date, interval or cron")
    run_date: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    timezone: str | None = None
    jitter: float | None = None
    weeks: int | None = None
    days: int | None = None
    hours: int | None = None
    minutes: int | None = None
    seconds: int | None = None
    year: str | None = None
    month: str | None = None
    day: str | None = None
    week: str | None = None
    day_of_week: str | None = None
    hour: str | None = None
    minute: str | None = None
    second: str | None = None
    executor: str
    coalesce: bool
    misfire_grace_time: int | None
    max_instances: int
    next_run_time: datetime | None = Field(description="null is paused")
    state: str = Field(description="scheduled, paused, ended or quarantined")
    source: str = Field(description="code or api")
    version: int
    paused_by: str | None
    reason: str | None = Field(description="Why it is quarantined.")
    run_id: str | None = Field(None, description="The run that was asked for.")

    @model_serializer(mode="wrap")
    def _leave_out(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the fields that this trigger does not have."""
        members: dict[str, Any] = serialize(self)
        return {key: value for key, value in members.items() if value is not None or key not in _OPTIONAL}


class RunOut(Schema):
    """Show a run, or why there was none."""

    id: str
    job_id: str
    status: str = Field(description="queued running succeeded failed missed skipped interrupted lost")
    cause: str = Field(description="schedule or manual")
    requested_by: str | None
    reason: str | None = Field(description="Why it did not run, with the numbers.")
    fires: int = Field(description="How many instants the row stands for.")
    attempt: int
    scheduled_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error_type: str | None
    error_message: str | None
    host: str | None
    process: int | None


class RunQuery(Schema):
    """Choose runs."""

    limit: int = Field(20, ge=1, le=100, description="How many runs a page holds.")
    after: str | None = Field(None, max_length=1024, description="The `after` of the page before's Link header.")
