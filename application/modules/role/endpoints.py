"""Manage roles: named sets of the permissions that the code knows, given to users."""

from flask import current_app
from flask_babel import gettext

from application.libs.auth import current_identity
from application.libs.opening import opened
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.role import business
from application.modules.role.schemas import PermissionOut, RoleId, RoleIn, RoleOut, RolePatch, RoleQuery, RouteOut
from application.permissions import Permission

role = Redprint("role", __name__)
permission = Redprint("permission", __name__, tag="role")

_CHANGE_ERRORS = [business.RoleNotFound, business.NameTaken, business.RoleBuiltIn, business.PermissionNotHeld]


@role.get(
    "",
    permission=Permission.ROLE_MANAGE,
    answer=RoleOut,
    orders=business.ORDERS,
    filters=business.FILTERS,
    rows_only=True,
)
def index(query: RoleQuery) -> Page[business.RoleRow]:
    """List roles."""
    return business.search(**query.given())


@role.post(
    "",
    status=201,
    permission=Permission.ROLE_MANAGE,
    answer=RoleOut,
    errors=[business.NameTaken, business.PermissionNotHeld],
    rate_limit="120/minute",
)
def create(body: RoleIn) -> business.RoleRow:
    """Make a role of permissions that one holds oneself."""
    return business.create(**body.model_dump(), held=current_identity().permissions)


@role.get("/<id:role_id>", permission=Permission.ROLE_MANAGE, answer=RoleOut, errors=[business.RoleNotFound])
def show(role_id: RoleId) -> business.RoleRow:
    """Read a role."""
    return business.get(role_id)


@role.put("/<id:role_id>", permission=Permission.ROLE_MANAGE, answer=RoleOut, errors=_CHANGE_ERRORS)
def replace(role_id: RoleId, body: RoleIn) -> business.RoleRow:
    """Replace a role; who has it may do what it holds now from their next request on."""
    return business.update(role_id, **body.model_dump(), held=current_identity().permissions)


@role.patch("/<id:role_id>", permission=Permission.ROLE_MANAGE, answer=RoleOut, errors=_CHANGE_ERRORS)
def update(role_id: RoleId, body: RolePatch) -> business.RoleRow:
    """Change a role; who has it may do what it holds now from their next request on."""
    return business.update(role_id, **body.model_dump(exclude_unset=True), held=current_identity().permissions)


@role.delete(
    "/<id:role_id>",
    permission=Permission.ROLE_MANAGE,
    errors=[business.RoleNotFound, business.RoleBuiltIn, business.RoleInUse, business.PermissionNotHeld],
)
def delete(role_id: RoleId) -> None:
    """Delete a role that nobody has."""
    business.delete(role_id, held=current_identity().permissions)


@permission.get("", permission=Permission.ROLE_MANAGE)
def permissions() -> list[PermissionOut]:
    """List every permission there is, with the addresses it opens and the roles that hold it."""
    addresses, roles = opened(current_app), business.holders()
    return [
        PermissionOut(
            name=one.value,
            description=gettext(one.description),
            routes=[RouteOut(method=method, path=path) for method, path in addresses.get(one, ())],
            roles=roles[one],
        )
        for one in Permission
    ]
