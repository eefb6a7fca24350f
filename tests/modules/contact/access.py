"""Who may see and change contacts: everybody their own."""

from collections.abc import Mapping

from application.modules.code.business import Purpose
from tests.contract.access import Feature, Row, World
from tests.post import give_contact, put_code

NEW = "new@example.org"


def create(world: World) -> Mapping[str, str]:
    """Give the owner an address, and let them have been sent a code to another."""
    put_code(world.app, Purpose.VERIFY, NEW, "204816", asked_by=world.values["user_id"])
    return {"contact_id": give_contact(world.app, world.values["user_id"], "owner@example.org")}


FEATURE = Feature(
    {
        "GET /contact": Row(401, 200, 200, 200),
        "POST /contact": Row(401, 422, 201, 422, json={"to": NEW, "code": "204816"}),
        "DELETE /contact/<id:contact_id>": Row(401, 404, 204, 404),
    },
    create,
)
