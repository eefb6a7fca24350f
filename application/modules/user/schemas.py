"""What users look like on the wire; a password only ever comes in."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from application.libs.schema import Name, PageQuery, Schema, absent
from application.permissions import Role

Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]
Roles = Annotated[list[Role], Field(max_length=10)]


class UserIn(Schema):
    """Describe a new user."""

    name: Name = Field(examples=["ada"])
    password: Password = Field(description="8 to 128 characters.")
    roles: Roles = Field(default_factory=lambda: [Role.USER])


class UserReplaceIn(Schema):
    """Describe the whole of a user; without a password the old one stays."""

    name: Name
    roles: Roles
    password: Password = absent()


class UserPatch(Schema):
    """Change what is given."""

    name: Name = absent()
    password: Password = absent()
    roles: Roles = absent()


class UserOut(Schema):
    """Show a user."""

    id: str
    name: str
    roles: list[str]
    created_at: datetime
    updated_at: datetime


class UserQuery(PageQuery):
    """Choose users."""

    sort: str = Field("name", max_length=50, description="One of name, created_at; a minus in front reverses it.")
    q: str | None = Field(None, max_length=50, description="Only users whose name contains this.")
