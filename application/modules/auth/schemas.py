"""What signing in looks like on the wire."""

from datetime import datetime

from pydantic import Field

from application.libs.schema import Ident, Schema


class LoginIn(Schema):
    """Give name and password."""

    name: str = Field(max_length=50, examples=["admin"])
    password: str = Field(max_length=128, examples=["correct horse battery staple"])


class SessionOut(Schema):
    """Show a fresh token, this once; send it as `Authorization: Bearer`."""

    token: str = Field(examples=["kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM"])
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="Seconds from now.", examples=[43_200])
    expires_at: datetime


class IdentityOut(Schema):
    """Show who is asking and what they may do."""

    id: Ident
    name: str = Field(examples=["ada"])
    roles: list[str] = Field(examples=[["user"]])
    permissions: list[str] = Field(examples=[["blog:write", "monitor:view", "tag:create"]])
