"""The table of tasks: what waits, what runs, and what became of it."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from application.database import TABLE_OPTIONS, Base, Id, UtcDateTime
from application.libs.outcome_text import MESSAGE_LENGTH
from application.libs.task import MOST_MESSAGE

NAME_LENGTH = 100
KEY_LENGTH = 191  # the longest text with four bytes a character that any MariaDB index takes

WAITING = ("queued", "scheduled")
OPEN = (*WAITING, "running")
"""What a task is that has not ended."""


class Task(Base):
    """Be something to be done in the background; its process raises `beat` while it does it."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_state_due_at", "state", "due_at"),
        Index("ix_task_state_rank_id", "state", "rank", "id"),
        Index("ix_task_created_at_id", "created_at", "id"),
        Index("ix_task_created_by_created_at_id", "created_by", "created_at", "id"),
        Index("ix_task_name_created_at_id", "name", "created_at", "id"),
        Index("ix_task_state_created_at_id", "state", "created_at", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    queue: Mapped[str] = mapped_column(String(50))
    rank: Mapped[int] = mapped_column(SmallInteger)
    """How many priorities are above its own: 0 goes first, so that an index holds the order."""
    arguments: Mapped[str] = mapped_column(Text)
    """Tagged JSON: the positional ones and those by name."""
    unique_key: Mapped[str | None] = mapped_column(String(KEY_LENGTH), unique=True)
    """As long as the row is kept, there is no other task of this key."""
    state: Mapped[str] = mapped_column(String(20))
    """scheduled (for later), queued, running; then done, failed, dead, cancelled or expired."""
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it is queued, or, of what is, when it is rung for again; else null."""
    rings: Mapped[int] = mapped_column(SmallInteger)
    """How often it was looked at since it was rung for, and left because its queue was not empty."""
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When it is begun no more; null once it has ended."""
    attempt: Mapped[int]
    """How often it was begun: what an attempt writes is fenced by it."""
    failures: Mapped[int]
    """How often it raised something, as retries count."""
    losses: Mapped[int]
    """How often its process died."""
    beat: Mapped[int] = mapped_column(BigInteger)
    worker: Mapped[str | None] = mapped_column(String(100))
    """The process that runs it or did so last."""
    host: Mapped[str | None] = mapped_column(String(255))
    process: Mapped[int | None]
    current: Mapped[int]
    total: Mapped[int]
    message: Mapped[str | None] = mapped_column(String(MOST_MESSAGE))
    """How far it has come, for people."""
    stop_reason: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    """Why it was asked to end; null while it was not."""
    result: Mapped[str | None] = mapped_column(Text)
    """What the function returned, as JSON."""
    error_type: Mapped[str | None] = mapped_column(String(200))
    error_message: Mapped[str | None] = mapped_column(String(MESSAGE_LENGTH))
    traceback: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str | None] = mapped_column(Id)
    """Who was signed in when it was enqueued."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its last attempt began."""
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    hard_limit_seconds: Mapped[float | None]
    """After which its process is killed; null is as its function was declared."""
