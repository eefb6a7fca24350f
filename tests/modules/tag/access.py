"""Who may do what with tags."""

from tests.contract.access import Feature, Row

FEATURE = Feature(
    {
        "GET /tag": Row(200, 200, 200, 200),
        "POST /tag": Row(401, 201, 201, 201, json={"name": "flask"}),
        "GET /tag/<id:tag_id>": Row(200, 200, 200, 200),
        "PUT /tag/<id:tag_id>": Row(401, 403, 403, 200, json={"name": "changed"}),
        "PATCH /tag/<id:tag_id>": Row(401, 403, 403, 200, json={"name": "changed"}),
        "DELETE /tag/<id:tag_id>": Row(401, 403, 403, 204),
    },
    create=lambda world: {"tag_id": world.made("/api/v1/tag", {"name": "python"})},
)
