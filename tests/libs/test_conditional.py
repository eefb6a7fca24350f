"""Entity tags."""

import pytest
from flask import Flask

from application.libs.conditional import entity_tag, is_known


class TestEntityTag:
    def test_is_strong_and_quoted(self) -> None:
        assert entity_tag(b"{}") == '"dc7048f8f8747f561349cde127705c16"'

    def test_differs_with_the_body(self) -> None:
        assert entity_tag(b"{}") != entity_tag(b"[]")


class TestIsKnown:
    @pytest.mark.parametrize(
        ("header", "known"),
        [
            ('"a"', True),
            ('W/"a"', True),
            ('"b", "a"', True),
            ("*", True),
            ("a", True),
            ('"b"', False),
            ("", False),
            ('"A"', False),
            (None, False),
        ],
    )
    def test_compares_weakly(self, header: str | None, known: bool) -> None:
        headers = {} if header is None else {"If-None-Match": header}
        with Flask("conditional").test_request_context(headers=headers):
            assert is_known('"a"') is known
