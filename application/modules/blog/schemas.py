"""What blogs look like on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from application.libs.schema import ONE_LINE, Ident, PageQuery, Schema, absent
from application.modules.blog.models import Status

Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=ONE_LINE)]
Content = Annotated[str, StringConstraints(max_length=200_000)]
TagIds = Annotated[list[Ident], Field(max_length=50)]


class BlogIn(Schema):
    """Describe a new blog, or the whole of one; PUT replaces its tags."""

    title: Title = Field(examples=["Hello"])
    content: Content = Field(examples=["First post."])
    status: Status = Status.PUBLISHED
    tags: TagIds = Field(default_factory=list, description="Ids of tags.")


class BlogPatch(Schema):
    """Change what is given."""

    title: Title = absent()
    content: Content = absent()
    status: Status = absent()
    tags: TagIds = absent()


class OwnerOut(Schema):
    """Show who wrote a blog."""

    id: str
    name: str


class BlogTagOut(Schema):
    """Show a tag on a blog."""

    id: str
    name: str


class BlogOut(Schema):
    """Show a blog with its owner and tags."""

    id: str
    title: str
    content: str
    status: str
    published_at: datetime | None
    owner: OwnerOut
    tags: list[BlogTagOut]
    created_at: datetime
    updated_at: datetime


class BlogQuery(PageQuery):
    """Choose blogs."""

    sort: str = Field(
        "-created_at",
        max_length=50,
        description="One of created_at, updated_at, title; a minus in front reverses it.",
    )
    q: str | None = Field(None, max_length=100, description="Only blogs whose title or content contains this.")
    status: Status | None = Field(None, description="Only blogs of this status; drafts are one's own.")


class BlogFilterQuery(BlogQuery):
    """Choose blogs by tag and owner too."""

    tag: Ident | None = Field(None, description="Only blogs that carry this tag.")
    owner: Ident | None = Field(None, description="Only blogs of this user.")
