"""Tables of the scheduler: what is scheduled, what ran, who fires.

Instants that are compared for equality or order are integers, microseconds since 1970 in UTC: exact on every database.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.orm import Mapped, mapped_column

from application.database import TABLE_OPTIONS, Base, Id, UtcDateTime
from application.libs.outcome_text import MESSAGE_LENGTH

JOB_ID_LENGTH = 191  # the longest text with four bytes a character that any MariaDB index takes
NAME_LENGTH = 191
TAG_LENGTH = 50

LEASE = "leader"
"""The name of the one lease there is."""

FEED = "events"
"""The name of the one feed there is."""


class Job(Base):
    """Be something that runs on a schedule; its definition is versioned JSON, never a pickle."""

    __tablename__ = "scheduler_job"
    __table_args__ = (Index("ix_scheduler_job_next_run_time_id", "next_run_time", "id"), TABLE_OPTIONS)

    id: Mapped[str] = mapped_column(String(JOB_ID_LENGTH), primary_key=True)
    definition: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    """How often the definition was written."""
    source: Mapped[str] = mapped_column(String(10))
    declaration: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of what the code declared; null when the code does not (any more)."""
    next_run_time: Mapped[int | None] = mapped_column(BigInteger)
    """Null is paused."""
    paused_by: Mapped[str | None] = mapped_column(String(50))
    """Whose pause it is; null with a null time: the code no longer declares the job."""
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it is paused."""
    left_out_from: Mapped[int | None] = mapped_column(BigInteger)
    """The first instant that its pause leaves out."""
    quarantine: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    """Why the leader could not restore the job; it is left alone until another leads."""
    quarantined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when; it says nothing without a reason."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class JobChange(Base):
    """Be one change of a job: who made what of it, and when; it outlives the job."""

    __tablename__ = "scheduler_job_change"
    __table_args__ = (Index("ix_scheduler_job_change_job_id_id", "job_id", "id"), TABLE_OPTIONS)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    job_id: Mapped[str] = mapped_column(String(JOB_ID_LENGTH))
    version: Mapped[int]
    """The job's after the change."""
    action: Mapped[str] = mapped_column(String(20))
    """added, changed, reverted, declared, paused, resumed or removed."""
    by: Mapped[str | None] = mapped_column(String(50))
    """Null for what the code declares."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    definition: Mapped[str | None] = mapped_column(Text)
    """As it is after the change; null where that does not touch it."""


def join_tags(tags: Iterable[str]) -> str | None:
    """Return tags as a column holds them, each between commas; None where there are none."""
    text = ",".join(dict.fromkeys(tags))
    return f",{text}," if text else None


def split_tags(text: str | None) -> list[str]:
    """Return the tags that a column holds."""
    return text[1:-1].split(",") if text else []


class _Tagged(msgspec.Struct):
    tags: tuple[str, ...] = ()


def _tags_of_definition(context: Any) -> str | None:
    """Return the tags of a run that is written down, wherever that is done."""
    try:
        return join_tags(msgspec.json.decode(context.get_current_parameters()["definition"], type=_Tagged).tags)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None  # what cannot be read has none


class Run(Base):
    """Be one firing of a job, or the note that and why it did not run; it outlives the job."""

    __tablename__ = "scheduler_run"
    __table_args__ = (
        UniqueConstraint("job_id", "scheduled_at"),  # one fire gives one run, whoever claims it
        Index("ix_scheduler_run_job_id_id", "job_id", "id"),
        Index("ix_scheduler_run_status_id", "status", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    job_id: Mapped[str] = mapped_column(String(JOB_ID_LENGTH))
    scheduled_at: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(20))
    """What became of it; running is that an attempt does."""
    cause: Mapped[str] = mapped_column(String(20))
    requested_by: Mapped[str | None] = mapped_column(String(50))
    reason: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    """Why it did not run, with the numbers."""
    fires: Mapped[int]
    """How many instants the row stands for: a long gap is one row."""
    attempts: Mapped[int]
    """How often its function was begun."""
    failures: Mapped[int] = mapped_column(server_default="0")
    """How many of the attempts failed: what retries are counted by, and losses are not."""
    due_at: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """When the next attempt may begin; null unless the run is queued."""
    definition: Mapped[str] = mapped_column(Text)
    """The job's as it was."""
    tags: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH), default=_tags_of_definition)
    """The job's as they were, each between commas, to be found by."""
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error_type: Mapped[str | None] = mapped_column(String(200))
    error_message: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    host: Mapped[str | None] = mapped_column(String(255))
    process: Mapped[int | None]
    """Where the last attempt ran."""
    stop_reason: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    """Why it was asked to end; null while it was not."""
    result: Mapped[str | None] = mapped_column(Text)
    """What the function returned, as JSON."""


class Attempt(Base):
    """Be one time that the function of a run was begun; its process raises `beat` while it goes on."""

    __tablename__ = "scheduler_attempt"
    __table_args__ = (
        UniqueConstraint("run_id", "number"),
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    run_id: Mapped[str] = mapped_column(Id, ForeignKey("scheduler_run.id", ondelete="CASCADE"))
    number: Mapped[int]
    status: Mapped[str] = mapped_column(String(20), index=True)
    """running, succeeded, failed, timed_out, cancelled, interrupted or lost."""
    token: Mapped[int] = mapped_column(BigInteger)
    """Of the leader that claimed it; fences effects outside of the database."""
    beat: Mapped[int] = mapped_column(BigInteger)
    host: Mapped[str] = mapped_column(String(255))
    process: Mapped[int]
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a thread or a worker took it; null while all were busy."""
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    error_type: Mapped[str | None] = mapped_column(String(200))
    error_message: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    traceback: Mapped[str | None] = mapped_column(Text)
    memory_start: Mapped[int | None] = mapped_column(BigInteger)
    """Resident memory of its process in bytes, before; of a process that serves one attempt at a time it is exact."""
    memory_peak: Mapped[int | None] = mapped_column(BigInteger)
    memory_shared: Mapped[bool | None]
    """Whether other attempts ran in that process meanwhile, as threads do."""
    task_id: Mapped[str | None] = mapped_column(Id)
    """The task that it was handed to; whether it goes on, that says, and `beat` stands still."""


class Output(Base):
    """Be a piece of what an attempt logged and printed."""

    __tablename__ = "scheduler_output"

    attempt_id: Mapped[str] = mapped_column(
        Id, ForeignKey("scheduler_attempt.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class Alarm(Base):
    """Count how a job that wants alerts goes wrong in a row, since it succeeded last; the ledger is pruned."""

    __tablename__ = "scheduler_alarm"

    job_id: Mapped[str] = mapped_column(String(JOB_ID_LENGTH), primary_key=True)
    failures: Mapped[int]
    misses: Mapped[int]
    failure_told: Mapped[bool]
    """Whether its failures were told."""
    told: Mapped[bool]
    """Whether anything was told: its recovery is, then."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Lease(Base):
    """Say which process fires; elections compare `token` and `beat`, never a clock."""

    __tablename__ = "scheduler_lease"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    holder: Mapped[str | None] = mapped_column(String(100))
    """Null is free."""
    token: Mapped[int] = mapped_column(BigInteger)
    """Counts the leaders; each change of one is fenced by it."""
    beat: Mapped[int] = mapped_column(BigInteger)
    """Counts the leader's ticks."""
    beat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """For people: when the leader last ticked, by its own clock."""
    host: Mapped[str | None] = mapped_column(String(255))
    process: Mapped[int | None]
    paused: Mapped[bool]
    """Whether the schedule is paused for all processes; what was asked for by hand runs all the same."""
    paused_by: Mapped[str | None] = mapped_column(String(50))
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_paused_by: Mapped[str | None] = mapped_column(String(50))
    """Whose the last pause was that is over, for the reasons of what it left out."""
    last_paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_resumed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EventBatch(Base):
    """Be what one unit of work did to jobs and runs; the leader numbers it, and deletes it after a day."""

    __tablename__ = "scheduler_event"
    __table_args__ = (Index("ix_scheduler_event_number_id", "number", "id"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    """Grows as rows are written: what follows from another row has a larger one."""
    number: Mapped[int | None] = mapped_column(BigInteger)
    """Of the last event in it; null until a leader has given it."""
    size: Mapped[int]
    """How many events it holds."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    content: Mapped[str] = mapped_column(Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb"))
    """A JSON list of events."""


class Feed(Base):
    """Count the events there ever were, which the leader alone does; the one row is named `FEED`."""

    __tablename__ = "scheduler_feed"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    """The last one that was given."""
    totals: Mapped[str] = mapped_column(Text)
    """JSON: what became of all runs, whatever the ledger still holds."""


class Member(Base):
    """Be a process that competes for the lease, as it showed itself last."""

    __tablename__ = "scheduler_member"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    process: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """By its own clock, for people."""


class StoreOrder(Base):
    """Be what the leader claimed of a job outside this database and has still to say there: an outbox."""

    __tablename__ = "scheduler_store_order"
    __table_args__ = (Index("ix_scheduler_store_order_store_id", "store", "id"), TABLE_OPTIONS)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    store: Mapped[str] = mapped_column(String(50))
    """The alias of the store."""
    job_id: Mapped[str] = mapped_column(String(JOB_ID_LENGTH))
    seen: Mapped[int] = mapped_column(BigInteger)
    """When the job was due: what it is changed at."""
    after: Mapped[int | None] = mapped_column(BigInteger)
    """When it is due next; null where its trigger has ended, or there is a reason."""
    reason: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    """Why it is put aside."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
