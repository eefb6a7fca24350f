"""Who may do what with users."""

from tests.contract.access import Feature, Row

FEATURE = Feature(
    {
        "GET /user": Row(401, 403, 403, 200),
        "POST /user": Row(401, 403, 403, 201, json={"name": "eve", "password": "correct horse"}),
        "GET /user/<id:user_id>": Row(401, 404, 200, 200),
        "PUT /user/<id:user_id>": Row(401, 403, 403, 200, json={"name": "changed", "roles": ["user"]}),
        "PATCH /user/<id:user_id>": Row(401, 403, 403, 200, json={"name": "changed"}),
        "DELETE /user/<id:user_id>": Row(401, 403, 403, 409),  # they own a blog
    }
)
