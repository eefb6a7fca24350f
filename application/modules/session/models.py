"""Table of the sessions: one row for each device that is signed in."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import TABLE_OPTIONS, Base, Id, UtcDateTime

DEVICE_LENGTH = 200
ADDRESS_LENGTH = 45  # the longest an IPv6 address is written


class Session(Base):
    """Let whoever shows its tokens act as its user; of tokens only the SHA-256 is stored.

    The access token lasts minutes. The refresh token is exchanged for the next pair; its first half, the family, stays
    the same, so that one which was exchanged before is known again.
    """

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_created_at", "created_at", "id"),  # none of `last_seen_at`, which is written every minute
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id", ondelete="CASCADE"), index=True)
    access_digest: Mapped[str] = mapped_column(String(64), unique=True)
    access_expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    family: Mapped[str | None] = mapped_column(String(64), unique=True)
    refresh_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    previous_digest: Mapped[str | None] = mapped_column(String(64))
    refreshed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    second_factor_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its user showed a second factor in it; None if they have not."""
    device: Mapped[str] = mapped_column(String(DEVICE_LENGTH))
    address: Mapped[str] = mapped_column(String(ADDRESS_LENGTH))
