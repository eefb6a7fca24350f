"""What a form holds beyond its schemas; over HTTP it stands in tests/contract/test_input.py."""

from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from application.libs.form_parts import strays, unknown

APP = Flask("form_parts")


def found(place: str, beside: list[str] | None, data: dict[str, Any]) -> list[tuple[str, str, str]]:
    with APP.test_request_context("/", method="POST", data=data, content_type="multipart/form-data"):
        errors = strays(place, ["own"], beside)()
    return [(str(error["loc"][0]), str(error["loc"][1]), error["type"]) for error in errors]


def file() -> tuple[BytesIO, str]:
    return BytesIO(b""), "a"


class TestStrays:
    def test_are_none_in_a_form_as_it_should_be(self) -> None:
        assert found("form", ["photo"], {"own": "a", "photo": file()}) == []
        assert found("files", ["text"], {"own": file(), "text": "a"}) == []

    @pytest.mark.parametrize(("place", "other"), [("form", "files"), ("files", "form")])
    def test_are_what_no_schema_names(self, place: str, other: str) -> None:
        here, there = ("x", "y") if place == "form" else ("y", "x")
        assert found(place, ["z"], {"x": "a", "y": file()}) == [(place, here, "extra_forbidden")]
        assert found(place, None, {"x": "a", "y": file()}) == [
            (place, here, "extra_forbidden"),
            (other, there, "extra_forbidden"),
        ]

    def test_are_what_came_in_the_other_one_s_place(self) -> None:
        assert found("form", None, {"own": file()}) == [("form", "own", "misplaced")]
        assert found("files", ["text"], {"own": "a", "text": file()}) == [("files", "own", "misplaced")]


class TestUnknown:
    def test_can_be_printed(self) -> None:
        assert unknown("form", "a\0")["loc"] == ["form", "a\ufffd"]
