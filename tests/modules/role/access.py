"""Who may do what with roles, and see which permissions there are."""

from collections.abc import Mapping

from tests.contract.access import Feature, Row, World


def _create(world: World) -> Mapping[str, str]:
    body = {"name": "editor", "permissions": ["tag:manage"]}
    return {"role_id": world.client("admin").post("/api/v1/role", json=body).get_json()["data"]["id"]}


FEATURE = Feature(
    {
        "GET /role": Row(401, 403, 403, 200),
        "POST /role": Row(401, 403, 403, 201, json={"name": "author", "permissions": ["blog:write"]}),
        "GET /role/<id:role_id>": Row(401, 403, 403, 200),
        "PUT /role/<id:role_id>": Row(401, 403, 403, 200, json={"name": "changed", "permissions": []}),
        "PATCH /role/<id:role_id>": Row(401, 403, 403, 200, json={"permissions": ["user:manage"]}),
        "DELETE /role/<id:role_id>": Row(401, 403, 403, 204),
        "GET /permission": Row(401, 403, 403, 200),
    },
    create=_create,
)
