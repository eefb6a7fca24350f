"""The table of what was done; its rows are written and pruned, and never changed."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from application.database import TABLE_OPTIONS, Base, Id, UtcDateTime

ACTION_LENGTH = 50
SUBJECT_LENGTH = 191  # as long as the id of a job
NAME_LENGTH = 200
ADDRESS_LENGTH = 64
REQUEST_ID_LENGTH = 64

LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class Audit(Base):
    """Be one thing that somebody did.

    It points to nothing by a foreign key: it outlives both who did it and what it was done to.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at", "at", "id"),
        Index("ix_audit_actor_at", "actor_id", "at", "id"),
        Index("ix_audit_subject_at", "subject_id", "at", "id"),
        Index("ix_audit_action_at", "action", "at", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str | None] = mapped_column(Id)
    """The user; null where it was none, as a command, a job, or somebody who had not signed in."""
    actor_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    action: Mapped[str] = mapped_column(String(ACTION_LENGTH))
    """As `user.update`."""
    subject_kind: Mapped[str] = mapped_column(String(ACTION_LENGTH))
    """What stands before the action's dot."""
    subject_id: Mapped[str | None] = mapped_column(String(SUBJECT_LENGTH))
    subject_name: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    address: Mapped[str | None] = mapped_column(String(ADDRESS_LENGTH))
    request_id: Mapped[str | None] = mapped_column(String(REQUEST_ID_LENGTH))
    before: Mapped[str | None] = mapped_column(LONG_TEXT)
    """A JSON object of what was otherwise before; null for what was made."""
    after: Mapped[str | None] = mapped_column(LONG_TEXT)
