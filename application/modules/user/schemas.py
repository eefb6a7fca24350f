"""What users look like on the wire; a password only ever comes in."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from application.config.secret import is_known_password
from application.libs.filter import After, AtOrAfter, AtOrBefore, Before, Contains, Equals, FilterText, StartsWith
from application.libs.password import (
    HOLDS_NAME,
    KNOWN,
    MAX_BYTES,
    MAX_LENGTH,
    MIN_LENGTH,
    TOO_MANY_BYTES,
    holds_name,
    is_common,
)
from application.libs.schema import Ident, Name, PageQuery, Schema, absent, one_line
from application.permissions import Role


def _usable(password: str) -> str:
    if len(password.encode()) > MAX_BYTES:
        raise PydanticCustomError("password_bytes", TOO_MANY_BYTES)
    if is_known_password(SecretStr(password)) or is_common(password):
        raise PydanticCustomError("password_known", KNOWN)
    return password


def _without_name(password: str, others: ValidationInfo) -> str:
    """Judge the password by the name that came with it, if that one is valid."""
    name = others.data.get("name")
    if isinstance(name, str) and holds_name(password, name):
        raise PydanticCustomError("password_holds_name", HOLDS_NAME)
    return password


def _without_colon(name: str) -> str:
    if ":" in name:
        raise PydanticCustomError("colon", "A user's name has no colon; HTTP Basic could not carry it (RFC 7617)")
    return name


UserName = Annotated[Name, AfterValidator(_without_colon), Field(json_schema_extra={"pattern": one_line(without=":")})]
Password = Annotated[
    str,
    StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH),
    AfterValidator(_usable),
    Field(description="8 to 128 characters, at most 256 bytes in UTF-8; no common one, and without the user's name."),
]
"""A new password, whoever it is for."""

NamedPassword = Annotated[Password, AfterValidator(_without_name)]
"""A new password in a schema that has the user's name before it; without one, the rule looks at the name there is."""

RoleName = Annotated[str, Field(max_length=50, examples=[Role.USER.value])]
Roles = Annotated[list[RoleName], Field(max_length=10)]


Disabled = Annotated[
    bool,
    Field(description="True ends the user's sessions and keeps them from signing in, and their keys from working."),
]

UserId = Annotated[str, Field(description="The user's id.")]


class UserIn(Schema):
    """Describe a new user."""

    name: UserName = Field(examples=["ada"])
    password: NamedPassword = Field(examples=["correct horse battery staple"])
    roles: Roles = Field(default_factory=lambda: [Role.USER.value], examples=[[Role.USER.value]])


class UserReplaceIn(Schema):
    """Describe the whole of a user; without a password the old one stays."""

    name: UserName = Field(examples=["ada"])
    roles: Roles = Field(examples=[[Role.USER.value]])
    password: NamedPassword = absent()
    is_disabled: Disabled = absent()


class UserPatch(Schema):
    """Change what is given."""

    name: UserName = absent(examples=["ada.lovelace"])
    password: NamedPassword = absent()
    roles: Roles = absent()
    is_disabled: Disabled = absent()


class UserOut(Schema):
    """Show a user."""

    id: Ident
    name: str = Field(examples=["ada"])
    roles: list[str] = Field(examples=[["user"]])
    is_disabled: bool = Field(description="Whether they are kept from signing in.")
    created_at: datetime
    updated_at: datetime


class UserQuery(PageQuery):
    """Choose users."""

    sort: str = Field(
        "name", max_length=50, description="A minus in front reverses the order.", examples=["name", "-created_at"]
    )
    q: str | None = Field(None, max_length=50, description="Only users whose name contains this.", examples=["ada"])
    name: Equals[FilterText] = None
    name__contains: Contains = None
    name__startswith: StartsWith = None
    role: RoleName | None = Field(None, description="Only users who hold this role.")
    created_at__gt: After = None
    created_at__gte: AtOrAfter = None
    created_at__lt: Before = None
    created_at__lte: AtOrBefore = None
