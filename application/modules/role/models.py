"""Tables of roles and the permissions they hold."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import Base, Id, UtcDateTime


class Role(Base):
    """Be what users are given; `declared` is what the code gave a built-in role, by which it sees what is new."""

    __tablename__ = "role"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    description: Mapped[str] = mapped_column(String(200))
    is_builtin: Mapped[bool]
    declared: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RolePermission(Base):
    """Let a role hold a permission; the role's name is the key, so that no request has to ask for it."""

    __tablename__ = "role_permission"

    role: Mapped[str] = mapped_column(
        String(50), ForeignKey("role.name", onupdate="CASCADE", ondelete="CASCADE"), primary_key=True
    )
    permission: Mapped[str] = mapped_column(String(50), primary_key=True)
