"""Who may do what with messages: those who look after them, and nobody else."""

from application.database import transaction
from application.modules.message import business
from tests.contract.access import Feature, Row, World


def _accepted(world: World) -> dict[str, str]:
    with world.app.app_context(), transaction():
        message_id = business.send_mail(to="ada@example.org", template="test", language="en")
    return {"message_id": message_id}


FEATURE = Feature(
    {
        "GET /message": Row(401, 403, 403, 200),
        "POST /message/test": Row(401, 403, 403, 201, json={"channel": "mail", "to": "ada@example.org"}),
        "GET /message/<id:message_id>": Row(401, 403, 403, 200),
        "POST /message/<id:message_id>/retry": Row(401, 403, 403, 409),  # it is still tried
        "POST /message/<id:message_id>/bounce": Row(401, 403, 403, 409, json={"reason": "550 no"}),  # it was not sent
    },
    create=_accepted,
)
