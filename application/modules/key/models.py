"""Table of the keys for machines."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from application.database import Base, Id, UtcDateTime


class ApiKey(Base):
    """Let a machine act as its user, within some permissions, until it expires; only its SHA-256 is stored.

    `permissions` are separated by blanks, as a scope is in OAuth (RFC 6749 §3.3), and so read in one row with the rest.
    """

    __tablename__ = "api_key"
    __table_args__ = (Index("ix_api_key_user_id_created_at", "user_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))
    prefix: Mapped[str] = mapped_column(String(11))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    permissions: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_address: Mapped[str | None] = mapped_column(String(45))
