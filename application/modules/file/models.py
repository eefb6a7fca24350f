"""The table of files: whose they are, what they are, and under which key they are kept."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CHAR, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import TABLE_OPTIONS, Base, Id, UtcDateTime

NAME_LENGTH = 200

PURGING = "purging"
"""What a file is whose objects are being removed; nobody sees it any more."""


class State(StrEnum):
    """Say how far a file is: announced, there, or in the bin."""

    PENDING = "pending"
    READY = "ready"
    DELETED = "deleted"


class File(Base):
    """Be a file of a user; what it holds is in the storage, under `key`."""

    __tablename__ = "file"
    __table_args__ = (
        Index("ix_file_owner_created_at", "owner_id", "created_at", "id"),  # one for each order of one's own
        Index("ix_file_owner_name", "owner_id", "name", "id"),
        Index("ix_file_owner_size", "owner_id", "size", "id"),
        Index("ix_file_created_at", "created_at", "id"),
        Index("ix_file_state_created_at", "state", "created_at"),
        Index("ix_file_state_deleted_at", "state", "deleted_at"),
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    """As its owner calls it: shown when it is saved, and never a path of ours."""
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes; of what is pending, as announced."""
    sha256: Mapped[str | None] = mapped_column(CHAR(64))
    key: Mapped[str] = mapped_column(String(50), unique=True)
    thumbnail_key: Mapped[str | None] = mapped_column(String(50), unique=True)
    thumbnail_size: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
