"""Which answers are compressed for whom, and that their tags stay."""

import gzip
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from backports import zstd
from flask import Flask, Response, request, send_file
from flask.testing import FlaskClient

from application.libs.compression import MAX_FILE_BYTES, MIN_BYTES, Compression

TEXT = ("A line of some length, as in any text.\n" * 200).encode()
READERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": import_module("brotli").decompress,
    "zstd": zstd.decompress,
}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    (tmp_path / "app.js").write_bytes(TEXT)
    (tmp_path / "large.js").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    app = Flask("specimen")
    Compression().init_app(app)

    @app.get("/text/<int:size>")
    def text(size: int) -> Response:
        options = request.args.to_dict()
        status = int(options.pop("status", "200"))
        mimetype = options.pop("type", "application/json")
        return Response(TEXT[:size], status=status, mimetype=mimetype, headers={"ETag": '"abc"', **options})

    @app.get("/stream")
    def stream() -> Response:
        return Response((TEXT for _ in range(3)), mimetype="text/plain")

    @app.get("/file/<name>")
    def file(name: str) -> Response:
        return send_file(tmp_path / name, mimetype="text/javascript")

    return app.test_client()


class TestAfterRequest:
    @pytest.mark.parametrize(
        ("accepted", "coding"),
        [
            ("gzip", "gzip"),
            ("br", "br"),
            ("zstd", "zstd"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("gzip, br", "br"),
            ("GZIP", "gzip"),
            ("*", "zstd"),
            ("gzip;q=1.0, br;q=0.5", "gzip"),
            ("zstd;q=0, *", "br"),
            ("zstd; q=0 , br;q=0,gzip; q=0.1", "gzip"),
            ("gzip;q=0", None),
            ("*;q=0", None),
            ("identity", None),
            ("identity;q=1, gzip;q=0.5", None),
            ("deflate", None),
            ("nonsense;q=what", None),
            ("", None),
            (None, None),
        ],
    )
    def test_takes_the_coding_that_the_client_likes_best(
        self, client: FlaskClient, accepted: str | None, coding: str | None
    ) -> None:
        answer = client.get(
            "/text/5000", headers={} if accepted is None else {"Accept-Encoding": accepted}, buffered=True
        )

        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["ETag"] == '"abc"'
        assert answer.headers["Content-Length"] == str(len(answer.data))
        assert (READERS[coding](answer.data) if coding else answer.data) == TEXT[:5000]
        assert coding is None or len(answer.data) < 1000

    @pytest.mark.parametrize(
        "path",
        [
            pytest.param(f"/text/{MIN_BYTES - 1}", id="short"),
            pytest.param("/text/5000?type=image/png", id="type"),
            pytest.param("/text/5000?status=404", id="failure"),
            pytest.param("/text/5000?status=206", id="part"),
            pytest.param("/text/5000?Content-Encoding=gzip", id="encoded"),
            pytest.param("/text/5000?Cache-Control=no-store,+no-transform", id="secret"),
            pytest.param("/stream", id="stream"),
            pytest.param("/file/large.js", id="large file"),
        ],
    )
    def test_leaves_the_rest_as_it_is(self, client: FlaskClient, path: str) -> None:
        plain, asked = (
            client.get(path, buffered=True),
            client.get(path, headers={"Accept-Encoding": "gzip"}, buffered=True),
        )

        assert (asked.data, asked.headers) == (plain.data, plain.headers)
        assert "Vary" not in asked.headers

    @pytest.mark.parametrize("path", ["/text/5000", "/file/app.js"])
    def test_answers_head_as_it_does_get(self, client: FlaskClient, path: str) -> None:
        asked = client.get(path, headers={"Accept-Encoding": "gzip"}, buffered=True)
        headed = client.head(path, headers={"Accept-Encoding": "gzip"}, buffered=True)

        assert headed.data == b""
        assert headed.headers["Content-Encoding"] == "gzip"
        assert headed.headers["Content-Length"] == asked.headers["Content-Length"]

    def test_begins_where_it_is_worth_it(self, client: FlaskClient) -> None:
        answer = client.get(f"/text/{MIN_BYTES}", headers={"Accept-Encoding": "gzip"}, buffered=True)

        assert answer.headers["Content-Encoding"] == "gzip"

    def test_keeps_what_an_answer_varies_by(self, client: FlaskClient) -> None:
        answer = client.get("/text/5000?Vary=Accept-Language", headers={"Accept-Encoding": "gzip"}, buffered=True)

        assert answer.headers["Vary"] == "Accept-Language, Accept-Encoding"

    def test_compresses_files_under_a_weak_tag(self, client: FlaskClient) -> None:
        plain = client.get("/file/app.js", buffered=True)
        packed = client.get("/file/app.js", headers={"Accept-Encoding": "zstd"}, buffered=True)

        assert zstd.decompress(packed.data) == plain.data == TEXT
        assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
        assert "Accept-Ranges" not in packed.headers

    @pytest.mark.parametrize("coding", [None, "gzip"])
    def test_lets_a_file_be_known_by_its_tag_whatever_the_coding(self, client: FlaskClient, coding: str | None) -> None:
        tag = client.get("/file/app.js", headers={"Accept-Encoding": coding} if coding else {}, buffered=True).headers[
            "ETag"
        ]

        for accepted in ("gzip", "identity"):
            answer = client.get(
                "/file/app.js", headers={"If-None-Match": tag, "Accept-Encoding": accepted}, buffered=True
            )
            assert (answer.status_code, answer.data) == (304, b"")
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert "Content-Encoding" not in answer.headers

    def test_leaves_a_part_of_a_file_as_it_is(self, client: FlaskClient) -> None:
        tag = client.get("/file/app.js", buffered=True).headers["ETag"]
        asked = {"Range": "bytes=10-2009", "If-Range": tag, "Accept-Encoding": "gzip"}

        part = client.get("/file/app.js", headers=asked, buffered=True)

        assert (part.status_code, part.data, part.headers["ETag"]) == (206, TEXT[10:2010], tag)
        assert "Content-Encoding" not in part.headers
