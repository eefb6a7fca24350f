"""What blogs look like on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from application.libs.filter import (
    After,
    AtOrAfter,
    AtOrBefore,
    Before,
    Contains,
    Equals,
    FilterText,
    OneOf,
    StartsWith,
)
from application.libs.schema import ONE_LINE, Ident, PageQuery, Schema, Trimmed, absent
from application.modules.blog.models import Status

Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE), Trimmed]
Content = Annotated[str, StringConstraints(max_length=200_000)]
TagIds = Annotated[list[Ident], Field(max_length=50)]
StatusOut = Annotated[str, Field(json_schema_extra={"enum": [status.value for status in Status]})]


BlogId = Annotated[str, Field(description="The blog's id.")]


class BlogIn(Schema):
    """Describe a new blog, or the whole of one; PUT replaces its tags."""

    title: Title = Field(examples=["Hello"])
    content: Content = Field(examples=["First post."])
    status: Status = Field(Status.PUBLISHED, examples=[Status.PUBLISHED])
    tags: TagIds = Field(default_factory=list, description="Ids of tags.", examples=[[]])


class BlogPatch(Schema):
    """Change what is given; `null` takes all tags off."""

    title: Title = absent(examples=["Hello again"])
    content: Content = absent(examples=["Second thoughts."])
    status: Status = absent()
    tags: TagIds | None = absent()


class OwnerOut(Schema):
    """Show who wrote a blog."""

    id: Ident
    name: str = Field(examples=["ada"])


class BlogTagOut(Schema):
    """Show a tag on a blog."""

    id: Ident
    name: str = Field(examples=["python"])


class BlogOut(Schema):
    """Show a blog with its owner and tags."""

    id: Ident
    title: str = Field(examples=["Hello"])
    content: str = Field(examples=["First post."])
    status: StatusOut = Field(examples=["published"], description="draft or published")
    published_at: datetime | None = Field(description="Since when it is published; null for a draft.")
    owner: OwnerOut
    tags: list[BlogTagOut]
    created_at: datetime
    updated_at: datetime


class BlogQuery(PageQuery):
    """Choose blogs."""

    sort: str = Field(
        "-created_at",
        max_length=50,
        description="A minus in front reverses the order.",
        examples=["-created_at", "title"],
    )
    q: str | None = Field(
        None,
        max_length=100,
        description="Only blogs with all these words, or words that begin so; one Chinese character is enough.",
        examples=["hello"],
    )
    status: Status | None = Field(None, description="Only blogs of this status; drafts are one's own.")
    title: Equals[FilterText] = None
    title__contains: Contains = None
    title__startswith: StartsWith = None
    created_at__gt: After = None
    created_at__gte: AtOrAfter = None
    created_at__lt: Before = None
    created_at__lte: AtOrBefore = None
    updated_at__gt: After = None
    updated_at__gte: AtOrAfter = None
    updated_at__lt: Before = None
    updated_at__lte: AtOrBefore = None
    published_at__gt: After = None
    published_at__gte: AtOrAfter = None
    published_at__lt: Before = None
    published_at__lte: AtOrBefore = None


class BlogFilterQuery(BlogQuery):
    """Choose blogs by tag and owner too."""

    tag: Ident | None = Field(None, description="Only blogs that carry this tag.")
    tag__in: OneOf[Ident] = Field(None, description="Only blogs that carry one of these tags; repeat it.")
    owner: Ident | None = Field(None, description="Only blogs of this user.")
    owner__in: OneOf[Ident] = Field(None, description="Only blogs of one of these users; repeat it.")
