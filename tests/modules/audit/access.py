"""Who may look up what was done: admins, and nobody else."""

from application.database import transaction
from application.modules.audit import business
from tests.contract.access import Feature, Row, World


def _recorded(world: World) -> dict[str, str]:
    with world.app.app_context(), transaction():
        business.record("note.create", "1", "Hello", after={"title": "Hello"})
        return {"audit_id": business.search(limit=1).items[0].id}


FEATURE = Feature(
    {
        "GET /audit": Row(401, 403, 403, 200),
        "GET /audit/<id:audit_id>": Row(401, 403, 403, 200),
    },
    create=_recorded,
)
