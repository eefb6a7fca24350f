"""Tables of users and their roles."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import IN_THE_KEY, Base, Id, UtcDateTime


class User(Base):
    """Be somebody with a name; without a password hash they cannot sign in, and while they are disabled in no way."""

    __tablename__ = "user"
    __table_args__ = (Index("ix_user_created_at", "created_at", "id"), IN_THE_KEY)  # by name goes the unique one

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UserRole(Base):
    """Give a user a role."""

    __tablename__ = "user_role"

    user_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(
        String(50), ForeignKey("role.name", onupdate="CASCADE"), primary_key=True, index=True
    )
