"""Hostile input for every operation that is mounted, whatever it is: the status it declares, never a 5xx or HTML."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from application.libs.redprint import Mounted, machinery
from application.libs.view import implied_errors
from tests.conftest import Caller

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]  # tests/contract/test_hostile_input.py asks all databases

NOBODY = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
MAX_BYTES = 1_048_576
JSON = "application/json"

BODIES: dict[str, tuple[bytes, str | None, int]] = {
    "no body": (b"", JSON, 400),
    "blanks": (b" \r\n", JSON, 400),
    "no JSON": (b"<xml/>", JSON, 400),
    "a cut-off object": (b'{"name": "a', JSON, 400),
    "a byte order mark": (b"\xef\xbb\xbf{}", JSON, 400),
    "UTF-16": ("{}".encode("utf-16"), JSON, 400),
    "invalid UTF-8": (b'{"name": "\xff"}', JSON, 400),
    "a surrogate as bytes": (b'{"name": "\xed\xa0\x80"}', JSON, 400),
    "a raw NUL": (b'{"name": "\0"}', JSON, 400),
    "NaN": (b'{"name": NaN}', JSON, 400),
    "1e400": (b'{"name": 1e400}', JSON, 400),
    "an integer of 5000 digits": (b'{"name": ' + b"9" * 5000 + b"}", JSON, 400),
    "duplicate keys": (b'{"name": "a", "name": "a"}', JSON, 400),
    "900 levels": (b'{"a":' * 900 + b"1" + b"}" * 900, JSON, 400),
    "100000 levels": (b"[" * 100_000 + b"]" * 100_000, JSON, 400),
    "100000 levels that never end": (b'{"a":' * 100_000, JSON, 400),
    "NUL": (b'{"\\u0000": "\\u0000"}', JSON, 422),
    "a lone surrogate": (b'{"\\ud800": "\\udfff"}', JSON, 422),
    "null": (b"null", JSON, 422),
    "a list": (b"[{}]", JSON, 422),
    "a text": (b'"{}"', JSON, 422),
    "a number": (b"1", JSON, 422),
    "an unknown field": (b'{"__proto__": {"admin": true}}', JSON, 422),
    "20000 unknown fields": (json.dumps({f"a{number}": 1 for number in range(20_000)}).encode(), JSON, 422),
    "a megabyte": (b'{"name": "' + b"x" * (MAX_BYTES - 12) + b'"}', JSON, 422),
    "a byte too many": (b'{"name": "' + b"x" * (MAX_BYTES - 11) + b'"}', JSON, 413),
    "no media type": (b"{}", None, 415),
    "text": (b"{}", "text/plain", 415),
    "a form": (b"name=a", "application/x-www-form-urlencoded", 415),
    "files": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
    "a media type of nonsense": (b"{}", ";;=\x7f", 415),
}

QUERY_TEXTS = {
    "NUL": "a%00b",
    "NUL alone": "%00",
    "a surrogate": "%ED%A0%80",
    "bad UTF-8": "%FF%FE",
    "half an escape": "%",
    "nothing": "",
    "10^30": "1" + "0" * 30,
    "a minus": "-1",
    "Arabic digits": "%D9%A3",
    "NaN": "NaN",
    "1e400": "1e400",
    "SQL": "'%20OR%201=1;--",
    "a time of year 10000": "10000-01-01T00:00:00Z",
    "a time of year 1": "0001-01-01T00:00:00%2B14:00",
    "3000 characters": "x" * 3000,
    "emoji": quote("\N{GRINNING FACE}" * 60),
}

PATH_TEXTS = {
    "NUL": f"{NOBODY}%00",
    "a newline": f"{NOBODY}%0A",
    "bad UTF-8": "%FF%FE",
    "a surrogate": "%ED%A0%80",
    "40 digits": "9" * 40,
    "5000 digits": "9" * 5000,
    "a minus": "-1",
    "fullwidth digits": quote("０" + NOBODY[1:]),
    "SQL": quote("' OR 1=1;--", safe=""),
    "a way up": "%2e%2e",
    "emoji": quote("\N{GRINNING FACE}"),
}

HEADERS = {
    "NUL": "a\0b",
    "a newline's remains": "a\x0bb",
    "bytes beyond ASCII": "\xed\xa0\x80\xff",
    "nothing": "",
    "blanks": "   ",
    "a quote": '"',
    "half a weak tag": 'W/"',
    "commas": "," * 8000,
    "8000 characters": "x" * 8000,
    "8000 quotes": '"' * 8000,
    "a number": "9" * 400,
    "semicolons": ";q=" * 2000,
}
HEADER_NAMES = ("If-Match", "If-None-Match", "Idempotency-Key", "Accept", "Accept-Language", "Accept-Encoding") + (
    "Authorization", "X-Request-ID", "Content-Encoding", "Origin", "Cookie", "If-Modified-Since", "Range"
)  # fmt: skip


def mounted(app: Flask) -> list[Mounted]:
    """Return all operations at all their addresses."""
    found: list[Mounted] = machinery(app).mounted
    return found


def path_of(app: Flask, item: Mounted, value: str = NOBODY) -> str:
    """Return an operation's address, every parameter with this value."""
    (rule,) = app.url_map.iter_rules(item.endpoint)
    return re.sub("<[^<>]*>", lambda _parameter: value, rule.rule)


def judges(item: Mounted, status: int) -> bool:
    """Tell whether an operation refuses bodies with this status; the scheduler's read JSON whatever it is called."""
    return status != 415 or item.surface.dialect.requires_json_type


def declared(item: Mounted) -> set[int]:
    """Return the statuses an operation may answer with."""
    refusals = {error.status for error in (*item.operation.errors, *implied_errors(item.operation))}
    return {item.operation.status, *refusals} | ({304} if item.operation.method == "GET" else set())


def fault(item: Mounted, response: TestResponse, expected: set[int]) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    where = f"{item.operation.method} {item.endpoint}"
    if response.status_code not in expected:
        yield f"{where}: {response.status_code} instead of {sorted(expected)}: {response.text[:200]}"
    elif response.status_code >= 400 and response.content_type not in _refusal_types(item, response.status_code):
        yield f"{where}: {response.content_type}"
    elif response.status_code >= 400 and len(response.data) > 20_000:
        yield f"{where}: {len(response.data)} bytes"


def _refusal_types(item: Mounted, status: int) -> tuple[str, ...]:
    if item.surface.name != "scheduler":
        return ("application/problem+json",)
    return ("text/html; charset=utf-8",) if status == 401 else (JSON,)  # as Flask-APScheduler does


Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(admin: Caller) -> Ask:
    """Return a function that sends a request to an operation as an admin."""

    def ask(item: Mounted, path: str, **options: Any) -> TestResponse:
        return admin.client.open(path, method=item.operation.method, **options)

    return ask


def expected(item: Mounted, body: bytes, status: int) -> int:
    """Return what a body is answered with: under /scheduler one that is no object is malformed, not invalid."""
    no_object = status == 422 and not body.startswith(b"{")
    return 400 if no_object and item.endpoint.startswith("scheduler.") else status


class TestBody:
    @pytest.mark.parametrize(("body", "media_type", "status"), BODIES.values(), ids=list(BODIES))
    def test_is_judged_alike(self, app: Flask, ask: Ask, body: bytes, media_type: str | None, status: int) -> None:
        takers = [item for item in mounted(app) if "body" in item.operation.inputs and judges(item, status)]
        faults = [
            found
            for item in takers
            for found in fault(
                item,
                ask(item, path_of(app, item), data=body, content_type=media_type),
                {expected(item, body, status)},
            )
        ]
        assert faults == [], "\n".join(faults)
        assert len(takers) >= 10
        undeclared = [item.endpoint for item in takers if expected(item, body, status) not in declared(item)]
        assert undeclared == [], f"{status} is not declared: {'; '.join(undeclared)}"


class TestQuery:
    @pytest.mark.parametrize("text", QUERY_TEXTS.values(), ids=list(QUERY_TEXTS))
    def test_is_never_too_much(self, app: Flask, ask: Ask, text: str) -> None:
        faults: list[str] = []
        for item in mounted(app):
            for name in getattr(item.operation.inputs.get("query"), "model_fields", {}):
                response = ask(item, f"{path_of(app, item)}?{name}={text}")
                faults += fault(item, response, {422} if "%00" in text else {200, 404, 422})
        assert faults == [], "\n".join(faults)

    def test_holds_nothing_unknown_and_nothing_twice(self, app: Flask, ask: Ask) -> None:
        faults: list[str] = []
        for item in mounted(app):
            if "query" in item.operation.inputs:
                for query in ("zzz=1", "limit=1&limit=1", "a%00=1"):
                    faults += fault(item, ask(item, f"{path_of(app, item)}?{query}"), {422})
        assert faults == [], "\n".join(faults)


class TestPath:
    @pytest.mark.parametrize("text", PATH_TEXTS.values(), ids=list(PATH_TEXTS))
    def test_that_leads_nowhere_is_404(self, app: Flask, ask: Ask, text: str) -> None:
        faults: list[str] = []
        for item in mounted(app):
            if item.operation.path:
                body = {"data": b"{}"} if "body" in item.operation.inputs else {}
                answered = {404} if item.surface.name != "scheduler" else {404, 405}  # `..` leads to `/scheduler/jobs`
                faults += fault(item, ask(item, path_of(app, item, text), **body), answered)
        assert faults == [], "\n".join(faults)


class TestHeaders:
    @pytest.mark.parametrize("name", HEADER_NAMES)
    def test_of_nonsense_are_refused_or_ignored(self, app: Flask, ask: Ask, name: str) -> None:
        key = f"HTTP_{name.upper().replace('-', '_')}"
        faults: list[str] = []
        for item in mounted(app):
            for value in HEADERS.values() if item.operation.name != "logout" else ():  # it would end the token
                response = ask(item, path_of(app, item), environ_overrides={key: value})
                faults += fault(item, response, declared(item) | {404})
        assert faults == [], "\n".join(faults)
