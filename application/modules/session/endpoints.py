"""See where one is signed in, and end that; who manages users does it for everybody."""

from application.libs.auth import current_identity
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.role.business import PermissionNotHeld
from application.modules.session import business
from application.modules.session.schemas import SessionId, SessionOut, SessionQuery
from application.modules.user import business as user_business
from application.permissions import Permission

session = Redprint("session", __name__)


@session.get("", answer=SessionOut, orders=business.ORDERS, filters=business.FILTERS)
def index(query: SessionQuery) -> Page[business.SessionRow]:
    """List one's own sessions; who manages users sees all."""
    return business.search(viewer_id=_viewer(), current_id=current_identity().session_id, **query.given())


@session.get("/<id:session_id>", answer=SessionOut, errors=[business.SessionNotFound])
def show(session_id: SessionId) -> business.SessionRow:
    """Read a session: one's own, or anybody's for who manages users."""
    return business.get(session_id, viewer_id=_viewer(), current_id=current_identity().session_id)


@session.delete("/<id:session_id>", errors=[business.SessionNotFound, PermissionNotHeld])
def delete(session_id: SessionId) -> None:
    """End a session at once, on every process and on open sockets; of others, for who holds all that they hold."""
    caller = current_identity()
    found = business.get(session_id, viewer_id=_viewer(), current_id=None)
    if found.user_id != caller.user_id:
        user_business.check_within(found.user_id, caller.permissions)
    business.revoke(session_id)


def _viewer() -> str | None:
    """Return whose sessions the caller may see; None is everybody's."""
    caller = current_identity()
    return None if caller.may(Permission.USER_MANAGE) else caller.user_id
