"""How success and failure look in each dialect."""

import json

import pytest
from flask import Flask

from application.libs.error import Conflict, Invalid, Unauthenticated, field_error
from application.libs.ok import Bare, Dialect, Envelope, reason
from application.libs.page import Page

LAST: Page[object] = Page(items=[], limit=5)
FIRST: Page[object] = Page(items=[], limit=5, next='x"', total=0)


class TestEnvelope:
    def test_stands_around_the_data(self) -> None:
        assert Envelope().success(b'{"a":1}', None) == b'{"code":0,"status":"succeed","data":{"a":1}}'

    @pytest.mark.parametrize(
        ("page", "members"), [(LAST, {"limit": 5, "next": None}), (FIRST, {"limit": 5, "next": 'x"', "total": 0})]
    )
    def test_tells_the_page(self, page: Page[object], members: dict[str, object]) -> None:
        answer = json.loads(Envelope().success(b"[]", page))
        assert answer == {"code": 0, "status": "succeed", "data": [], "page": members}


class TestBare:
    def test_is_the_data(self) -> None:
        assert Bare().success(b"[1]", FIRST) == b"[1]"

    def test_gives_the_message_on_failure(self) -> None:
        fault = field_error("body", "name", msg="No", type_="no")
        with Flask("ok").test_request_context("/x", environ_overrides={"redprint.request_id": "7"}):
            response = Bare().failure(Invalid(errors=[fault]))
        assert (response.status_code, response.content_type) == (422, "application/json")
        assert response.get_json() == {
            "error_message": "Some fields are not valid.",
            "code": "invalid",
            "request_id": "7",
            "errors": [fault],
        }

    def test_asks_for_a_password(self) -> None:
        with Flask("ok").test_request_context("/x"):
            response = Bare().failure(Unauthenticated())
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Basic realm="Authentication Required"'


class TestDialect:
    def test_gives_problems_without_an_edge_too(self) -> None:
        with Flask("ok").test_request_context("/é", method="POST"):
            response = Envelope().failure(Conflict("Taken", headers={"Retry-After": "1"}))
        assert (response.status_code, response.content_type) == (409, "application/problem+json")
        assert response.headers["Retry-After"] == "1"
        assert response.get_json()["request"] == "POST /é"
        assert response.get_json()["request_id"] == ""

    def test_names_the_path_with_the_prefix_of_the_server(self) -> None:
        with Flask("ok").test_request_context("/x", environ_overrides={"SCRIPT_NAME": "/site"}):
            answer = Envelope().failure(Conflict()).get_json()
        assert (answer["instance"], answer["request"]) == ("/site/x", "GET /site/x")

    def test_keeps_the_challenge_a_refusal_brings(self) -> None:
        with Flask("ok").test_request_context("/x"):
            response = Envelope().failure(Unauthenticated(headers={"WWW-Authenticate": "Mine"}))
        assert response.headers.getlist("WWW-Authenticate") == ["Mine"]

    @pytest.mark.parametrize(
        ("dialect", "scheme", "challenge"),
        [
            (Envelope(), "bearer", 'Bearer realm="API", error="invalid_token"'),
            (Envelope(), "basic", 'Bearer realm="API"'),
            (Bare(), "bearer", 'Basic realm="Authentication Required"'),
        ],
    )
    def test_says_of_a_token_that_it_is_invalid(self, dialect: Dialect, scheme: str, challenge: str) -> None:
        assert dialect.challenge_to(scheme) == challenge

    def test_says_nothing_of_success_by_itself(self) -> None:
        with pytest.raises(NotImplementedError):
            Dialect().success(b"", None)
        with pytest.raises(NotImplementedError):
            Dialect().describe({}, is_page=False)


class TestReason:
    def test_is_the_standard_phrase(self) -> None:
        assert reason(201) == "Created"
