"""Users over HTTP."""

from typing import Any

from application.libs.auth import current_identity, viewer_id
from application.libs.page import Page
from application.libs.redprint import Redprint, unit_of_work
from application.libs.secret import hash_password
from application.modules.blog import business as blog_business
from application.modules.blog.schemas import BlogOut, BlogQuery
from application.modules.user import business
from application.modules.user.schemas import UserIn, UserOut, UserPatch, UserQuery, UserReplaceIn
from application.permissions import Permission

user = Redprint("user", __name__)

_CHANGE_ERRORS = [business.UserNotFound, business.NameTaken, business.LastAdmin]


@user.get("", permission=Permission.USER_MANAGE, answer=UserOut)
def index(query: UserQuery) -> Page[business.UserRow]:
    """List users."""
    return business.search(**query.model_dump())


@user.post(
    "",
    status=201,
    permission=Permission.USER_MANAGE,
    answer=UserOut,
    errors=[business.NameTaken],
    transaction=False,
)
def create(body: UserIn) -> business.UserRow:
    """Create a user."""
    password_hash = hash_password(body.password)
    with unit_of_work():
        return business.create(name=body.name, password_hash=password_hash, roles=body.roles)


@user.get("/<id:user_id>", answer=UserOut, errors=[business.UserNotFound])
def show(user_id: str) -> business.UserRow:
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
def replace(user_id: str, body: UserReplaceIn) -> business.UserRow:
    """Replace a user."""
    return _change(user_id, body.model_dump(exclude_unset=True))


@user.patch(
    "/<id:user_id>",
    permission=Permission.USER_MANAGE,
    answer=UserOut,
    errors=_CHANGE_ERRORS,
    transaction=False,
)
def update(user_id: str, body: UserPatch) -> business.UserRow:
    """Change a user; a new password ends their sessions."""
    return _change(user_id, body.model_dump(exclude_unset=True))


@user.delete(
    "/<id:user_id>",
    permission=Permission.USER_MANAGE,
    errors=[business.UserNotFound, business.UserInUse, business.LastAdmin],
)
def delete(user_id: str) -> None:
    """Delete a user who owns no blogs."""
    business.delete(user_id)


@user.get("/<id:user_id>/blogs", public=True, answer=BlogOut, errors=[business.UserNotFound])
def blogs(user_id: str, query: BlogQuery) -> Page[blog_business.BlogRow]:
    """List the published blogs of a user; to themselves also their drafts."""
    page = blog_business.search(viewer_id=viewer_id(), owner_id=user_id, **query.model_dump())
    if not page.items:
        business.check_exists(user_id)
    return page


def _change(user_id: str, changes: dict[str, Any]) -> business.UserRow:
    if "password" in changes:
        changes["password_hash"] = hash_password(changes.pop("password"))
    with unit_of_work():
        return business.update(user_id, **changes)
