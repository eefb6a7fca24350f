"""Who may sign in and out."""

from collections.abc import Mapping

from application.modules.code.business import Purpose
from tests.contract.access import Feature, Row, World
from tests.post import give_contact, put_code

CODE = "204816"
NEW, OWNERS = "visitor@example.org", "mine@example.org"


def create(world: World) -> Mapping[str, str]:
    """Let codes have been sent to the owner, and to somebody who has no account."""
    give_contact(world.app, world.values["user_id"], OWNERS)
    for purpose, to in ((Purpose.REGISTER, NEW), (Purpose.SIGN_IN, OWNERS), (Purpose.RESET, OWNERS)):
        put_code(world.app, purpose, to, CODE)
    return {}


FEATURE = Feature(
    {
        "POST /auth/login": Row(200, 200, 200, 200, json={"name": "owner", "password": "correct horse"}),
        "POST /auth/login-by-code": Row(200, 200, 200, 200, json={"to": OWNERS, "code": CODE}),
        "POST /auth/register": Row(201, 201, 201, 201, json={"to": NEW, "code": CODE, "name": "visitor"}),
        "POST /auth/reset": Row(
            204, 204, 204, 204, json={"to": OWNERS, "code": CODE, "password": "four other words at random"}
        ),
        "POST /auth/refresh": Row(401, 401, 401, 401, json={"refresh_token": "unknown"}),
        "POST /auth/logout": Row(401, 204, 204, 204),
        "POST /auth/logout-everywhere": Row(401, 200, 200, 200),
        "POST /auth/password": Row(
            401, 204, 204, 204, json={"current_password": "correct horse", "password": "correct horse"}
        ),
        "GET /auth/me": Row(401, 200, 200, 200),
    },
    create,
)
