"""What sessions look like on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from application.libs.filter import After, AtOrAfter, AtOrBefore, Before
from application.libs.schema import Ident, PageQuery, Schema

SessionId = Annotated[str, Field(description="The session's id.")]


class SessionOut(Schema):
    """Show where somebody is signed in."""

    id: Ident
    user_id: Ident
    user_name: str = Field(examples=["ada"])
    device: str = Field(description="What the client calls itself.", examples=["Mozilla/5.0 (X11; Linux x86_64)"])
    address: str = Field(description="From where it signed in.", examples=["192.0.2.7"])
    is_current: bool = Field(description="Whether this request came by it.")
    created_at: datetime
    last_seen_at: datetime = Field(description="Exact to a minute.")
    expires_at: datetime


class SessionQuery(PageQuery):
    """Choose sessions."""

    sort: str = Field(
        "-last_seen_at",
        max_length=50,
        description="A minus in front reverses the order.",
        examples=["-last_seen_at", "created_at"],
    )
    user: Ident | None = Field(None, description="Only sessions of this user.")
    created_at__gt: After = None
    created_at__gte: AtOrAfter = None
    created_at__lt: Before = None
    created_at__lte: AtOrBefore = None
    last_seen_at__gt: After = None
    last_seen_at__gte: AtOrAfter = None
    last_seen_at__lt: Before = None
    last_seen_at__lte: AtOrBefore = None
