"""What signing in looks like on the wire."""

from datetime import datetime

from pydantic import Field

from application.libs.schema import Schema


class LoginIn(Schema):
    """Give name and password."""

    name: str = Field(max_length=50, examples=["admin"])
    password: str = Field(max_length=128)


class SessionOut(Schema):
    """Show a fresh token, this once; send it as `Authorization: Bearer`."""

    token: str
    token_type: str
    expires_in: int = Field(description="Seconds from now.")
    expires_at: datetime


class IdentityOut(Schema):
    """Show who is asking and what they may do."""

    id: str
    name: str
    roles: list[str]
    permissions: list[str]
