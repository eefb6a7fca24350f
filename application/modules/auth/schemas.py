"""What signing in looks like on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from application.libs.mail import MAX_ADDRESS, is_like_address
from application.libs.password import MAX_LENGTH
from application.libs.schema import Ident, Schema
from application.modules.contact.schemas import CodeDigits, To
from application.modules.user.schemas import NamedPassword, Password, UserName


def _unlike_address(name: str) -> str:
    if is_like_address(name):
        raise PydanticCustomError("like_address", LIKE_ADDRESS)
    return name


LIKE_ADDRESS = "A name has no @ and does not begin with +, or it could be taken for an address"

ChosenName = Annotated[
    UserName, AfterValidator(_unlike_address), Field(description="Without @, and with no + at its beginning.")
]
"""A name that somebody chooses for themselves."""


FactorCode = Annotated[
    str | None,
    Field(
        max_length=50,
        description="Of the second factor, if one is on: what the phone shows now, or a recovery code.",
        examples=["492039"],
    ),
]


class LoginIn(Schema):
    """Give name and password, and a code where a second factor is on."""

    name: str = Field(
        max_length=MAX_ADDRESS, description="The name, or a mail address or number of the user.", examples=["admin"]
    )
    password: str = Field(max_length=MAX_LENGTH, examples=["correct horse battery staple"])
    code: FactorCode = None


class PasswordChangeIn(Schema):
    """Prove the password one has, and choose another."""

    current_password: str = Field(max_length=MAX_LENGTH, examples=["the words of last year"])  # nobody has it
    password: Password = Field(examples=["four other words at random"])


class LoginByCodeIn(Schema):
    """Show a code of the purpose `sign_in`."""

    to: To = Field(examples=["ada@example.org"])
    code: CodeDigits = Field(examples=["204816"])
    factor_code: FactorCode = None


class RegisterIn(Schema):
    """Show a code of the purpose `register`, and choose a name; without a password one signs in by codes."""

    to: To = Field(examples=["ada@example.org"])
    code: CodeDigits = Field(examples=["204816"])
    name: ChosenName = Field(examples=["ada"])
    password: NamedPassword | None = Field(None, examples=["correct horse battery staple"])


class ResetIn(Schema):
    """Choose another password: with the token of the link that was mailed, or with the code and where it was sent."""

    token: str | None = Field(None, max_length=200, examples=["kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM"])
    to: To | None = Field(None)
    code: CodeDigits | None = Field(None)
    password: Password = Field(examples=["four other words at random"])

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        by_code = self.to is not None and self.code is not None
        is_half = not by_code and (self.to is not None or self.code is not None)
        if is_half or by_code == (self.token is not None):
            raise PydanticCustomError("selection", "Give either `token`, or `to` and `code`")
        return self


class PasswordIn(Schema):
    """Choose a password, on a page."""

    password: Password


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
