"""Make, look over and revoke keys, by which machines call the API on behalf of a user."""

from typing import TypedDict

from application.libs.auth import current_identity
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.key import business
from application.modules.key.schemas import FreshKeyOut, KeyId, KeyIn, KeyOut, KeyPatch, KeyQuery
from application.permissions import Permission

key = Redprint("key", __name__)


@key.get("", answer=KeyOut, orders=business.ORDERS, filters=business.FILTERS)
def index(query: KeyQuery) -> Page[business.KeyRow]:
    """List one's own keys; who manages users may ask for those of a user."""
    return business.search(**_viewer(), **query.given())


@key.post(
    "",
    status=201,
    answer=FreshKeyOut,
    errors=[business.NotYoursToGive, business.TooManyKeys],
    secret=True,
    rate_limit="30/minute",
)
def create(body: KeyIn) -> business.FreshKeyRow:
    """Make a key for a machine; its text is shown this once."""
    caller = current_identity()
    return business.create(
        user_id=caller.user_id,
        held=caller.permissions,
        name=body.name,
        permissions=body.permissions,
        expires_in_days=body.expires_in_days,
    )


@key.get("/<id:key_id>", answer=KeyOut, errors=[business.KeyNotFound])
def show(key_id: KeyId) -> business.KeyRow:
    """Read a key: one's own, or anybody's for who manages users."""
    return business.get_visible(key_id, **_viewer())


@key.patch("/<id:key_id>", answer=KeyOut, errors=[business.KeyNotFound])
def update(key_id: KeyId, body: KeyPatch) -> business.KeyRow:
    """Rename a key; what it may do and for how long stays as it is."""
    return business.update(key_id, **_viewer(), **body.model_dump(exclude_unset=True))


@key.delete("/<id:key_id>", errors=[business.KeyNotFound])
def delete(key_id: KeyId) -> None:
    """Revoke a key: the next request with it is refused."""
    business.delete(key_id, **_viewer())


class _Viewer(TypedDict):
    viewer_id: str
    viewer_manages: bool


def _viewer() -> _Viewer:
    """Return who asks, and whether everybody's keys are theirs to look after."""
    caller = current_identity()
    return {"viewer_id": caller.user_id, "viewer_manages": caller.may(Permission.USER_MANAGE)}
