"""What jobs and runs look like on the wire: Flask-APScheduler's keys, and ours beside them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec.structs import asdict
from pydantic import AfterValidator, Field

from application.libs.schema import Ident, Schema, absent
from application.libs.trigger import Misfire

Version = Annotated[int, Field(description="The number of a version of the job.", examples=[1])]
JobId = Annotated[str, Field(description="The job's id.", examples=["prune-expired-sessions"])]


def if_any(*, description: str | None = None, examples: list[Any] | None = None) -> Any:
    """Be the default of a field that is left out where it is None."""
    return Field(None, exclude_if=_is_none, description=description, examples=examples)


def _is_none(value: object) -> bool:
    return value is None


class LeaderOut(Schema):
    """Show which process fires."""

    host: str = Field(examples=["web-1"])
    process: int = Field(examples=[4711])


class LeadingOut(LeaderOut):
    """Show which process fires, and how it shows that it lives."""

    token: int = Field(description="Counts the leaders there were; fences effects outside.", examples=[3])
    beat_at: datetime = Field(description="When it last showed itself, by its own clock.")


class MemberOut(LeaderOut):
    """Show a process that would lead if no other one did."""

    since: datetime = Field(description="When it began to compete.")
    seen_at: datetime = Field(description="When it last showed itself, by its own clock.")
    leads: bool
    is_stale: bool = Field(description="Whether it has not been seen lately: it was probably killed.", examples=[False])


class ClusterOut(Schema):
    """Show who leads all processes, and who competes."""

    leader: LeadingOut | None = Field(description="null where no process fires")
    paused: bool = Field(examples=[False])
    paused_by: str | None = Field(description="Who paused the schedule for all.", examples=[None])
    paused_at: datetime | None
    members: list[MemberOut]


class InfoOut(Schema):
    """Show the scheduler; `running` is whether any process fires."""

    current_host: str = Field(description="The machine that answers.", examples=["web-1"])
    allowed_hosts: list[str] = Field(examples=[["*"]])
    running: bool
    state: str = Field(description="running, paused or stopped", examples=["running"])
    mode: str = Field(
        description="cluster: any process serves the jobs, an elected one fires them", examples=["cluster"]
    )
    leader: LeaderOut | None = Field(description="null where no process fires")


class AlertsOut(Schema):
    """Show to what of a job's runs somebody is alerted."""

    on_failure: bool
    after_failures: int = Field(description="After how many failed runs in a row.", examples=[3])
    on_recovery: bool = Field(description="Whether the success after an alert is one.")
    after_misses: int | None = Field(
        description="After how many missed fires in a row; null is never.", examples=[None]
    )


class JobOut(Schema):
    """Show a job; of the trigger's fields only those it has."""

    id: str = Field(examples=["prune-expired-sessions"])
    name: str = Field(examples=["Prune expired sessions"])
    func: str = Field(examples=["application.modules.session.tasks:prune_expired_sessions"])
    args: list[Any] = Field(examples=[[]])
    kwargs: dict[str, Any] = Field(examples=[{}])
    trigger: str = Field(
        examples=["interval"], description="date, interval, cron or calendarinterval; a combination as its text"
    )
    run_date: datetime | None = if_any()
    start_date: datetime | None = if_any()
    end_date: datetime | None = if_any()
    timezone: str | None = if_any()
    jitter: float | None = if_any(description="Each fire is put off by so many seconds at most.")
    crontab: str | None = if_any(
        examples=["0 5 * * 1"], description="Five fields as cron reads them: 0 and 7 are Sunday."
    )
    in_words: str | None = if_any(description="What the crontab says.", examples=["At 05:00, on Monday."])
    triggers: list[dict[str, Any]] | None = if_any(description="What is combined.")
    years: int | None = if_any()
    months: int | None = if_any()
    weeks: int | None = if_any()
    days: int | None = if_any()
    hours: int | None = if_any(examples=[1])
    minutes: int | None = if_any()
    seconds: int | None = if_any()
    year: str | None = if_any()
    month: str | None = if_any()
    day: str | None = if_any()
    week: str | None = if_any()
    day_of_week: str | None = if_any()
    hour: str | None = if_any()
    minute: str | None = if_any()
    second: str | None = if_any()
    jobstore: str = Field(description="Which store keeps it.", examples=["default"])
    executor: str = Field(examples=["default"])
    coalesce: bool = Field(description="Whether instants that were missed together run once.")
    misfire_grace_time: int | None = Field(description="How many seconds late it may start.", examples=[300])
    max_instances: int = Field(description="How many of its runs may overlap.", examples=[1])
    overlap: str = Field(
        description="What becomes of a fire while so many go on: skip, queue or replace; allow raises the limit.",
        examples=["skip"],
    )
    misfire: str = Field(
        description="What becomes of fires that are later than the grace: skip, once for all, or all.",
        examples=["skip"],
    )
    on_lost: str = Field(description="What becomes of a run whose process died: rerun or keep.", examples=["rerun"])
    timeout: float | None = Field(
        description="After how many seconds an attempt is given up; null is never.", examples=[None]
    )
    retries: int = Field(description="How many attempts follow one that failed.", examples=[3])
    retry_delay: float = Field(description="How many seconds the first retry waits.", examples=[10])
    retry_backoff: float = Field(description="By how much each further one waits longer.", examples=[2])
    retry_max_delay: float = Field(description="How many seconds any of them waits at most.", examples=[3600])
    retry_jitter: float = Field(description="By so many seconds at most each is put off, at random.", examples=[0])
    tags: tuple[str, ...] = Field(description="To find it by.", examples=[["nightly"]])
    description: str | None = Field(description="What it is for.", examples=["Tells sales what was sold."])
    owner: str | None = Field(description="Whom to ask.", examples=["sales"])
    alerts: AlertsOut | None = Field(description="null is none", examples=[None])
    next_run_time: datetime | None = Field(description="null is paused")
    state: str = Field(description="scheduled, paused, ended or quarantined", examples=["scheduled"])
    source: str = Field(description="code or api", examples=["code"])
    version: int = Field(description="Grows with every change of the job.", examples=[1])
    paused_by: str | None = Field(examples=[None])
    paused_at: datetime | None = Field(description="Since when it is paused.")
    reason: str | None = Field(description="Why it is quarantined.", examples=[None])
    run_id: Ident | None = if_any(description="The run that was asked for.")


def shown(job: Any, *, run_id: str | None = None) -> JobOut:
    """Show a record of the rules; the trigger's fields stand beside the others."""
    fields = {name: getattr(job, name) for name in job.__struct_fields__ if name not in ("trigger", "definition")}
    alerts = None if job.alerts is None else AlertsOut(**asdict(job.alerts))
    return JobOut(**fields | {"alerts": alerts}, **job.trigger, run_id=run_id)


def _once(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


_Key = Annotated[str, Field(max_length=100)]
_Fields = Annotated[dict[_Key, Any], Field(max_length=30)]
_Parts = Annotated[
    list[_Fields], Field(max_length=10, description="What `and` or `or` combines: each a `type` and its fields.")
]
_Moment = Annotated[str, Field(max_length=100)]
_Units = Annotated[float, Field(ge=-1e9, le=1e9)]
_Expression = Annotated[str, Field(max_length=100)] | Annotated[int, Field(ge=-100, le=10_000)]
_Delay = Annotated[float, Field(ge=0, le=7 * 86_400)]
Tag = Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,50}$", max_length=50)]
_InARow = Annotated[int, Field(ge=1, le=1_000_000)]
_Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_once)]
_Passed = Annotated[Any, Field(description="Shown, and passed over when it is given back.")]


class TriggerIn(Schema):
    """Say when; each type of trigger takes fields of its own."""

    trigger: Annotated[str, Field(max_length=100)] | _Fields = absent(examples=["interval"])
    run_date: _Moment | None = absent()
    start_date: _Moment | None = absent()
    end_date: _Moment | None = absent()
    timezone: Annotated[str, Field(max_length=64)] | None = absent(examples=["Europe/Berlin"])
    jitter: Annotated[float, Field(ge=-1e9, le=1e9)] | None = absent()
    weeks: _Units | None = absent()
    days: _Units | None = absent()
    hours: _Units | None = absent(examples=[1])
    minutes: _Units | None = absent()
    seconds: _Units | None = absent()
    years: _Units | None = absent()
    months: _Units | None = absent()
    year: _Expression | None = absent()
    month: _Expression | None = absent()
    day: _Expression | None = absent()
    week: _Expression | None = absent()
    day_of_week: _Expression | None = absent()
    hour: _Expression | None = absent()
    minute: _Expression | None = absent()
    second: _Expression | None = absent()
    crontab: Annotated[str, Field(max_length=100)] | None = absent()
    triggers: _Parts | None = absent()


class AlertsIn(Schema):
    """Say to what of a job's runs somebody is alerted."""

    on_failure: bool = Field(True, description="Whether failures are told.", examples=[True])
    after_failures: _InARow = Field(1, description="After how many failed runs in a row.", examples=[3])
    on_recovery: bool = Field(False, description="Whether the success after an alert is one.", examples=[True])
    after_misses: _InARow | None = Field(
        None, description="After how many missed fires in a row; null is never.", examples=[10]
    )


class JobPatch(TriggerIn):
    """Change what is given; trigger fields without a type reschedule the trigger there is."""

    id: Annotated[str, Field(max_length=191)] | None = absent(examples=[None])
    func: Annotated[str, Field(min_length=1, max_length=400)] = absent(examples=["prune-expired-sessions"])
    name: Annotated[str, Field(max_length=191)] | None = absent(examples=["Nightly report"])
    args: Annotated[list[Any], Field(max_length=100)] = absent(examples=[[]])
    kwargs: Annotated[dict[_Key, Any], Field(max_length=100)] = absent(examples=[{}])
    executor: Annotated[str, Field(max_length=50)] = absent(examples=["default"])
    jobstore: Annotated[str, Field(max_length=50)] = absent(examples=["default"])
    coalesce: bool = absent()
    misfire_grace_time: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = absent(examples=[60])
    max_instances: Annotated[int, Field(ge=1, le=1000)] = absent(examples=[1])
    overlap: Literal["skip", "queue", "replace", "allow"] = absent(examples=["skip"])
    misfire: Misfire = absent(examples=["skip"])
    on_lost: Literal["rerun", "keep"] = absent(examples=["rerun"])
    timeout: Annotated[float, Field(gt=0, le=7 * 86_400)] | None = absent(examples=[None])
    retries: Annotated[int, Field(ge=0, le=100)] = absent(examples=[3])
    retry_delay: _Delay = absent(examples=[10])
    retry_backoff: Annotated[float, Field(ge=1, le=10)] = absent(examples=[2])
    retry_max_delay: _Delay = absent(examples=[3600])
    retry_jitter: _Delay = absent(examples=[0])
    tags: _Tags = absent(examples=[["nightly"]])
    description: Annotated[str, Field(max_length=2000)] | None = absent(examples=["Tells sales what was sold."])
    owner: Annotated[str, Field(max_length=191)] | None = absent(examples=["sales"])
    alerts: AlertsIn | None = absent(examples=[{"after_failures": 3}])
    next_run_time: _Moment | None = absent()
    state: _Passed = absent()
    source: _Passed = absent()
    version: _Passed = absent()
    paused_by: _Passed = absent()
    paused_at: _Passed = absent()
    reason: _Passed = absent()
    run_id: _Passed = absent()
    in_words: _Passed = absent()


PASSED_OVER = frozenset({"state", "source", "version", "paused_by", "paused_at", "reason", "run_id", "in_words"})


class JobIn(JobPatch):
    """Describe a job to be added: its function by its registered name, and when it runs."""

    id: Annotated[str, Field(max_length=191)] | None = Field(description="null makes one.", examples=["nightly-report"])
    func: Annotated[str, Field(min_length=1, max_length=400)] = Field(
        description="The registered name of a function, or its reference.", examples=["prune-expired-sessions"]
    )
    replace_existing: bool = Field(False, description="Whether it takes the place of a job of its id.")


class JobQuery(Schema):
    """Choose jobs, all of them or a page."""

    limit: int | None = Field(None, ge=1, le=1000, description="How many jobs a page holds.", examples=[100])
    after: str | None = Field(None, max_length=2048, description="The `after` of the page before's Link header.")
    tag: Tag | None = Field(None, description="Only jobs that have it.", examples=["nightly"])
    state: Literal["scheduled", "paused", "quarantined"] | None = Field(
        None, description="Only jobs that are so.", examples=["paused"]
    )
    source: Literal["code", "api"] | None = Field(None, description="Only jobs that come from there.", examples=["api"])
    q: str | None = Field(
        None,
        min_length=1,
        max_length=191,
        description="Only jobs whose id or name holds it, in any case.",
        examples=["report"],
    )


class ChangeOut(Schema):
    """Show one change of a job."""

    version: int = Field(examples=[2])
    action: str = Field(description="added, changed, reverted, paused, resumed or removed", examples=["changed"])
    by: str | None = Field(description="Who did it.", examples=["admin"])
    at: datetime
    definition: dict[str, Any] | None = Field(
        description="The job as it became; null where the change left it.", examples=[None]
    )


class FunctionOut(Schema):
    """Show a function that a job may call."""

    name: str = Field(examples=["prune-expired-sessions"])
    reference: str = Field(examples=["application.modules.session.tasks:prune_expired_sessions"])
    summary: str = Field(examples=["Delete the sessions that have expired."])
    parameters: dict[str, Any] = Field(description="A JSON Schema of its arguments by name.", examples=[{}])


class PreviewIn(TriggerIn):
    """Say which trigger, and how far."""

    count: int = Field(10, ge=1, le=100, description="How many fires.", examples=[5])
    zone: str = Field("UTC", max_length=64, description="One zone more to show them in.", examples=["Asia/Shanghai"])


class PreviewQuery(Schema):
    """Say how far."""

    n: int = Field(10, ge=1, le=100, description="How many fires.", examples=[5])


class FireOut(Schema):
    """Show one fire."""

    at: datetime = Field(description="In UTC.")
    local: dict[str, datetime] = Field(
        description="By the clock of the job's zone, the server's and the one that was asked for.",
        examples=[{"job": "2030-01-31T13:00:00+01:00"}],
    )


class CautionOut(Schema):
    """Show what one should beware of."""

    kind: Literal["skipped", "repeated", "numeric_weekday", "jitter", "collision", "incomplete"] = Field(
        examples=["collision"]
    )
    message: str = Field(examples=["It fires together with another job."])
    at: datetime | None
    job_id: str | None = Field(examples=[None])


class PreviewOut(Schema):
    """Show the next fires of a trigger, and what one should beware of."""

    fires: list[FireOut]
    cautions: list[CautionOut]
