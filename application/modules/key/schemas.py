"""What keys for machines look like on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from application.libs.filter import After, AtOrAfter, AtOrBefore, Before, Contains, Equals, FilterText, StartsWith
from application.libs.schema import Ident, Name, PageQuery, Schema, absent
from application.permissions import Permission

KeyId = Annotated[str, Field(description="The key's id.")]

_NAME = "nightly import"
_PERMISSIONS = ["tag:create"]


class KeyIn(Schema):
    """Describe a new key."""

    name: Name = Field(description="What uses it, for people.", examples=[_NAME])
    permissions: list[Permission] = Field(
        min_length=1,
        max_length=50,
        description="What it may do: some of what you may. What you may no longer, it may no longer either.",
        examples=[_PERMISSIONS],
    )
    expires_in_days: int = Field(90, ge=1, le=366, description="How long it is valid.", examples=[90])


class KeyPatch(Schema):
    """Change what is given."""

    name: Name = absent(examples=["hourly import"])


class KeyOut(Schema):
    """Show a key, without what makes it one."""

    id: Ident
    user_id: Ident = Field(description="As whom it acts.")
    name: str = Field(examples=[_NAME])
    prefix: str = Field(description="How its text begins, to find it where it is used.", examples=["rp_k5zq3xwa"])
    permissions: list[str] = Field(examples=[_PERMISSIONS])
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")
    last_used_address: str | None = Field(description="From where.", examples=["192.0.2.7"])


class FreshKeyOut(KeyOut):
    """Show a fresh key, this once; send it as `Authorization: Bearer`."""

    key: str = Field(
        description="Its text. It is not stored, and cannot be shown again.",
        examples=["rp_k5zq3xwa_kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM"],
    )


class KeyQuery(PageQuery):
    """Choose keys."""

    sort: str = Field(
        "-created_at", max_length=50, description="A minus in front reverses the order.", examples=["-created_at"]
    )
    user_id: Ident | None = Field(None, description="Only keys of this user; for who manages users.")
    name: Equals[FilterText] = None
    name__contains: Contains = None
    name__startswith: StartsWith = None
    expires_at__gt: After = None
    expires_at__gte: AtOrAfter = None
    expires_at__lt: Before = None
    expires_at__lte: AtOrBefore = None
    last_used_at__gt: After = None
    last_used_at__gte: AtOrAfter = None
    last_used_at__lt: Before = None
    last_used_at__lte: AtOrBefore = None
