"""Operations that take longer bodies than all others, from those who may ask."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from application.libs.declaration import DeclarationError
from application.libs.ok import Envelope
from application.libs.redprint import Redprint, Surface
from application.libs.schema import Schema, Upload
from tests.contract.specimen import MAX_BYTES, EchoOut, serving
from tests.multipart import multipart

large = Redprint("large", __name__)
LARGER = 3 * MAX_BYTES


class LargeFiles(Schema):
    file: Upload


@large.post("", permission="specimen:write", transaction=False, max_body="LARGER_CONTENT_LENGTH")
def take(files: LargeFiles) -> EchoOut:
    """Take a long file."""
    return EchoOut(place="files", value={"bytes": len(files.file.read())})


def surface() -> Surface:
    made = Surface("large", __name__, url_prefix="/api/v1", dialect=Envelope(), title="Large")
    made.register_blueprint(large)
    return made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Flask]:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    with serving(url, surfaces=[surface()], LARGER_CONTENT_LENGTH=LARGER, PROPAGATE_EXCEPTIONS=False) as app:
        yield app


def send(app: Flask, size: int, caller: str = "writer") -> int:
    headers = {"Authorization": f"Bearer {caller}"}
    form = multipart(file=(bytes(size), "a", "application/octet-stream"))
    return app.test_client().post("/api/v1/large", headers=headers, **form).status_code


class TestMaxBody:
    def test_lets_more_in_than_elsewhere(self, served: Flask) -> None:
        assert send(served, MAX_BYTES + 1) == 200

    def test_bounds_it_too(self, served: Flask) -> None:
        assert send(served, LARGER) == 413

    def test_reads_nothing_of_who_may_not_ask(self, served: Flask) -> None:
        class Untouched(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise AssertionError("the body was read")

        for token, status in (("nobody", 401), ("reader", 403)):
            answer = served.test_client().post(
                "/api/v1/large",
                input_stream=Untouched(),
                content_length=LARGER,
                content_type="multipart/form-data; boundary=a",
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == status

    def test_stands_in_the_document(self, served: Flask) -> None:
        document = served.test_client().get("/api/v1/openapi.json").json
        assert document is not None
        body = document["paths"]["/api/v1/large"]["post"]["requestBody"]
        assert body["description"] == f"At most {LARGER} bytes in all."

    def test_names_a_limit_that_is_not_configured(self, tmp_path: Path) -> None:
        with (
            pytest.raises(DeclarationError, match="LARGER_CONTENT_LENGTH.*which the configuration lacks"),
            serving(f"sqlite:///{tmp_path / 'a.db'}", surfaces=[surface()]),
        ):
            pass

    def test_goes_with_content_and_without_a_unit(self) -> None:
        redprint = Redprint("wrong", __name__)

        def nothing() -> None:
            """Take nothing."""

        def something(files: LargeFiles) -> None:
            """Take something."""

        with pytest.raises(DeclarationError, match="takes no content"):
            redprint.post("/a", transaction=False, max_body="X")(nothing)
        with pytest.raises(DeclarationError, match="a unit of work would wait"):
            redprint.post("/b", max_body="X")(something)
