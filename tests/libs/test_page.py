"""Cursors: opaque, and ours alone."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.libs.page import MAX_CURSOR, MAX_SORT_TEXT, BadCursor, Page, decode_cursor, encode_cursor

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=MAX_SORT_TEXT)


def forge(value: Any) -> str:
    """Write a cursor by hand."""
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


class TestCursor:
    @settings(max_examples=50, deadline=None, database=None)
    @given(text=TEXT, number=st.integers(-(2**63), 2**63 - 1))
    def test_comes_back_equal(self, text: str, number: int) -> None:
        cursor = encode_cursor("-name", [text, number])
        assert decode_cursor(cursor, "-name", [str, int]) == [text, number]
        assert len(cursor) <= MAX_CURSOR
        assert cursor.isascii()
        assert not set(cursor) & set("+/=&%")

    def test_of_the_longest_text_is_short_enough(self) -> None:
        cursor = encode_cursor(f"-{'n' * 50}", ["\x01" * MAX_SORT_TEXT, "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"])
        assert len(cursor) <= MAX_CURSOR

    @pytest.mark.parametrize(
        "cursor",
        [
            "", "x", "é", "====", "a b", "\0", "!" * 8, "x" * 5000,
            forge([]), forge({}), forge("name"), forge(None), forge(["name"]), forge(["name", "a"]),
            forge(["name", "a", "b"]), forge(["name", "a", 1, 2]), forge(["-name", "a", 1]), forge(["name", 1, "a"]),
            forge(["name", "a", True]), forge(["name", "a", 1.5]), forge(["name", None, 1]), forge(["name", "a\0", 1]),
            forge(["name", "a", 2**63]), forge(["name", "a", -(2**63) - 1]),
            base64.urlsafe_b64encode(rb'["name","\ud800",1]').decode(),
            base64.urlsafe_b64encode(b'["name","\xff",1]').decode(),
            base64.urlsafe_b64encode(b'["name","a",' + b"9" * 900 + b"]").decode(),
        ],
    )  # fmt: skip
    def test_of_others_is_refused(self, cursor: str) -> None:
        with pytest.raises(BadCursor) as raised:
            decode_cursor(cursor, "name", [str, int])
        assert raised.value.errors[0]["loc"] == ["query", "after"]
        assert raised.value.status == 422


class TestPage:
    def test_ends_without_a_cursor(self) -> None:
        page = Page(items=[1], limit=1)
        assert (page.next, page.total) == (None, None)
