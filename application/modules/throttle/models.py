"""Table of attempts that are counted."""

from datetime import datetime

from sqlalchemy import CHAR, String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import Base, UtcDateTime


class Throttle(Base):
    """Count the attempts of one key at one limit; the key is not stored, only its SHA-256."""

    __tablename__ = "throttle"

    scope: Mapped[str] = mapped_column(String(30), primary_key=True)
    digest: Mapped[str] = mapped_column(CHAR(64), primary_key=True)
    taken: Mapped[int]
    """How many of the places are taken until `expires_at`; never more than there are."""
    refused: Mapped[int]
    """How many attempts found no place since `created_at`."""
    is_refused: Mapped[bool]
    """Whether the last attempt found none."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
