"""The line about one request."""

import json
from typing import Any

import pytest

from application.libs.access_line import AccessLine, json_line, plain_path, stamp, text_line


def _line(**changes: Any) -> AccessLine:
    given: dict[str, Any] = {
        "time": "2026-11-20T12:00:00.000Z",
        "request_id": "abc",
        "method": "GET",
        "path": "/api/v1/blog",
        "endpoint": "v1.blog.index",
        "status": 200,
        "milliseconds": 1.5,
        "user": "ada",
        "remote": "127.0.0.1",
    }
    return AccessLine(**{**given, **changes})


class TestTextLine:
    def test_tells_everything_in_one_line(self) -> None:
        assert text_line(_line()) == (
            b"2026-11-20T12:00:00.000Z INFO access [abc] GET /api/v1/blog v1.blog.index 200 1.5ms user=ada "
            b"remote=127.0.0.1\n"
        )

    def test_marks_what_is_missing(self) -> None:
        line = text_line(_line(endpoint=None, user=None, remote=None))
        assert line.endswith(b"/api/v1/blog - 200 1.5ms user=- remote=-\n")

    def test_lets_no_user_end_the_line(self) -> None:
        line = text_line(_line(user="ada\n2026 ERROR forged \x1b[2J"))
        assert line.count(b"\n") == 1
        assert b"\x1b" not in line


class TestJsonLine:
    def test_is_one_json_object(self) -> None:
        line = json_line(_line(user="a\nb\ud800"))
        assert line.count(b"\n") == 1
        assert json.loads(line)["user"] == "a\nb\\ud800"


class TestStamp:
    def test_is_rfc_3339_in_utc(self) -> None:
        assert stamp(0.1239) == "1970-01-01T00:00:00.123Z"


class TestPlainPath:
    @pytest.mark.parametrize(
        ("path", "written"), [("/api/v1/blog", "/api/v1/blog"), ("/a b", "/a%20b"), ("/\n", "/%0A"), ("/\xe9", "/%E9")]
    )
    def test_encodes_what_is_not_plain(self, path: str, written: str) -> None:
        assert plain_path(path) == written
