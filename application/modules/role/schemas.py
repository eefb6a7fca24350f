"""What roles and permissions look like on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from application.libs.filter import After, AtOrAfter, AtOrBefore, Before, Contains, Equals, FilterText, Flag, StartsWith
from application.libs.schema import Ident, Name, PageQuery, Schema, absent
from application.permissions import Permission

RoleId = Annotated[str, Field(description="The role's id.")]
Description = Annotated[str, Field(max_length=200)]
Permissions = Annotated[list[Permission], Field(max_length=100)]

_NAME = ["editor"]
_DESCRIPTION = ["Keeps the tags in order."]
_PERMISSIONS = [["tag:create", "tag:manage"]]


class RoleIn(Schema):
    """Describe a new role, or the whole of one."""

    name: Name = Field(examples=_NAME)
    description: Description = Field("", examples=_DESCRIPTION)
    permissions: Permissions = Field(examples=_PERMISSIONS)


class RolePatch(Schema):
    """Change what is given."""

    name: Name = absent(examples=_NAME)
    description: Description = absent(examples=_DESCRIPTION)
    permissions: Permissions = absent(examples=_PERMISSIONS)


class RoleOut(Schema):
    """Show a role; one that is built in keeps its name and is never deleted."""

    id: Ident
    name: str = Field(examples=_NAME)
    description: str = Field(examples=_DESCRIPTION)
    is_builtin: bool = Field(examples=[False])
    permissions: list[str] = Field(examples=_PERMISSIONS)
    created_at: datetime
    updated_at: datetime


class RoleQuery(PageQuery):
    """Choose roles."""

    sort: str = Field(
        "name", max_length=50, description="A minus in front reverses the order.", examples=["name", "-created_at"]
    )
    q: str | None = Field(None, max_length=50, description="Only roles whose name contains this.", examples=["edit"])
    name: Equals[FilterText] = None
    name__contains: Contains = None
    name__startswith: StartsWith = None
    is_builtin: Flag = None
    created_at__gt: After = None
    created_at__gte: AtOrAfter = None
    created_at__lt: Before = None
    created_at__lte: AtOrBefore = None


class RouteOut(Schema):
    """Show an address that a permission opens."""

    method: str = Field(examples=["POST"])
    path: str = Field(examples=["/api/v1/tag"])


class PermissionOut(Schema):
    """Show a permission: what it lets one do, which addresses it opens, and which roles hold it."""

    name: str = Field(examples=["tag:create"])
    description: str = Field(description="In the language that is asked for.", examples=["Create tags."])
    routes: list[RouteOut] = Field(
        description="What asks for it; none where it only widens what others give, or is for sockets."
    )
    roles: list[str] = Field(examples=[["admin", "user"]])
