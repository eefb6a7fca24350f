"""The table of contacts: where users can be reached, and by what else than their name they sign in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CHAR, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import Base, Id, UtcDateTime
from application.libs.mail import MAX_ADDRESS


class Kind(StrEnum):
    """Say what an address is."""

    MAIL = "mail"
    PHONE = "phone"


class Contact(Base):
    """Be an address of a user, who has shown to read what is sent there; an address is one user's at most."""

    __tablename__ = "contact"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(MAX_ADDRESS))
    """In its normal form, as it was written by whoever read what was sent there: everything else is sent there, too."""
    digest: Mapped[str] = mapped_column(CHAR(64), unique=True)
    """The SHA-256 of kind and folded address, by which it is found in whatever case it is written."""
    verified_at: Mapped[datetime] = mapped_column(UtcDateTime)
