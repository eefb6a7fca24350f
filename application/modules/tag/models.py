"""Table of tags."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from application.database import IN_THE_KEY, Base, Id, UtcDateTime


class Tag(Base):
    """Be a word that orders blogs."""

    __tablename__ = "tag"
    __table_args__ = IN_THE_KEY

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
