"""Who may do what with files, which are their owner's alone; who manages files sees all."""

from io import BytesIO

from tests.contract.access import Feature, Row, World
from tests.libs.image_kit import image

NEW = {"name": "photo.png", "size": 100, "media_type": "image/png"}
SIGNED: dict[str, str | bytes] = {"expires": "1900000000", "signature": "0" * 64, "file": b"abc"}


def _create(world: World) -> dict[str, str]:
    """Let the owner send a file."""
    answer = world.client("owner").post("/api/v1/file", data={"file": (BytesIO(image()), "a.png")})
    assert answer.status_code == 201, answer.text
    return {"file_id": answer.get_json()["data"]["id"]}


FEATURE = Feature(
    {
        "GET /file": Row(401, 200, 200, 200),
        "GET /file/usage": Row(401, 200, 200, 200),
        "POST /file": Row(401, 201, 201, 201, form={"file": image()}),
        "POST /file/authorisation": Row(401, 201, 201, 201, json=NEW),
        "GET /file/<id:file_id>": Row(401, 404, 200, 200),
        "GET /file/<id:file_id>/content": Row(401, 404, 200, 200),
        "GET /file/<id:file_id>/thumbnail": Row(401, 404, 404, 404),  # nobody has made it
        "GET /file/<id:file_id>/link": Row(401, 404, 200, 200),
        "GET /file/<id:file_id>/download": Row(422, 422, 422, 422),  # wants what the link has
        "POST /file/<id:file_id>/upload": Row(403, 403, 403, 403, form=SIGNED),
        "POST /file/<id:file_id>/confirmation": Row(401, 404, 409, 404),
        "POST /file/<id:file_id>/restore": Row(401, 404, 404, 404),  # it is not deleted
        "DELETE /file/<id:file_id>": Row(401, 404, 204, 204),
    },
    create=_create,
)
