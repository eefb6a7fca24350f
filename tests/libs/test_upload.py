"""Files that keep to what was declared; over HTTP they stand in tests/contract/test_input.py."""

from io import BytesIO
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError
from werkzeug.datastructures import FileStorage

from application.libs.schema import Schema, Upload
from application.libs.upload import UploadLimit, media_types

IMAGES = ("image/png", "image/jpeg")


class Files(Schema):
    photo: Annotated[Upload, UploadLimit(max_bytes=3, media_types=IMAGES)]
    icons: list[Annotated[Upload, UploadLimit(media_types=("image/png",))]] = Field(max_length=2)
    maybe: Annotated[Upload, UploadLimit(max_bytes=5)] | None = None
    any: Upload | None = None


def file(content: bytes = b"abc", media_type: str = "image/png") -> FileStorage:
    return FileStorage(BytesIO(content), filename="a", content_type=media_type)


def refused(**given: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as raised:
        Files.model_validate({"photo": file(), "icons": []} | given)
    return [(error["type"], error["msg"]) for error in raised.value.errors()]


class TestUploadLimit:
    def test_takes_what_keeps_to_it_from_its_beginning(self) -> None:
        for media_type in (*IMAGES, "image/PNG", "image/png; a=b"):
            assert Files(photo=file(media_type=media_type), icons=[file(b"x" * 50)]).photo.read() == b"abc"

    def test_refuses_a_longer_file(self) -> None:
        assert refused(photo=file(b"abcd")) == [("file_too_large", "The file is longer than 3 bytes")]
        assert refused(maybe=file(b"abcdef")) == [("file_too_large", "The file is longer than 5 bytes")]

    def test_refuses_another_type(self) -> None:
        says = "Send a file of the type image/png or image/jpeg"
        assert refused(photo=file(media_type="text/html")) == [("file_type", says)]
        assert refused(photo=file(media_type="")) == [("file_type", says)]
        assert refused(icons=[file(media_type="image/jpeg")]) == [("file_type", "Send a file of the type image/png")]

    def test_stands_in_the_schema(self) -> None:
        properties = Files.model_json_schema()["properties"]
        binary = {"type": "string", "format": "binary"}
        any_type = {"contentMediaType": "application/octet-stream"}
        assert properties["photo"] == binary | {"maxLength": 3, "title": "Photo"}
        assert properties["icons"]["items"] == binary | {"contentMediaType": "image/png"}
        assert properties["maybe"]["anyOf"][0] == binary | any_type | {"maxLength": 5}

    @pytest.mark.parametrize("limit", [{"max_bytes": 0}, {"media_types": ("png",)}, {"media_types": ("Image/PNG",)}])
    def test_refuses_a_limit_that_no_file_keeps(self, limit: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="say how many bytes|write it in small letters, as image/png"):
            UploadLimit(**limit)


class TestMediaTypes:
    def test_are_those_of_the_limit(self) -> None:
        found = {name: media_types(field) for name, field in Files.model_fields.items()}
        assert found == {"photo": IMAGES, "icons": ("image/png",), "maybe": (), "any": ()}
