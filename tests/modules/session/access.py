"""Who may see and end sessions."""

from collections.abc import Mapping

from application.database import transaction
from tests.callers import by_token
from tests.contract.access import Feature, Row, World


def create(world: World) -> Mapping[str, str]:
    """Find the owner's session."""
    with world.app.app_context(), transaction(write=False):
        identity = by_token(world.tokens["owner"])
    assert identity is not None
    assert identity.session_id is not None
    return {"session_id": identity.session_id}


FEATURE = Feature(
    {
        "GET /session": Row(401, 200, 200, 200),
        "GET /session/<id:session_id>": Row(401, 404, 200, 200),
        "DELETE /session/<id:session_id>": Row(401, 404, 204, 204),
    },
    create,
)
