"""Recognising a request that is sent again; over HTTP in tests/contract/test_guard.py."""

from typing import Any

import pytest
from flask import Flask
from pydantic import Field

from application.libs.fingerprint import are_comparable, asked, fingerprint, reads_parts
from application.libs.schema import Name, Schema, Upload

URLENCODED = "application/x-www-form-urlencoded"


class TextIn(Schema):
    name: Name


class FileIn(Schema):
    file: Upload


class HeadersIn(Schema):
    x_mode: Name


class NamedIn(Schema):
    mode: Name = Field(alias="X-Kind")


def pieces(inputs: dict[str, Any], **request: Any) -> list[bytes]:
    """Return what a request to a handler with these inputs asks."""
    with Flask("fingerprint").test_request_context("/x", method="POST", **request):
        return list(asked(inputs)())


class TestAsked:
    def test_holds_method_address_and_body(self) -> None:
        assert b"".join(pieces({}, query_string="a=1", data=b"{}")) == b"11:POST /x?a=14:body2:{}"

    @pytest.mark.parametrize("other", [{"path": "/y"}, {"query_string": "a=1"}, {"data": b"[]"}, {"method": "PUT"}])
    def test_differs_with_each_of_them(self, other: dict[str, Any]) -> None:
        first: dict[str, Any] = {"path": "/x", "method": "POST", "data": b"{}"}
        found = []
        for given in (first, first | other):
            with Flask("fingerprint").test_request_context(**given):
                found.append(list(asked({})()))
        assert found[0] != found[1]

    @pytest.mark.parametrize(("value", "same"), [("fast", True), ("slow", False), (None, False)])
    def test_holds_the_headers_a_handler_takes(self, value: str | None, same: bool) -> None:
        first = pieces({"headers": HeadersIn}, headers={"X-Mode": "fast"})
        again = pieces({"headers": HeadersIn}, headers={} if value is None else {"X-Mode": value})
        assert (first == again) is same

    def test_holds_a_header_of_another_name_than_its_field(self) -> None:
        one, other = (pieces({"headers": NamedIn}, headers={"X-Kind": value}) for value in ("a", "b"))
        assert one != other

    def test_passes_over_other_headers(self) -> None:
        first = pieces({"headers": HeadersIn}, headers={"X-Mode": "fast", "Via": "one"})
        assert first == pieces({"headers": HeadersIn}, headers={"X-Mode": "fast"})

    def test_keeps_what_stands_side_by_side_apart(self) -> None:
        one = pieces({"form": TextIn}, data={"ab": "c"}, content_type="multipart/form-data")
        other = pieces({"form": TextIn}, data={"a": "bc"}, content_type="multipart/form-data")
        assert b"".join(one) != b"".join(other)


class TestReadsParts:
    @pytest.mark.parametrize(
        ("inputs", "content_type", "wanted"),
        [
            ({"files": FileIn}, "multipart/form-data; boundary=b", True),
            ({"form": TextIn}, "multipart/form-data; boundary=b", True),
            ({"form": TextIn}, URLENCODED, False),
            ({"body": TextIn}, "multipart/form-data; boundary=b", False),
        ],
    )
    def test_where_a_handler_takes_a_form_of_parts(
        self, inputs: dict[str, Any], content_type: str, wanted: bool
    ) -> None:
        with Flask("fingerprint").test_request_context("/x", method="POST", content_type=content_type):
            assert reads_parts(inputs) is wanted


class TestFingerprint:
    def test_fits_its_column(self) -> None:
        assert len(fingerprint([b"a"], secret="s", name="k")) == 64

    @pytest.mark.parametrize(
        ("pieces", "secret", "name"), [([b"b"], "s", "k"), ([b"a"], "other", "k"), ([b"a"], "s", "other")]
    )
    def test_differs_with_what_is_asked_the_secret_and_the_name(
        self, pieces: list[bytes], secret: str, name: str
    ) -> None:
        first = fingerprint([b"a"], secret="s", name="k")
        assert fingerprint(pieces, secret=secret, name=name)[8:] != first[8:]


class TestAreComparable:
    def test_where_the_secret_is_the_same(self) -> None:
        first = fingerprint([b"a"], secret="s", name="k")
        assert are_comparable(first, fingerprint([b"b"], secret="s", name="k"))
        assert not are_comparable(first, fingerprint([b"a"], secret="other", name="k"))
