"""What users look like on the wire; a password only ever comes in."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from application.config.secret import is_known_password
from application.libs.filter import After, AtOrAfter, AtOrBefore, Before, Contains, Equals, FilterText, StartsWith
from application.libs.schema import Ident, Name, PageQuery, Schema, absent, one_line
from application.permissions import Role


def _not_known(password: str) -> str:
    if is_known_password(SecretStr(password)):
        raise PydanticCustomError("password_known", "Everybody tries this password first; choose another")
    return password


def _without_colon(name: str) -> str:
    if ":" in name:
        raise PydanticCustomError("colon", "A user's name has no colon; HTTP Basic could not carry it (RFC 7617)")
    return name


UserName = Annotated[Name, AfterValidator(_without_colon), Field(json_schema_extra={"pattern": one_line(without=":")})]
Password = Annotated[str, StringConstraints(min_length=8, max_length=128), AfterValidator(_not_known)]
Roles = Annotated[list[Role], Field(max_length=10)]


UserId = Annotated[str, Field(description="The user's id.")]


class UserIn(Schema):
    """Describe a new user."""

    name: UserName = Field(examples=["ada"])
    password: Password = Field(description="8 to 128 characters.", examples=["correct horse battery staple"])
    roles: Roles = Field(default_factory=lambda: [Role.USER], examples=[[Role.USER]])


class UserReplaceIn(Schema):
    """Describe the whole of a user; without a password the old one stays."""

    name: UserName = Field(examples=["ada"])
    roles: Roles = Field(examples=[[Role.USER]])
    password: Password = absent()


class UserPatch(Schema):
    """Change what is given."""

    name: UserName = absent(examples=["ada.lovelace"])
    password: Password = absent()
    roles: Roles = absent()


class UserOut(Schema):
    """Show a user."""

    id: Ident
    name: str = Field(examples=["ada"])
    roles: list[str] = Field(examples=[["user"]])
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
    role: Role | None = Field(None, description="Only users who hold this role.")
    created_at__gt: After = None
    created_at__gte: AtOrAfter = None
    created_at__lt: Before = None
    created_at__lte: AtOrBefore = None
