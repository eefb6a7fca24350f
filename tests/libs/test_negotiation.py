import pytest
from flask import Flask

from application.libs.error import NotAcceptable, UnsupportedMediaType
from application.libs.negotiation import (
    JSON,
    admits,
    is_readable,
    require_acceptable,
    require_no_coding,
    require_readable,
)

SPARSE = "application/vnd.redprint.sparse+json"
PATCH = "application/merge-patch+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


class TestAdmits:
    @pytest.mark.parametrize(
        "accept",
        [
            "*/*",
            "*",
            "",
            " , ,",
            "application/json",
            "APPLICATION/JSON",
            "application/*",
            "application/json; charset=utf-8",
            "application/json;q=0.001",
            "text/html, application/json;q=0.1",
            "text/html;q=0.1, */*;q=0.1",
            "text/*;q=0, */*",
            "application/problem+json, application/json",
            "application/json, text/plain, */*",
            "application/*;q=0, application/json",
            BROWSER,
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
        ],
    )
    def test_json(self, accept: str) -> None:
        assert admits(accept, (JSON,))

    @pytest.mark.parametrize(
        "accept",
        [
            "text/html",
            "text/*",
            "application/xml",
            "application/problem+json",
            "application/json;q=0",
            "application/json; q=0.0, text/html",
            "application/json;q=0, */*",
            "application/*;q=0, */*",
            "*/*;q=0",
            "application/jsonp",
            "json",
            SPARSE,
        ],
    )
    def test_no_json(self, accept: str) -> None:
        assert not admits(accept, (JSON,))

    def test_one_of_several(self) -> None:
        assert admits(SPARSE, (SPARSE, JSON))
        assert admits(JSON, (SPARSE, JSON))
        assert admits(f"{JSON};q=0, {SPARSE}", (SPARSE, JSON))
        assert admits(f"{JSON}, */*;q=0", (SPARSE, JSON))
        assert not admits("text/csv", (SPARSE, JSON))

    @pytest.mark.parametrize("accept", [f"{JSON}, {SPARSE};q=0", f"*/*, {SPARSE.upper()};q=0.0", f"{SPARSE};q=0"])
    def test_nothing_that_is_excluded_by_name(self, accept: str) -> None:
        assert not admits(accept, (SPARSE, JSON))

    @pytest.mark.parametrize(
        "accept", ["q=0", ";;;", "a" * 8000, ",".join(["a/b"] * 2000), '"', "a/b;q=x", "é/*", "\0"]
    )
    def test_whatever_it_is_sent(self, accept: str) -> None:
        assert admits(accept, (JSON,)) in (True, False)


class TestIsReadable:
    @pytest.mark.parametrize(
        "content_type",
        [
            JSON,
            "Application/JSON",
            "application/json;charset=utf-8",
            'application/json; charset="UTF-8"',
            "application/json; charset=us-ascii",
            "application/json; indent=4",
        ],
    )
    def test_json(self, content_type: str) -> None:
        assert is_readable(content_type, (JSON,))

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            "text/plain",
            "text/json",
            "application/problem+json",
            "application/json-patch+json",
            PATCH,
            "application/json; charset=latin-1",
            "application/json; charset=utf-16",
            "application/json, text/plain",
            "json",
            ";charset=utf-8",
        ],
    )
    def test_nothing_else(self, content_type: str) -> None:
        assert not is_readable(content_type, (JSON,))

    def test_merge_patches_where_they_are_taken(self) -> None:
        assert is_readable(PATCH, (JSON, PATCH))


class TestRequireAcceptable:
    def test_refuses_with_the_cure(self) -> None:
        with (
            Flask(__name__).test_request_context(headers={"Accept": "text/html"}),
            pytest.raises(NotAcceptable, match="This answers application/json: name it in Accept"),
        ):
            require_acceptable()

    @pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}])
    def test_lets_the_rest_pass(self, headers: dict[str, str]) -> None:
        with Flask(__name__).test_request_context(headers=headers):
            require_acceptable()


class TestRequireReadable:
    def test_refuses_and_says_what_is_read(self) -> None:
        with (
            Flask(__name__).test_request_context(method="PATCH", data="{}", content_type="text/plain"),
            pytest.raises(UnsupportedMediaType, match="Content-Type: application/json") as refused,
        ):
            require_readable((JSON, PATCH))

        assert refused.value.headers == dict.fromkeys(["Accept", "Accept-Patch"], f"{JSON}, {PATCH}")

    def test_says_of_no_patch_how_patches_are_read(self) -> None:
        with (
            Flask(__name__).test_request_context(method="PUT", data="{}", content_type="text/plain"),
            pytest.raises(UnsupportedMediaType) as refused,
        ):
            require_readable((JSON,))

        assert refused.value.headers == {"Accept": JSON}

    def test_lets_json_pass(self) -> None:
        with Flask(__name__).test_request_context(method="POST", json={}):
            require_readable((JSON,))


class TestRequireNoCoding:
    @pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "nonsense"])
    def test_refuses_and_says_what_is_taken(self, coding: str) -> None:
        with (
            Flask(__name__).test_request_context(headers={"Content-Encoding": coding}),
            pytest.raises(UnsupportedMediaType, match="without Content-Encoding") as refused,
        ):
            require_no_coding()

        assert refused.value.headers == {"Accept-Encoding": "identity"}

    @pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "identity"}, {"Content-Encoding": ""}])
    def test_lets_the_rest_pass(self, headers: dict[str, str]) -> None:
        with Flask(__name__).test_request_context(headers=headers):
            require_no_coding()
