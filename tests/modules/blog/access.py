"""Who may do what with blogs, and with drafts, which are their owner's alone."""

from tests.contract.access import Feature, Row

URL = "/api/v1/blog"
NEW = {"title": "Hello", "content": ""}
WHOLE = {"title": "Changed", "content": ""}
PART = {"title": "Changed"}
NEW_V2 = {"title": "Hello", "body": {"text": ""}}
WHOLE_V2 = {"title": "Changed", "body": {"text": ""}}

FEATURE = Feature(
    {
        "GET /blog": Row(200, 200, 200, 200),
        "POST /blog": Row(401, 201, 201, 201, json=NEW),
        "POST /api/v2/blog": Row(401, 201, 201, 201, json=NEW_V2),
        "GET /blog/<id:blog_id>": Row(200, 200, 200, 200),
        "PUT /blog/<id:blog_id>": Row(401, 403, 200, 403, json=WHOLE),
        "PUT /api/v2/blog/<id:blog_id>": Row(401, 403, 200, 403, json=WHOLE_V2),
        "PATCH /blog/<id:blog_id>": Row(401, 403, 200, 403, json=PART),
        "DELETE /blog/<id:blog_id>": Row(401, 403, 204, 403),
        "GET /tag/<id:tag_id>/blogs": Row(200, 200, 200, 200),
        "GET /user/<id:user_id>/blogs": Row(200, 200, 200, 200),
    },
    create=lambda world: {"blog_id": world.made(URL, NEW)},
)

DRAFTS = Feature(
    {
        "GET /blog/<id:blog_id>": Row(404, 404, 200, 404),
        "PUT /blog/<id:blog_id>": Row(401, 404, 200, 404, json=WHOLE),
        "PUT /api/v2/blog/<id:blog_id>": Row(401, 404, 200, 404, json=WHOLE_V2),
        "PATCH /blog/<id:blog_id>": Row(401, 404, 200, 404, json=PART),
        "DELETE /blog/<id:blog_id>": Row(401, 404, 204, 404),
    },
    create=lambda world: {"blog_id": world.made(URL, NEW | {"status": "draft"})},
)
