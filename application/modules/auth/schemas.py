"""What signing in looks like on the wire."""

from datetime import datetime

from pydantic import Field

from application.libs.password import MAX_LENGTH
from application.libs.schema import Ident, Schema
from application.modules.user.schemas import Password


class LoginIn(Schema):
    """Give name and password, and a code where a second factor is on."""

    name: str = Field(max_length=50, examples=["admin"])
    password: str = Field(max_length=MAX_LENGTH, examples=["correct horse battery staple"])
    code: str | None = Field(
        None,
        max_length=50,
        description="Of the second factor, if one is on: what the phone shows now, or a recovery code.",
        examples=["492039"],
    )


class PasswordChangeIn(Schema):
    """Prove the password one has, and choose another."""

    current_password: str = Field(max_length=MAX_LENGTH, examples=["the words of last year"])  # nobody has it
    password: Password = Field(examples=["four other words at random"])


class RefreshIn(Schema):
    """Give the refresh token that came last."""

    refresh_token: str = Field(
        max_length=16_384, examples=["hX2kq0mF8sVbT1yPzLwQ9A.kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM"]
    )


class TokensOut(Schema):
    """Show fresh tokens, this once; send the first as `Authorization: Bearer`, and keep the second for `refresh`."""

    token: str = Field(examples=["kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM"])
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="Seconds from now.", examples=[900])
    expires_at: datetime
    refresh_token: str = Field(examples=["hX2kq0mF8sVbT1yPzLwQ9A.kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM"])
    refresh_expires_in: int = Field(description="Seconds from now, if it is not exchanged before.", examples=[604_800])
    refresh_expires_at: datetime


class EverywhereQuery(Schema):
    """Choose what is ended."""

    keep_current: bool = Field(False, description="Whether the session of this request goes on.", examples=[True])


class EndedOut(Schema):
    """Say how many sessions were ended."""

    ended: int = Field(examples=[3])


class IdentityOut(Schema):
    """Show who is asking and what they may do."""

    id: Ident
    name: str = Field(examples=["ada"])
    roles: list[str] = Field(examples=[["user"]])
    permissions: list[str] = Field(examples=[["blog:write", "monitor:view", "tag:create"]])
