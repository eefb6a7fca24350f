"""Which headers the document lists where."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from application.libs.error import Conflict, Refusal, Unauthenticated
from application.libs.idempotency import KeyInUse
from application.libs.ok import Bare, Envelope
from application.libs.openapi.header import (
    RATE_LIMIT,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    answers_unmodified,
    failure_headers,
    request_headers,
    success_headers,
)
from application.libs.pairing import paired
from application.libs.rate_limit import parse_limit
from application.libs.redprint import Surface
from tests.contract.specimen import specimen

READS = {operation.address[1]: operation for operation in specimen.operations if operation.method == "GET"}
OPERATIONS = {operation.name: paired(operation, operation.address[1], READS) for operation in specimen.operations}


@pytest.fixture
def surface() -> Surface:
    return Surface("s", __name__, url_prefix="/s", dialect=Envelope())


class TestSuccessHeaders:
    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("index", {"ETag", "Link"}),
            ("show", {"ETag"}),
            ("create", {"ETag", "Location", "Idempotency-Replayed"}),
            ("replace", set()),
            ("delete", set()),
            ("image", set()),
        ],
    )
    def test_are_those_of_the_answer(self, surface: Surface, name: str, wanted: set[str]) -> None:
        found = set(success_headers(OPERATIONS[name], surface))
        assert found == {"X-Request-ID"} | wanted
        assert found <= RESPONSE_HEADERS.keys()

    def test_say_that_a_version_is_deprecated(self, surface: Surface) -> None:
        surface.deprecate(since=datetime(2030, 1, 1, tzinfo=UTC), sunset=None, successor=surface)
        assert {"Deprecation", "Sunset", "Link"} <= set(success_headers(OPERATIONS["show"], surface))


class TestFailureHeaders:
    @pytest.mark.parametrize(
        ("status", "error", "more"),
        [
            (401, Refusal, {"WWW-Authenticate"}),
            (415, Refusal, {"Accept", "Accept-Encoding"}),
            (429, Refusal, {"Retry-After"}),
            (503, Refusal, {"Retry-After"}),
            (409, KeyInUse, {"Retry-After"}),
            (409, Conflict, set()),
        ],
    )
    def test_tell_the_cure(self, surface: Surface, status: int, error: type[Refusal], more: set[str]) -> None:
        found = set(failure_headers(OPERATIONS["create"], surface, status, [error]))
        assert found == {"X-Request-ID"} | more
        assert found <= RESPONSE_HEADERS.keys()

    def test_say_how_the_caller_stands_where_the_request_was_counted(self, surface: Surface) -> None:
        limited = replace(OPERATIONS["create"], rate_limit=parse_limit("1/minute"))
        assert set(RATE_LIMIT) <= set(failure_headers(limited, surface, 409, [Conflict]))
        assert set(RATE_LIMIT).isdisjoint(failure_headers(limited, surface, 401, [Unauthenticated]))

    def test_name_no_media_type_where_any_is_read(self) -> None:
        bare = Surface("b", __name__, url_prefix="/b", dialect=Bare())
        assert "Accept" not in set(failure_headers(OPERATIONS["create"], bare, 415, [Refusal]))


class TestRequestHeaders:
    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("index", ["If-Match", "If-None-Match"]),
            ("create", ["If-Match", "If-None-Match", "Idempotency-Key"]),
            ("replace", ["If-Match", "If-None-Match"]),
            ("delete", ["If-Match", "If-None-Match"]),
            ("note", ["Idempotency-Key"]),
            ("image", []),
        ],
    )
    def test_are_those_that_are_read(self, name: str, wanted: list[str]) -> None:
        assert list(request_headers(OPERATIONS[name])) == wanted
        assert set(wanted) <= REQUEST_HEADERS.keys()


class TestAnswersUnmodified:
    def test_to_reads_of_json_only(self) -> None:
        found = {name for name, operation in OPERATIONS.items() if answers_unmodified(operation)}
        assert {"index", "show", "colours"} <= found
        assert found.isdisjoint({"create", "replace", "image"})
