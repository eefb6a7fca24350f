"""The tables as SQLAlchemy's own documentation maps them: entities with relationships."""

import os
from datetime import UTC, datetime

from sqlalchemy import Column, DateTime, ForeignKey, String, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Id = String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
ISO = "%(year)04d-%(month)02d-%(day)02dT%(hour)02d:%(minute)02d:%(second)02d.%(microsecond)06d+00:00"
Moment = DateTime(timezone=True).with_variant(sqlite.DATETIME(storage_format=ISO), "sqlite")


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    pass


blog_tag = Table(
    "blog_tag",
    Base.metadata,
    Column("blog_id", Id, ForeignKey("blog.id"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tag.id"), primary_key=True),
)


class User(Base):
    __tablename__ = "user"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    password_hash: Mapped[str | None] = mapped_column(String(200))


class Tag(Base):
    __tablename__ = "tag"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class Blog(Base):
    __tablename__ = "blog"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id"))
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str]
    status: Mapped[str] = mapped_column(String(20))
    published_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    owner: Mapped[User] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=blog_tag, order_by=Tag.name)


class Session(Base):
    __tablename__ = "session"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id"))
    access_digest: Mapped[str] = mapped_column(String(64))
    access_expires_at: Mapped[datetime] = mapped_column(Moment)
    family: Mapped[str | None] = mapped_column(String(64))
    refreshed_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)
    device: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(45))
    user: Mapped[User] = relationship()


def make_engine() -> Engine:
    """Return an engine with room for 32 connections at once; SQLite has the settings that ours has."""
    url = os.environ["DATABASE_URL"]
    engine = create_engine(url, pool_size=16, max_overflow=32)
    if url.startswith("sqlite"):
        event.listen(engine, "connect", _connect)
    return engine


def _connect(driver, _record) -> None:
    for pragma in ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON", "synchronous=NORMAL"):
        driver.execute(f"PRAGMA {pragma}")
