"""Tables of blogs and their tags."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from application.database import IN_THE_KEY, TABLE_OPTIONS, Base, Id, UtcDateTime
from application.database.full_text import FULL_TEXT, SearchTerms


class Status(StrEnum):
    """Say who can see a blog: its owner, or everybody."""

    DRAFT = "draft"
    PUBLISHED = "published"


class Blog(Base):
    """Be a text somebody wrote, as a draft or published."""

    __tablename__ = "blog"
    __table_args__ = (
        Index("ix_blog_created_at", "created_at", "id"),  # one for each order of the list; a page ends the walk
        Index("ix_blog_updated_at", "updated_at", "id"),
        Index("ix_blog_title", "title", "id"),
        Index("ix_blog_owner_created_at", "owner_id", "created_at", "id"),
        Index("ix_blog_search", "search", **FULL_TEXT),
        TABLE_OPTIONS,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[str] = mapped_column(Id, ForeignKey("user.id", ondelete="RESTRICT"))
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"))
    search: Mapped[str] = mapped_column(SearchTerms, server_default="")
    status: Mapped[str] = mapped_column(String(20))
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BlogTag(Base):
    """Put a tag on a blog."""

    __tablename__ = "blog_tag"
    __table_args__ = IN_THE_KEY

    blog_id: Mapped[str] = mapped_column(Id, ForeignKey("blog.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[str] = mapped_column(Id, ForeignKey("tag.id", ondelete="RESTRICT"), primary_key=True, index=True)
