"""The table of codes: one for each purpose and address."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CHAR, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import Base, Id, UtcDateTime
from application.libs.mail import MAX_ADDRESS


class Purpose(StrEnum):
    """Say what a code is good for, and for nothing else."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    RESET = "reset"
    VERIFY = "verify"


class Code(Base):
    """Hold that a code was asked for; what it is stands nowhere, only what it is recognised by.

    There is a row whether the address is known or not. Until it is sent there is no code yet.
    """

    __tablename__ = "code"

    purpose: Mapped[str] = mapped_column(String(10), primary_key=True)
    digest: Mapped[str] = mapped_column(CHAR(64), primary_key=True)
    """Of the address, as contacts are found by."""
    id: Mapped[str] = mapped_column(Id, unique=True)
    """Another one each time a code is asked for."""
    address: Mapped[str | None] = mapped_column(String(MAX_ADDRESS))
    """Where to send it; null once that was decided."""
    hash: Mapped[str | None] = mapped_column(CHAR(64))
    """The HMAC of the code; null where nobody gets one."""
    link_digest: Mapped[str | None] = mapped_column(CHAR(64), unique=True)
    """The SHA-256 of the token in a link."""
    user_id: Mapped[str | None] = mapped_column(Id, ForeignKey("user.id", ondelete="CASCADE"), index=True)
    """Whom it lets in, or who asked to verify an address."""
    tries: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When the row is over: with the code, or with the link, which lasts longer."""
