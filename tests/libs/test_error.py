"""Refusals: their names, and how they are drawn."""

import json
from http import HTTPStatus

import pytest

from application.libs import error
from application.libs.error import MAX_ERRORS, MAX_NAME, NotFound, Refusal, field_error, problem


class HTTPThingNotFound(NotFound):
    """There is no such thing.

    It never was.
    """


class Undocumented(NotFound):
    __doc__ = None


FAMILIES: list[type[Refusal]] = [
    kind for kind in vars(error).values() if isinstance(kind, type) and kind.__base__ is Refusal
]


class TestRefusal:
    def test_takes_code_title_and_status_from_its_class(self) -> None:
        refusal = HTTPThingNotFound("Number 5", headers={"X": "y"})
        assert (refusal.code, refusal.title, refusal.status) == ("httpthing_not_found", "There is no such thing.", 404)
        assert (refusal.detail, str(refusal), refusal.headers) == ("Number 5", "Number 5", {"X": "y"})
        assert str(HTTPThingNotFound()) == "There is no such thing."

    def test_keeps_its_familys_title_without_a_docstring(self) -> None:
        assert (Undocumented.code, Undocumented.title) == ("undocumented", "There is nothing at this address.")

    def test_does_not_commit_unless_it_says_so(self) -> None:
        assert not any(kind.commits for kind in FAMILIES)

    @pytest.mark.parametrize("family", FAMILIES)
    def test_stands_for_a_status_of_http(self, family: type[Refusal]) -> None:
        assert 400 <= HTTPStatus(family.status) < 600
        assert family.title.endswith(".")

    def test_lists_a_bounded_number_of_faults(self) -> None:
        faults = [field_error("body", number, msg="No", type_="no") for number in range(MAX_ERRORS + 5)]
        assert len(Refusal(errors=faults).errors) == MAX_ERRORS


class TestFieldError:
    def test_bounds_names(self) -> None:
        assert field_error("body", "x" * 1000, 3, msg="No", type_="no") == {
            "loc": ["body", "x" * MAX_NAME, 3],
            "msg": "No",
            "type": "no",
        }


class TestProblem:
    def test_is_problem_details(self) -> None:
        body = problem(HTTPThingNotFound(), request="GET /é", path="/é", request_id="7")
        assert json.loads(body) == {
            "type": "urn:redprint:problem:httpthing_not_found",
            "title": "There is no such thing.",
            "status": 404,
            "detail": "There is no such thing.",
            "instance": "/%C3%A9",
            "code": "httpthing_not_found",
            "request": "GET /é",
            "request_id": "7",
            "errors": [],
        }

    @pytest.mark.parametrize(
        ("path", "instance"),
        [
            ("/a/b", "/a/b"),
            ('/ä b"', "/%C3%A4%20b%22"),
            ("/100%", "/100%25"),
            ("/a?b#c", "/a%3Fb%23c"),
            ("/a:b@c;d=(e),~f", "/a:b@c;d=(e),~f"),
        ],
    )
    def test_names_the_instance_by_a_uri_reference(self, path: str, instance: str) -> None:
        said = json.loads(problem(NotFound(), request=f"GET {path}", path=path, request_id="7"))
        assert (said["instance"], said["request"]) == (instance, f"GET {path}")
