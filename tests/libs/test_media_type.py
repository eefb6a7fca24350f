"""What a file is, by its content alone."""

from io import BytesIO

import pytest

from application.libs.media_type import EXTENSIONS, agrees, chosen, recognised, with_extension
from tests.libs.image_kit import HTML, PDF, PHP, SVG, archive, image

OFFICE = "application/vnd.openxmlformats-officedocument"


class TestRecognised:
    @pytest.mark.parametrize(
        ("content", "media_type"),
        [
            (image("PNG"), "image/png"),
            (image("JPEG"), "image/jpeg"),
            (image("GIF"), "image/gif"),
            (image("WEBP"), "image/webp"),
            (PDF, "application/pdf"),
            (archive({"a.txt": b"a"}), "application/zip"),
            (archive({}), "application/zip"),
            (archive({"[Content_Types].xml": b"", "word/document.xml": b""}), f"{OFFICE}.wordprocessingml.document"),
            (archive({"[Content_Types].xml": b"", "xl/a": b"", "word/b": b""}), "application/zip"),
            (b"\x1f\x8b\x08\x00", "application/gzip"),
            (b"ID3\x03\x00", "audio/mpeg"),
            (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
            (b"OggS\x00\x02", "audio/ogg"),
            (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
            (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "video/webm"),
        ],
    )
    def test_by_what_it_begins_with(self, content: bytes, media_type: str) -> None:
        assert recognised(BytesIO(content)) == media_type
        assert media_type in EXTENSIONS

    @pytest.mark.parametrize("content", [b"", PHP, SVG, HTML, b"MZ\x90", b"\x7fELF", b"PK\x03\x04 and no archive"])
    def test_not_at_all(self, content: bytes) -> None:
        assert recognised(BytesIO(content)) is None


class TestAgrees:
    def test_with_itself_and_with_nothing_said(self) -> None:
        for declared in ("", "application/octet-stream", "image/png"):
            assert agrees(declared, "image/png")
        assert not agrees("image/jpeg", "image/png")
        assert not agrees("text/plain", "image/png")

    def test_one_text_with_another(self) -> None:
        assert agrees("text/csv", "text/plain")
        assert chosen("text/csv", "text/plain") == "text/csv"
        assert chosen("", "text/plain") == "text/plain"
        assert chosen("application/octet-stream", "image/png") == "image/png"


class TestWithExtension:
    def test_ends_as_its_type_does(self) -> None:
        assert with_extension("a.PNG", "image/png") == "a.PNG"
        assert with_extension("a.jpeg", "image/jpeg") == "a.jpeg"
        assert with_extension("shell.php", "image/png") == "shell.php.png"
        assert with_extension("a", "text/plain") == "a.txt"
        assert with_extension("a", "a/b") == "a"
