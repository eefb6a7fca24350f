"""Manage users and their roles."""

from typing import Any

from application.libs.auth import current_identity
from application.libs.page import Page
from application.libs.redprint import Redprint, unit_of_work
from application.libs.secret import hash_password
from application.modules.role.business import PermissionNotHeld, UnknownRole
from application.modules.user import business
from application.modules.user.schemas import UserId, UserIn, UserOut, UserPatch, UserQuery, UserReplaceIn
from application.permissions import Permission

user = Redprint("user", __name__)

_CHANGE_ERRORS = [business.UserNotFound, business.NameTaken, business.LastAdmin, UnknownRole, PermissionNotHeld]


@user.get(
    "",
    permission=Permission.USER_MANAGE,
    answer=UserOut,
    orders=business.ORDERS,
    filters=business.FILTERS,
    rows_only=True,
)
def index(query: UserQuery) -> Page[business.UserRow]:
    """List users."""
    return business.search(**query.given())


@user.post(
    "",
    status=201,
    permission=Permission.USER_MANAGE,
    answer=UserOut,
    errors=[business.NameTaken, UnknownRole, PermissionNotHeld],
    transaction=False,
    rate_limit="120/minute",
)
def create(body: UserIn) -> business.UserRow:
    """Create a user, whose roles hold no more than one holds oneself."""
    password_hash, held = hash_password(body.password), current_identity().permissions
    with unit_of_work():
        return business.create(name=body.name, password_hash=password_hash, roles=body.roles, held=held)


@user.get("/<id:user_id>", answer=UserOut, errors=[business.UserNotFound])
def show(user_id: UserId) -> business.UserRow:
    """Read a user: oneself, or anybody for who manages users."""
    caller = current_identity()
    return business.get_visible(user_id, viewer_id=caller.user_id, viewer_manages=caller.may(Permission.USER_MANAGE))


@user.put(
    "/<id:user_id>",
    permission=Permission.USER_MANAGE,
    answer=UserOut,
    errors=_CHANGE_ERRORS,
    transaction=False,
)
def replace(user_id: UserId, body: UserReplaceIn) -> business.UserRow:
    """Replace a user."""
    return _change(user_id, body.model_dump(exclude_unset=True))


@user.patch(
    "/<id:user_id>",
    permission=Permission.USER_MANAGE,
    answer=UserOut,
    errors=_CHANGE_ERRORS,
    transaction=False,
)
def update(user_id: UserId, body: UserPatch) -> business.UserRow:
    """Change a user; a new password ends their sessions."""
    return _change(user_id, body.model_dump(exclude_unset=True))


@user.delete(
    "/<id:user_id>",
    permission=Permission.USER_MANAGE,
    errors=[business.UserNotFound, business.UserInUse, business.LastAdmin, PermissionNotHeld],
)
def delete(user_id: UserId) -> None:
    """Delete a user who owns no blogs."""
    business.delete(user_id, held=current_identity().permissions)


def _change(user_id: str, changes: dict[str, Any]) -> business.UserRow:
    if "password" in changes:
        password = changes.pop("password")
        if "name" not in changes:
            with unit_of_work(write=False):
                name = business.get(user_id).name
            business.check_new_password(password, name=name)
        changes["password_hash"] = hash_password(password)
    with unit_of_work():
        return business.update(user_id, **changes, held=current_identity().permissions)
