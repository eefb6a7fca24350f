"""What is let in and what is not: the files of row 19 of the security matrix."""

import hashlib
import zipfile
from io import BytesIO

import pytest

from application.libs.examination import FileRefused, FileTooLarge, Limits, examine
from application.libs.media_type import EXTENSIONS
from tests.libs.image_kit import HTML, PDF, PHP, SVG, archive, image, png_of

LIMITS = Limits(frozenset(EXTENSIONS), 100_000, 50_000_000)


def fault(content: bytes, declared: str = "", limits: Limits = LIMITS) -> str:
    with pytest.raises(FileRefused) as raised:
        examine(BytesIO(content), declared=declared, limits=limits)
    assert len(raised.value.errors) == 1
    return raised.value.errors[0]["type"]


class TestExamine:
    def test_says_what_a_file_is(self) -> None:
        content = BytesIO(image())
        found = examine(content, declared="image/png", limits=LIMITS)
        assert (found.media_type, found.size) == ("image/png", len(image()))
        assert found.sha256 == hashlib.sha256(image()).hexdigest()
        assert content.tell() == 0

    @pytest.mark.parametrize(
        "content", [PDF, archive({"a": b"b"}), "Grüße, 世界\n".encode(), image("JPEG"), b"a,b\r\n"]
    )
    def test_takes_honest_files(self, content: bytes) -> None:
        examine(BytesIO(content), declared="", limits=LIMITS)

    def test_keeps_the_kind_of_text_that_was_declared(self) -> None:
        assert examine(BytesIO(b"a,b"), declared="text/csv", limits=LIMITS).media_type == "text/csv"

    def test_refuses_one_byte_too_many(self) -> None:
        limits = Limits({"text/plain"}, 10, 1)
        assert examine(BytesIO(b"x" * 10), declared="", limits=limits).size == 10
        with pytest.raises(FileTooLarge):
            examine(BytesIO(b"x" * 11), declared="", limits=limits)

    @pytest.mark.parametrize("content", [PHP, SVG, HTML, b"MZ\x90\x00", b"\x7fELF\x02"])
    @pytest.mark.parametrize("declared", ["image/png", "", "text/plain", "image/svg+xml"])
    def test_refuses_what_was_renamed(self, content: bytes, declared: str) -> None:
        assert fault(content, declared) in ("content", "polyglot")

    def test_refuses_another_type_than_declared(self) -> None:
        assert fault(image("JPEG"), "image/png") == "content"

    def test_refuses_a_type_that_is_not_allowed(self) -> None:
        assert fault(PDF, "application/pdf", Limits({"image/png"}, 1000, 1000)) == "file_type"

    @pytest.mark.parametrize(
        "content",
        [
            image() + PHP,
            image("JPEG", comment=b"<?PHP eval();"),
            image("GIF") + HTML,
            image() + archive({"a": b"b"}),
            PDF + archive({"a": b"b"}),
            image("GIF", comment=PDF),
            PDF + b"<SCRIPT>",
        ],
    )
    def test_refuses_a_polyglot(self, content: bytes) -> None:
        assert fault(content) == "polyglot"

    def test_finds_a_script_across_pieces(self) -> None:
        edge = 262_144
        limits = Limits({"text/plain"}, 10**6, 1)
        for at in range(edge - 8, edge + 2):
            assert fault(b"x" * at + b"<script>", "", limits) == "polyglot"

    def test_refuses_an_image_that_would_blow_up(self) -> None:
        assert fault(png_of(20_000, 20_000)) == "image_too_large"
        assert fault(image()[:30]) == "image_broken"

    def test_refuses_an_archive_that_would_blow_up(self) -> None:
        bomb = BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("zeros", bytes(60_000_000))
        assert len(bomb.getvalue()) < LIMITS.max_bytes
        assert fault(bomb.getvalue()) == "archive_bomb"

    def test_refuses_nothing_at_all_and_noise(self) -> None:
        assert fault(b"") == "empty"
        assert fault(b"\x00\x01\x02") == "content"
        assert fault(b"text\x1b[31m") == "content"
        assert fault("cut: é".encode()[:-1]) == "content"
