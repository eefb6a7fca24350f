"""Who may do what with keys: people with their own, and who manages users with everybody's; keys nothing."""

from tests.contract.access import Feature, Row

BODY = {"name": "import", "permissions": ["tag:create"]}

FEATURE = Feature(
    {
        "GET /key": Row(401, 200, 200, 200),
        "POST /key": Row(401, 201, 201, 201, json=BODY),
        "GET /key/<id:key_id>": Row(401, 404, 200, 200),
        "PATCH /key/<id:key_id>": Row(401, 404, 200, 200, json={"name": "changed"}),
        "DELETE /key/<id:key_id>": Row(401, 404, 204, 204),
    },
    create=lambda world: {"key_id": world.made("/api/v1/key", BODY)},
)
