"""What blogs look like on the wire of version 2: `content` became `body`, a text with its format."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from application.libs.schema import Grouped, Ident, Renamed, Schema, absent
from application.modules.blog.models import Status
from application.modules.blog.schemas import BlogTagOut, Content, OwnerOut, StatusOut, TagIds, Title

Format = Literal["text"]

# Of an answer a plain text: a second format then changes nothing that clients were made from.
FormatOut = Annotated[Format, WithJsonSchema({"type": "string"})]


class BodyIn(Schema):
    """Give the text and how it is to be read."""

    format: Format = Field("text", description="How `text` is to be read; there is one way so far.")
    text: Content = Field(examples=["First post."])


class BlogIn(Schema):
    """Describe a new blog, or the whole of one; PUT replaces its tags."""

    title: Title = Field(examples=["Hello"])
    body: BodyIn
    status: Status = Field(Status.PUBLISHED, examples=[Status.PUBLISHED])
    tags: TagIds = Field(default_factory=list, description="Ids of tags.", examples=[[]])


class BodyPatch(Schema):
    """Change what is given of the body."""

    format: Format = absent()
    text: Content = absent(examples=["Second thoughts."])


class BlogPatch(Schema):
    """Change what is given, within `body` too; `null` takes all tags off."""

    title: Title = absent(examples=["Hello again"])
    body: BodyPatch = absent()
    status: Status = absent()
    tags: TagIds | None = absent()


class BodyOut(Schema):
    """Show the text and how it is to be read."""

    format: FormatOut = Field(
        description="How the text is to be read: `text` means as it stands. Others may come; read those so, too.",
        examples=["text"],
    )
    text: Annotated[str, Renamed("content")] = Field(examples=["First post."])


class BlogOut(Schema):
    """Show a blog with its owner and tags."""

    id: Ident
    title: str = Field(examples=["Hello"])
    body: Annotated[BodyOut, Grouped()]
    status: StatusOut = Field(examples=["published"], description="draft or published")
    published_at: datetime | None = Field(description="Since when it is published; null for a draft.")
    owner: OwnerOut
    tags: list[BlogTagOut]
    created_at: datetime
    updated_at: datetime
