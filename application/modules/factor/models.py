"""Tables of second factors and of the codes for who has lost theirs."""

from datetime import datetime

from sqlalchemy import CHAR, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import Base, Id, UtcDateTime

SEALED_LENGTH = 200


class Factor(Base):
    """Let a phone show codes for a user; its secret is sealed with a key that the database does not hold.

    It is on once `confirmed_at` is set. One that was offered takes the place of the other when a code of it is shown.
    """

    __tablename__ = "factor"

    user_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str | None] = mapped_column(String(SEALED_LENGTH))
    last_step: Mapped[int | None]
    """The step of the last code that was used; it and those before are used up."""
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    offered: Mapped[str | None] = mapped_column(String(SEALED_LENGTH))
    offered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """Stand for a phone once; only the SHA-256 is stored, and the row goes when the code is used."""

    __tablename__ = "recovery_code"

    user_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(CHAR(64), primary_key=True)
