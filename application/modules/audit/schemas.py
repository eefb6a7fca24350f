"""What was done, as it looks on the wire; secrets are masked before it is stored."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

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
from application.libs.schema import Ident, PageQuery, Schema

AuditId = Annotated[str, Field(description="The audit record's id.")]


class AuditOut(Schema):
    """Show one thing that was done."""

    id: Ident
    at: datetime
    actor_id: Ident | None = Field(
        description="The user who did it; null for a command, a job, or somebody who had not signed in."
    )
    actor_name: str = Field(
        description="Their name at that time, `anonymous`, `system`, or which command, job or task.", examples=["admin"]
    )
    action: str = Field(examples=["user.update"])
    subject_kind: str = Field(description="What stands before the action's dot.", examples=["user"])
    subject_id: str | None = Field(
        description="What it was done to.", examples=["01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"]
    )
    subject_name: str | None = Field(description="Its name at that time.", examples=["ada"])
    address: str | None = Field(description="Where the request came from.", examples=["192.0.2.7"])
    request_id: str | None = Field(
        description="The `X-Request-ID` of the request; the log knows it.",
        examples=["01981f3e7c5a7b1e9c550d7f5b1f2a10"],
    )
    before: dict[str, Any] | None = Field(
        description="What was otherwise before; null for what was made.", examples=[{"roles": ["user"]}]
    )
    after: dict[str, Any] | None = Field(
        description="What it has become; null for what was deleted.", examples=[{"roles": ["admin", "user"]}]
    )


class AuditQuery(PageQuery):
    """Choose what was done."""

    sort: str = Field("-at", max_length=50, description="A minus in front reverses the order.", examples=["-at", "at"])
    q: str | None = Field(
        None,
        max_length=50,
        description="Only what was done by or to somebody whose name contains this.",
        examples=["ada"],
    )
    action: Equals[FilterText] = None
    action__in: OneOf[FilterText] = None
    actor: Equals[Ident] = None
    actor__in: OneOf[Ident] = None
    actor_name: Equals[FilterText] = None
    actor_name__contains: Contains = None
    actor_name__startswith: StartsWith = None
    subject_kind: Equals[FilterText] = None
    subject_kind__in: OneOf[FilterText] = None
    subject: Equals[FilterText] = None
    subject__in: OneOf[FilterText] = None
    subject_name: Equals[FilterText] = None
    subject_name__contains: Contains = None
    subject_name__startswith: StartsWith = None
    address: Equals[FilterText] = None
    request_id: Equals[FilterText] = None
    at__gt: After = None
    at__gte: AtOrAfter = None
    at__lt: Before = None
    at__lte: AtOrBefore = None
