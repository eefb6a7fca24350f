"""Table of what was answered under an Idempotency-Key."""

from datetime import datetime

from sqlalchemy import CHAR, LargeBinary, String
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from application.database import Base, UtcDateTime


class IdempotencyKey(Base):
    """Keep the answer of one request; the key itself is not stored, only its SHA-256 together with the caller's id."""

    __tablename__ = "idempotency_key"

    digest: Mapped[str] = mapped_column(CHAR(64), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(CHAR(64))
    status: Mapped[int | None]
    headers: Mapped[str | None] = mapped_column(String(4000))
    body: Mapped[bytes | None] = mapped_column(LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
