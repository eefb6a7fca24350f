"""Every place a parameter can come from, over HTTP: what is read there, and all that is wrong reported at once."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

URL = "/api/v1/specimen"

WORDS = {
    "text": "中文 é",
    "small": "-7",
    "large": "9007199254740993",
    "ratio": "1.5e3",
    "flag": "true",
    "moment": "2030-01-31T14:00:00+02:00",
    "colour": "blue",
    "level": "2",
    "other": "01981F3E-7C5A-7B1E-9C55-0D7F5B1F2A10",
    "many": ["1", "2", "3"],
}
READ = {
    "text": "中文 é",
    "small": -7,
    "large": 9007199254740993,
    "ratio": 1500.0,
    "flag": True,
    "moment": "2030-01-31T12:00:00Z",
    "colour": "blue",
    "level": 2,
    "other": "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
    "many": [1, 2, 3],
}
WRONG = {
    "text": "x" * 11,
    "small": "2147483648",
    "large": "1.0",
    "ratio": "nan",
    "flag": "maybe",
    "moment": "2030-01-31T14:00:00",
    "colour": "green",
    "level": "2.0",
    "other": "7",
    "many": ["1", "two", "3"],
    "unknown": "x",
}
FAULTS = {
    "text": "string_too_long",
    "small": "less_than_equal",
    "large": "parsing",
    "ratio": "parsing",
    "flag": "parsing",
    "moment": "time",
    "colour": "enum",
    "level": "literal_error",
    "other": "string_pattern_mismatch",
    "many": "parsing",
    "unknown": "extra_forbidden",
}
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def faults(response: TestResponse) -> dict[tuple[str | int, ...], str]:
    """Return the type of each fault by its place; no value that was given may come back."""
    assert response.status_code == 422, response.text
    assert response.content_type == "application/problem+json"
    errors: list[dict[str, Any]] = response.get_json()["errors"]
    assert all(error.keys() == {"loc", "msg", "type"} and error["msg"] for error in errors)
    found = {tuple(error["loc"]): str(error["type"]) for error in errors}
    assert len(found) == len(errors)
    return found


class TestQuery:
    def test_is_read(self, specimen_client: FlaskClient) -> None:
        value = specimen_client.get(f"{URL}/echo", query_string=WORDS).get_json()["data"]["value"]
        assert value == READ | {"x_small": None, "x_text": None}

    def test_reports_all_faults_with_those_of_the_headers(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get(
            f"{URL}/echo", query_string=WRONG, headers={"X-Small": "1_000", "X-Text": "x" * 11}
        )
        expected: dict[tuple[str | int, ...], str] = {("query", name): kind for name, kind in FAULTS.items()}
        expected |= {("headers", "x-small"): "parsing", ("headers", "x-text"): "string_too_long"}
        assert faults(response) == expected


class TestHeaders:
    def test_are_read_whatever_their_case(self, specimen_client: FlaskClient) -> None:
        for name in ("X-Small", "x-small"):
            response = specimen_client.get(f"{URL}/echo", headers={name: "7", "X-Text": "a"})
            value = response.get_json()["data"]["value"]
            assert (value["x_small"], value["x_text"]) == (7, "a")

    def test_report_one_that_is_given_twice(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get(f"{URL}/echo", headers=[("X-Small", "7"), ("X-Small", "8")])
        assert set(faults(response)) == {("headers", "x-small")}


class TestForm:
    @pytest.mark.parametrize("media_type", FORMS)
    def test_is_read(self, specimen_client: FlaskClient, media_type: str) -> None:
        response = specimen_client.post(f"{URL}/form", data=WORDS, content_type=media_type)
        assert response.get_json()["data"]["value"] == READ

    @pytest.mark.parametrize("media_type", FORMS)
    def test_reports_all_faults(self, specimen_client: FlaskClient, media_type: str) -> None:
        response = specimen_client.post(f"{URL}/form", data=WRONG, content_type=media_type)
        assert faults(response) == {("form", name): kind for name, kind in FAULTS.items()}

    def test_reports_files_where_none_are_taken(self, specimen_client: FlaskClient) -> None:
        data = {"text": "hello", "photo": file(b"", "a"), "small": file(b"7", "b")}
        response = specimen_client.post(f"{URL}/form", data=data)
        assert faults(response) == {("files", "photo"): "extra_forbidden", ("form", "small"): "misplaced"}


def file(content: bytes, name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


class TestFiles:
    def test_are_read_beside_a_form(self, specimen_client: FlaskClient) -> None:
        data = {"photo": file(b"abc", "é.png"), "more": [file(b"", "b"), file(b"\x00" * 7, "c")], "text": "hello"}
        response = specimen_client.post(f"{URL}/file", data=data)
        assert response.get_json()["data"] == {"names": ["é.png", "b", "c"], "sizes": [3, 0, 7], "text": "hello"}

    def test_report_all_faults_with_those_of_the_form(self, specimen_client: FlaskClient) -> None:
        data = {
            "more": [file(b"", name) for name in "abc"],
            "other_file": file(b"", "d"),
            "small": "x",
            "text": "x" * 11,
            "unknown": "x",
        }
        assert faults(specimen_client.post(f"{URL}/file", data=data)) == {
            ("files", "photo"): "missing",
            ("files", "more"): "too_long",
            ("files", "other_file"): "extra_forbidden",
            ("form", "small"): "parsing",
            ("form", "text"): "string_too_long",
            ("form", "unknown"): "extra_forbidden",
        }

    def test_report_a_text_in_a_files_place(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.post(f"{URL}/file", data={"photo": "abc"}, content_type="multipart/form-data")
        assert faults(response) == {("files", "photo"): "misplaced"}
        assert response.get_json()["errors"][0]["msg"] == "Send it as a file"

    def test_report_a_file_in_a_texts_place(self, specimen_client: FlaskClient) -> None:
        data = {"photo": file(b"", "a"), "text": file(b"x", "x")}
        response = specimen_client.post(f"{URL}/file", data=data)
        assert faults(response) == {("form", "text"): "misplaced"}

    def test_report_texts_where_none_are_taken(self, specimen_client: FlaskClient) -> None:
        data = {"photo": file(b"", "a"), "text": "x"}
        assert faults(specimen_client.post(f"{URL}/files", data=data)) == {("form", "text"): "extra_forbidden"}

    def test_keep_to_their_limit(self, specimen_client: FlaskClient) -> None:
        for given, fault in ((file(b"x" * 101, "a"), "file_too_large"), (file(b"x", "a.txt"), "file_type")):
            response = specimen_client.post(f"{URL}/files", data={"photo": given})
            assert faults(response) == {("files", "photo"): fault}
        assert specimen_client.post(f"{URL}/files", data={"photo": file(b"x" * 100, "a.png")}).status_code == 200

    def test_are_bounded_in_the_document(self, specimen_client: FlaskClient) -> None:
        written = specimen_client.get("/api/v1/openapi.json").get_json()
        content = written["paths"][f"{URL}/files"]["post"]["requestBody"]["content"]["multipart/form-data"]
        form = written["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        assert form["properties"]["photo"]["maxLength"] == 100
        assert content["encoding"]["photo"] == {"contentType": "image/png, application/octet-stream"}

    @pytest.mark.parametrize(("name", "taken"), [("é" * 255, True), ("x" * 256, False), ("a\0b", False)])
    def test_have_names_that_can_be_kept(self, specimen_client: FlaskClient, name: str, taken: bool) -> None:
        response = specimen_client.post(f"{URL}/file", data={"photo": file(b"abc", name)})
        if taken:
            assert response.get_json()["data"]["names"] == [name]
        else:
            assert faults(response) == {("files", "photo"): "parsing"}

    def test_report_one_that_is_given_twice(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.post(f"{URL}/file", data={"photo": [file(b"a", "a"), file(b"b", "b")]})
        assert faults(response)["files", "photo"] == "repeated"


class TestBody:
    def test_reports_all_faults(self, specimen_client: FlaskClient) -> None:
        body: dict[str, Any] = {
            "name": "",
            "small": 1.5,
            "large": "7",
            "flag": "true",
            "colour": "green",
            "others": ["7"],
            "extra": {"x" * 21: 1},
            "unknown": None,
        }
        assert faults(specimen_client.post(URL, json=body)) == {
            ("body", "name"): "string_too_short",
            ("body", "small"): "int_type",
            ("body", "large"): "int_type",
            ("body", "flag"): "bool_type",
            ("body", "moment"): "missing",
            ("body", "colour"): "enum",
            ("body", "others", 0): "string_pattern_mismatch",
            ("body", "extra", "x" * 21, "[key]"): "string_too_long",
            ("body", "unknown"): "extra_forbidden",
        }

    def test_reports_text_that_cannot_be_stored_with_all_other_faults(self, specimen_client: FlaskClient) -> None:
        raw = rb'{"name":"\u0000","small":"1","flag":"\ud800","extra":{"\u0000":1},"zzz":1}'
        response = specimen_client.post(URL, data=raw, content_type="application/json")
        assert faults(response) == {
            ("body", "name"): "text_unstorable",
            ("body", "small"): "int_type",
            ("body", "flag"): "text_unstorable",
            ("body", "extra"): "text_unstorable",
            ("body", "moment"): "missing",
            ("body", "zzz"): "extra_forbidden",
        }

    def test_takes_a_whole_number_for_an_integer_however_it_is_written(self, specimen_client: FlaskClient) -> None:
        raw = b'{"name":"a","moment":"2030-01-31T12:00:00Z","small":9.0,"large":9007199254740993.0,"ratio":2.0}'
        response = specimen_client.post(URL, data=raw, content_type="application/json")
        kept = response.get_json()["data"]
        assert (response.status_code, kept["small"], kept["large"], kept["ratio"]) == (201, 9, 9007199254740993, 2.0)
