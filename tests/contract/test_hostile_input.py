"""What a hostile or careless client sends: the same answer on every database, never a 5xx, never HTML."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from tests.contract import specimen
from tests.services import fresh_database

URL = "/api/v1/specimen"
MOMENT = "2030-01-31T12:00:00Z"
KEY = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


def body(**fields: Any) -> bytes:
    """Return a whole body, with some fields replaced."""
    return json.dumps({"name": "a", "moment": MOMENT} | fields).encode()


def raw(fields: bytes) -> bytes:
    """Return a whole body with fields that `json` would not write."""
    return b'{"name":"a","moment":"2030-01-31T12:00:00Z",' + fields + b"}"


BODIES = {
    "NUL in text": (body(name="a\0b"), 422),
    "NUL in long text": (body(story="\0"), 422),
    "NUL in a list's text": (body(others=["\0"]), 422),
    "NUL in a free value": (body(extra={"k": [{"deep": "\0"}]}), 422),
    "NUL in a free key": (body(extra={"\0": 1}), 422),
    "a raw NUL": (raw(b'"story":"\0"'), 400),
    "a lone surrogate": (body(name="\ud800"), 422),
    "a lone low surrogate": (body(name="a\udfffb"), 422),
    "a surrogate as three bytes": (raw(b'"story":"\xed\xa0\x80"'), 400),
    "60 characters in VARCHAR(50)": (body(name="x" * 60), 422),
    "60 emoji in VARCHAR(50)": (body(name="\N{GRINNING FACE}" * 60), 422),
    "text beyond the long column": (body(story="x" * (specimen.LONG + 1)), 422),
    "blanks alone for a name": (body(name="   "), 422),
    "an integer beyond int4": (body(small=2**31), 422),
    "an integer below int4": (body(small=-(2**31) - 1), 422),
    "an integer beyond int8": (body(large=2**63), 400),
    "an integer below int8": (body(large=-(2**63) - 1), 400),
    "an integer of 5000 digits": (raw(b'"large":' + b"9" * 5000), 400),
    "a huge integer in a free value": (raw(b'"extra":{"k":' + b"9" * 30 + b"}"), 400),
    "NaN": (body(ratio=float("nan")), 400),
    "Infinity": (body(ratio=float("-inf")), 400),
    "1e400": (raw(b'"ratio":1e400'), 400),
    "1e400 in a free value": (raw(b'"extra":{"k":-1e400}'), 400),
    "1.5 for an integer": (body(small=1.5), 422),
    "1.0 for an integer": (body(small=1.0), 201),
    "1e3 for an integer": (raw(b'"small":1e3'), 201),
    "1e400 for an integer": (raw(b'"small":1e400'), 400),
    "an integer beyond int4, as 1e10": (raw(b'"small":1e10'), 422),
    "an integer beyond int8, as 1e19": (raw(b'"large":1e19'), 422),
    "nearly an integer": (raw(b'"small":9.00000000000000000001'), 422),
    "true for an integer": (body(small=True), 422),
    "text for an integer": (body(small="1"), 422),
    "1 for a boolean": (body(flag=1), 422),
    "text for a number": (body(ratio="1.5"), 422),
    "true for a number": (body(ratio=True), 422),
    "900 levels": (raw(b'"extra":{"k":' + b"[" * 900 + b"]" * 900 + b"}"), 400),
    "100000 levels": (b"[" * 100_000 + b"]" * 100_000, 400),
    "100000 levels that never end": (b'{"a":' * 50_000, 400),
    "33 levels": (raw(b'"extra":{"k":' + b"[" * 31 + b"]" * 31 + b"}"), 400),
    "duplicate keys": (raw(b'"name":"b"'), 400),
    "duplicate keys, one escaped": (raw(rb'"n\u0061me":"b"'), 400),
    "duplicate keys far within": (raw(b'"extra":{"k":{"a":1,"a":2}}'), 400),
    "UTF-16": (body().decode().encode("utf-16"), 400),
    "UTF-16 without a mark": (body().decode().encode("utf-16-le"), 400),
    "a byte order mark": (b"\xef\xbb\xbf" + body(), 400),
    "invalid UTF-8": (raw(b'"story":"\xff"'), 400),
    "an overlong encoding": (raw(b'"story":"\xc0\x80"'), 400),
    "an empty body": (b"", 400),
    "blanks": (b"  \n", 400),
    "no JSON": (b"name=a", 400),
    "JSON and more": (body() + b"{}", 400),
    "single quotes": (b"{'name': 'a'}", 400),
    "a comma too many": (b'{"name":"a",}', 400),
    "a control character": (raw(b'"story":"\x01"'), 400),
    "half a surrogate's escape": (raw(rb'"story":"\ud8"'), 400),
    "null": (b"null", 422),
    "a list": (b"[]", 422),
    "a text": (b'"name"', 422),
    "a missing field": (b'{"name":"a"}', 422),
    "null for text": (body(name=None), 422),
    "a number for text": (body(name=5), 422),
    "an object for text": (body(name={"$ne": ""}), 422),
    "an unknown field": (body(is_admin=True), 422),
    "an id of one's own": (body(id=KEY), 422),
    "an unknown choice": (body(colour="green"), 422),
    "no id in a list of ids": (body(others=["42"]), 422),
    "an id with a newline": (body(others=[KEY + "\n"]), 422),
    "an id in fullwidth digits": (body(others=["０" + KEY[1:]]), 422),
    "a list that is too long": (body(others=[KEY] * 4), 422),
    "a free object that is too large": (body(extra={str(number): 0 for number in range(6)}), 422),
    "a naive time": (body(moment="2030-01-31T12:00:00"), 422),
    "a date": (body(moment="2030-01-31"), 422),
    "a time as a number": (body(moment=1_900_000_000), 422),
    "year 10000": (body(moment="10000-01-01T00:00:00Z"), 422),
    "year 9999": (body(moment="9999-12-31T23:59:59-14:00"), 422),
    "year 1, +14:00": (body(moment="0001-01-01T00:00:00+14:00"), 422),
    "year 0": (body(moment="0000-01-01T00:00:00Z"), 422),
    "month 13": (body(moment="2030-13-01T00:00:00Z"), 422),
    "a leap second": (body(moment="2030-06-30T23:59:60Z"), 422),
    "an offset of a day": (body(moment="2030-06-30T23:59:00+24:00"), 422),
    "a time in Arabic digits": (body(moment="٢٠٣٠-01-31T12:00:00Z"), 422),
    "-1e-400": (raw(b'"ratio":-1e-400'), 201),
    "32 levels": (raw(b'"extra":{"k":' + b"[" * 30 + b"]" * 30 + b"}"), 201),
    "1000 brackets in a text": (body(story="[{" * 500 + '\\"['), 201),
    "an escaped surrogate pair": (raw(rb'"story":"\ud83d\ude00"'), 201),
}

QUERIES = {
    "NUL": ("q=a%00b", 422),
    "bad UTF-8": ("q=%FF%FE", 200),
    "a surrogate": ("q=%ED%A0%80", 200),
    "60 characters": ("q=" + "x" * 60, 422),
    "limit -1": ("limit=-1", 422),
    "limit 0": ("limit=0", 422),
    "limit 101": ("limit=101", 422),
    "limit 10^30": ("limit=1" + "0" * 30, 422),
    "limit of 5000 digits": ("limit=" + "9" * 5000, 422),
    "limit in Arabic digits": ("limit=٣", 422),
    "limit 1_0": ("limit=1_0", 422),
    "limit abc": ("limit=abc", 422),
    "limit +1": ("limit=%2B1", 422),
    "limit ' 1'": ("limit=%201", 422),
    "limit 01": ("limit=01", 422),
    "limit 1.0": ("limit=1.0", 422),
    "no limit": ("limit=", 422),
    "limit twice": ("limit=1&limit=2", 422),
    "offset -1": ("offset=-1", 422),
    "offset 10^30": ("offset=1" + "0" * 30, 422),
    "a cursor of nobody": ("after=x", 422),
    "a long cursor": ("after=" + "x" * 3000, 422),
    "another list's order": ("sort=%3Bdrop%20table%20specimen", 422),
    "an order by a hidden column": ("sort=story", 422),
    "two minus signs": ("sort=--name", 422),
    "an unknown choice": ("colour=green", 422),
    "an unknown parameter": ("x=1", 422),
    "an unknown parameter with NUL": ("a%00=1", 422),
    "SQL": ("q=' OR 1=1 --", 200),
    "percent": ("q=%25", 200),
    "500 parameters": ("&".join(f"p{number}=1" for number in range(500)), 422),
    "2000 parameters": ("&".join(f"p{number}=1" for number in range(2000)), 414),
}

ECHOES = {
    "NUL": ("text=a%00b", 422),
    "a surrogate, which is read as a replacement": ("text=%ED%A0%80", 200),
    "bad UTF-8, which is read as a replacement": ("text=%FF", 200),
    "an unknown name with NUL": ("a%00=1", 422),
    "NUL in a time": ("moment=2030-01-31T12:00:00Z%00", 422),
    "NUL behind an id": (f"other={KEY}%00", 422),
    "NUL behind a choice": ("colour=red%00", 422),
    "an integer of 5000 digits": ("large=" + "9" * 5000, 422),
    "year 10000": ("moment=10000-01-01T00:00:00Z", 422),
    "year 1, %2B14:00": ("moment=0001-01-01T00:00:00%2B14:00", 422),
    "an integer beyond int4": ("small=2147483648", 422),
    "an integer beyond int8": ("large=9223372036854775808", 422),
    "the largest integers": ("small=-2147483648&large=9223372036854775807", 200),
    "NaN": ("ratio=nan", 422),
    "inf": ("ratio=inf", 422),
    "1e400": ("ratio=1e400", 422),
    "1_0.5": ("ratio=1_0.5", 422),
    "a number": ("ratio=-1.5e3", 200),
    "yes": ("flag=yes", 422),
    "TRUE": ("flag=TRUE", 200),
    "a naive time": ("moment=2030-01-31T12:00:00", 422),
    "a plus that became a blank": ("moment=2030-01-31T12:00:00+08:00", 422),
    "a time with an offset": ("moment=2030-01-31T12:00:00%2B08:00", 200),
    "a list": ("many=1&many=2&many=3", 200),
    "a list that is too long": ("many=1&many=2&many=3&many=4", 422),
    "a list with a wrong member": ("many=1&many=x", 422),
    "no id": ("other=42", 422),
}

PATHS = {
    "an id of 40 digits": (f"{URL}/{'9' * 40}", 404),
    "an id of 5000 digits": (f"{URL}/{'9' * 5000}", 404),
    "an id with NUL": (f"{URL}/{KEY}%00", 404),
    "an id with a newline": (f"{URL}/{KEY}%0A", 404),
    "an unknown id": (f"{URL}/{KEY}", 404),
    "an unknown id in capitals": (f"{URL}/{KEY.upper()}", 404),
    "2^63-1": (f"{URL}/number/{2**63 - 1}", 404),
    "2^31": (f"{URL}/number/{2**31}", 404),
    "2^31-1": (f"{URL}/number/{2**31 - 1}", 200),
    "40 digits": (f"{URL}/number/{'9' * 40}", 404),
    "5000 digits": (f"{URL}/number/{'9' * 5000}", 404),
    "zero": (f"{URL}/number/0", 404),
    "a leading zero": (f"{URL}/number/01", 404),
    "minus one": (f"{URL}/number/-1", 404),
    "Arabic digits": (f"{URL}/number/%D9%A3", 404),
    "a word with NUL": (f"{URL}/word/a%00b", 404),
    "a word of bad UTF-8": (f"{URL}/word/%FF", 200),
    "a word with a surrogate": (f"{URL}/word/%ED%A0%80", 200),
    "bad UTF-8": (f"{URL}/%FF%FE", 404),
    "a slash at the end": (f"{URL}/", 404),
    "two slashes": ("/api//v1/specimen", 404),
    "a way up": (f"{URL}/../../../etc/passwd", 404),
    "an unknown version": ("/api/v0/specimen", 404),
    "the folder of the versions": ("/api", 404),
}


def assert_refused_well(response: TestResponse, status: int) -> None:
    """Check what every answer must keep, whatever was sent."""
    assert response.status_code == status, response.text[:500]
    if status < 400:
        return
    assert response.content_type == "application/problem+json"
    assert response.get_json()["status"] == status
    assert len(response.data) < 20_000
    assert "Traceback" not in response.text


@pytest.mark.parametrize(("given", "status"), BODIES.values(), ids=list(BODIES))
class TestBody:
    def test_is_judged_alike_everywhere(self, specimen_client: FlaskClient, given: bytes, status: int) -> None:
        assert_refused_well(specimen_client.post(URL, data=given, content_type="application/json"), status)
        kept = specimen_client.get(URL)
        assert kept.status_code == 200
        assert len(kept.get_json()["data"]) == (1 if status == 201 else 0)


@pytest.mark.parametrize(("query", "status"), QUERIES.values(), ids=list(QUERIES))
class TestQuery:
    def test_is_judged_alike_everywhere(self, specimen_client: FlaskClient, query: str, status: int) -> None:
        assert_refused_well(specimen_client.get(f"{URL}?{query}"), status)


@pytest.mark.parametrize(("query", "status"), ECHOES.values(), ids=list(ECHOES))
class TestFields:
    def test_are_judged_alike_in_a_query_and_a_form(
        self, specimen_client: FlaskClient, query: str, status: int
    ) -> None:
        asked = specimen_client.get(f"{URL}/echo?{query}")
        assert_refused_well(asked, status)
        sent = specimen_client.post(f"{URL}/form", data=query, content_type="application/x-www-form-urlencoded")
        assert_refused_well(sent, status)
        if status == 200:
            assert asked.get_json()["data"]["value"] == sent.get_json()["data"]["value"] | {
                "x_small": None,
                "x_text": None,
            }


@pytest.mark.parametrize(("path", "status"), PATHS.values(), ids=list(PATHS))
class TestPath:
    def test_is_judged_alike_everywhere(self, specimen_client: FlaskClient, path: str, status: int) -> None:
        assert_refused_well(specimen_client.get(path), status)


class TestHeaders:
    @pytest.mark.parametrize(("value", "status"), [("5", 200), ("٣", 422), ("2147483648", 422), ("x", 422), ("", 422)])
    def test_are_judged_like_a_query(self, specimen_client: FlaskClient, value: str, status: int) -> None:
        environ = {"HTTP_X_SMALL": value.encode().decode("latin-1")}
        assert_refused_well(specimen_client.get(f"{URL}/echo", environ_overrides=environ), status)

    @pytest.mark.parametrize(("value", "status"), [("a\0b", 422), ("\xed\xa0\x80", 200), ("x" * 11, 422), ("é", 200)])
    def test_hold_text_that_can_be_stored(self, specimen_client: FlaskClient, value: str, status: int) -> None:
        environ = {"HTTP_X_TEXT": value}
        assert_refused_well(specimen_client.get(f"{URL}/echo", environ_overrides=environ), status)


class TestMediaType:
    @pytest.mark.parametrize(
        "media_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/x+json", "json", ";"]
    )
    def test_must_be_json(self, specimen_client: FlaskClient, media_type: str | None) -> None:
        assert_refused_well(specimen_client.post(URL, data=body(), content_type=media_type), 415)

    @pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
    def test_may_carry_parameters(self, specimen_client: FlaskClient, media_type: str) -> None:
        assert_refused_well(specimen_client.post(URL, data=body(), content_type=media_type), 201)

    def test_is_not_asked_for_in_the_bare_dialect(self, specimen_client: FlaskClient) -> None:
        assert specimen_client.post("/bare/specimen", data=body()).status_code == 201

    @pytest.mark.parametrize("media_type", [None, "application/json", "text/plain"])
    def test_of_a_form_must_be_a_form_s(self, specimen_client: FlaskClient, media_type: str | None) -> None:
        assert_refused_well(specimen_client.post(f"{URL}/form", data=b"text=a", content_type=media_type), 415)

    def test_of_files_must_be_multipart(self, specimen_client: FlaskClient) -> None:
        assert_refused_well(specimen_client.post(f"{URL}/file", data={"text": "a"}), 415)


class TestLength:
    def test_is_bounded(self, specimen_client: FlaskClient) -> None:
        given = body(story="x" * specimen.MAX_BYTES)
        assert_refused_well(specimen_client.post(URL, data=given, content_type="application/json"), 413)

    def test_is_bounded_for_forms(self, specimen_client: FlaskClient) -> None:
        assert_refused_well(specimen_client.post(f"{URL}/form", data={"text": "x" * specimen.MAX_BYTES}), 413)

    def test_bounds_the_parts_of_a_form(self, specimen_client: FlaskClient) -> None:
        data = {f"field{number}": "x" for number in range(1001)}
        response = specimen_client.post(f"{URL}/form", data=data, content_type="multipart/form-data")
        assert_refused_well(response, 413)

    @pytest.mark.parametrize("path", ["", "/form"])
    def test_must_be_kept(self, specimen_client: FlaskClient, path: str) -> None:
        response = specimen_client.post(
            f"{URL}{path}",
            content_type="application/x-www-form-urlencoded" if path else "application/json",
            input_stream=BytesIO(b'{"n'),
            environ_overrides={"CONTENT_LENGTH": "50"},
        )
        assert_refused_well(response, 400)

    def test_bounds_how_many_faults_are_listed(self, specimen_client: FlaskClient) -> None:
        given = json.dumps({f"unknown{number}": 0 for number in range(20_000)})
        response = specimen_client.post(URL, data=given, content_type="application/json")
        assert response.status_code == 422
        assert len(response.get_json()["errors"]) == 100

    def test_bounds_how_much_of_a_name_is_repeated(self, specimen_client: FlaskClient) -> None:
        assert_refused_well(specimen_client.post(URL, json={"x" * 100_000: 0}), 422)


class TestAnswer:
    def test_never_repeats_a_value(self, specimen_client: FlaskClient) -> None:
        given = body(name="swordfish" * 6, small="swordfish", colour="swordfish", moment="swordfish", extra="swordfish")
        response = specimen_client.post(URL, data=given, content_type="application/json")
        assert response.status_code == 422
        assert {error["loc"][1] for error in response.get_json()["errors"]} == {
            "name",
            "small",
            "colour",
            "moment",
            "extra",
        }
        assert "swordfish" not in response.text

    def test_reports_the_faults_of_all_places_at_once(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get(
            f"{URL}/echo?small=x&flag=maybe&zzz=1", headers={"X-Small": "y", "X-Text": "far too long"}
        )
        assert [error["loc"] for error in response.get_json()["errors"]] == [
            ["query", "small"],
            ["query", "flag"],
            ["query", "zzz"],
            ["headers", "x-small"],
            ["headers", "x-text"],
        ]


class TestSearch:
    @pytest.mark.parametrize("sign", ["%", "_", "\\", "/", "'", '"', "[", "*", "é", "标", "\N{GRINNING FACE}"])
    def test_takes_every_sign_literally(self, specimen_client: FlaskClient, sign: str) -> None:
        for name in (f"1{sign}2", "1x2", "1xx2"):
            assert specimen_client.post(URL, json={"name": name, "moment": MOMENT}).status_code == 201
        found = specimen_client.get(URL, query_string={"q": f"1{sign}2"}).get_json()["data"]
        assert [item["name"] for item in found] == [f"1{sign}2"]


@pytest.fixture
def latin1_client(tmp_path: Path) -> Iterator[FlaskClient]:
    """Serve the specimen from a MariaDB database whose default is latin1."""
    with fresh_database("mariadb", tmp_path) as url:
        engine = sa.create_engine(make_url(url))
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER DATABASE CHARACTER SET latin1"))
        engine.dispose()
        with specimen.serving(url) as app:
            yield app.test_client()


class TestCharacterSet:
    def test_of_the_server_does_not_matter(self, latin1_client: FlaskClient) -> None:
        created = latin1_client.post(URL, json={"name": "\N{GRINNING FACE}", "moment": MOMENT})
        assert created.status_code == 201
        assert latin1_client.get(URL).get_json()["data"][0]["name"] == "\N{GRINNING FACE}"
