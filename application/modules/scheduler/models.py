"""Tables of the scheduler: what is scheduled, what ran, who fires.

Instants that are compared for equality or order are integers, microseconds since 1970 in UTC: exact on every database.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from application.database import TABLE_OPTIONS, Base, Id, UtcDateTime

JOB_ID_LENGTH = 191  # the longest text with four bytes a character that any MariaDB index takes
NAME_LENGTH = 191
MESSAGE_LENGTH = 2000

LEASE = "leader"
"""The name of the one lease there is."""


class Job(Base):
    """Be something that runs on a schedule; its definition is versioned JSON, never a pickle."""

    __tablename__ = "scheduler_job"

    id: Mapped[str] = mapped_column(String(JOB_ID_LENGTH), primary_key=True)
    definition: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    """How often the definition was written."""
    source: Mapped[str] = mapped_column(String(10))
    declaration: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of what the code declared; null when the code does not (any more)."""
    next_run_time: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """Null is paused."""
    paused_by: Mapped[str | None] = mapped_column(String(50))
    """Whose pause it is; null with a null time: the code no longer declares the job."""
    quarantine: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    """Why the leader could not restore the job; it is left alone until another leads."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Run(Base):
    """Be one firing of a job, or the note that and why it did not run; it outlives the job."""

    __tablename__ = "scheduler_run"
    __table_args__ = (
        UniqueConstraint("job_id", "scheduled_at"),  # one fire gives one run, whoever claims it
        Index("ix_scheduler_run_job_id_id", "job_id", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    job_id: Mapped[str] = mapped_column(String(JOB_ID_LENGTH))
    scheduled_at: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(20), index=True)
    cause: Mapped[str] = mapped_column(String(20))
    requested_by: Mapped[str | None] = mapped_column(String(50))
    reason: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    """Why it did not run, with the numbers."""
    fires: Mapped[int]
    """How many instants the row stands for: a long gap is one row."""
    token: Mapped[int] = mapped_column(BigInteger)
    """Of the leader the run belongs to; 0 while nobody has taken it."""
    attempt: Mapped[int]
    definition: Mapped[str] = mapped_column(Text)
    """The job's as it was."""
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error_type: Mapped[str | None] = mapped_column(String(200))
    error_message: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    host: Mapped[str | None] = mapped_column(String(255))
    process: Mapped[int | None]


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
