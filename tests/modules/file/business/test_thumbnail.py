"""Small images, made by a task behind the upload."""

from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from application.database import change, execute, transaction
from application.libs.image import ImageBrokenError, ImageTooLargeError
from application.modules.file.business import make_thumbnail, sweep
from application.modules.file.models import File
from application.modules.task.models import Task
from tests.conftest import Caller
from tests.libs.image_kit import PDF, image, noise, png_of
from tests.modules.file.conftest import URL, Limit, code_of, kept, sent


def asked(app: Flask) -> list[str]:
    with app.app_context(), transaction(write=False):
        return list(execute(sa.select(Task.name)).scalars())


def made(app: Flask, file_id: str) -> str:
    with app.app_context():
        return make_thumbnail(file_id)


class TestMakeThumbnail:
    def test_is_asked_for_images_alone(self, app: Flask, ada: Caller) -> None:
        sent(ada.client)
        sent(ada.client, PDF, "a.pdf", "application/pdf")
        assert asked(app) == ["file.make_thumbnail"]

    def test_fits_into_its_box(self, app: Flask, ada: Caller) -> None:
        file = sent(ada.client, image("JPEG", (1000, 500)), "a.jpg", "image/jpeg")
        url = f"{URL}/{file['id']}"
        assert code_of(ada.client.get(f"{url}/thumbnail")) == (404, "thumbnail_not_found")
        assert made(app, file["id"]) == "made"
        assert ada.client.get(url).get_json()["data"]["has_thumbnail"] is True
        answer = ada.client.get(f"{url}/thumbnail")
        assert (answer.status_code, answer.mimetype) == (200, "image/webp")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert Image.open(BytesIO(answer.data)).size == (320, 160)
        assert len(kept(app)) == 2

    def test_is_made_once(self, app: Flask, ada: Caller) -> None:
        file = sent(ada.client)
        made(app, file["id"])
        assert made(app, file["id"]) == "nothing to do"
        assert len(kept(app)) == 2

    def test_has_nothing_to_do_for_what_has_gone(self, app: Flask, ada: Caller) -> None:
        file = sent(ada.client)
        ada.client.delete(f"{URL}/{file['id']}")
        assert made(app, file["id"]) == "nothing to do"

    def test_fails_for_a_bomb_and_lets_the_file_be(self, app: Flask, ada: Caller, limit: Limit) -> None:
        file = sent(ada.client, png_of(3000, 3000))  # which the settings allowed when it came
        limit(file_max_pixels=1_000_000)
        with pytest.raises(ImageTooLargeError, match="3000 x 3000 pixels, more than 1000000"):
            made(app, file["id"])
        assert ada.client.get(f"{URL}/{file['id']}/content").status_code == 200
        assert len(kept(app)) == 1

    def test_fails_for_what_is_damaged(self, app: Flask, ada: Caller) -> None:
        file = sent(ada.client, noise()[:9000])
        with pytest.raises(ImageBrokenError):
            made(app, file["id"])
        assert ada.client.get(f"{URL}/{file['id']}").get_json()["data"]["has_thumbnail"] is False

    def test_is_purged_with_its_file(self, app: Flask, ada: Caller) -> None:
        file = sent(ada.client)
        made(app, file["id"])
        with app.app_context(), transaction():
            change(sa.update(File).where(File.id == file["id"]), state="purging")
        with app.app_context():
            assert sweep().files == 1
        assert kept(app) == []
