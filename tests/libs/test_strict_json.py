"""Reading JSON strictly; the hostile bodies stand in tests/contract."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.libs.error import MAX_ERRORS
from application.libs.strict_json import MalformedJson, exact, is_int64, loads, storable, unstorable, unstorable_text

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0")), inner)
    ),
    max_leaves=20,
)


class TestLoads:
    @settings(max_examples=50, deadline=None, database=None)
    @given(value=VALUES, ascii_only=st.booleans())
    def test_reads_what_json_writes(self, value: Any, ascii_only: bool) -> None:
        assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value

    @pytest.mark.parametrize(
        ("raw", "detail"),
        [
            (b"", "The body is empty; send a JSON object"),
            (b'"\xff"', "Byte 1 is not valid UTF-8"),
            (b"{", "Expecting property name enclosed in double quotes at line 1, column 2"),
            (b"[" * 33, "The body nests deeper than 32 levels"),
            (b"NaN", "NaN is not a JSON number"),
            (b"1e999", "A number is too large"),
            (b"-9223372036854775809", "An integer does not fit 64 bits"),
            (b"9" * 20, "An integer does not fit 64 bits"),
            (b'{"a":1,"a":1}', "The body gives a field twice"),
        ],
    )
    def test_says_what_is_wrong(self, raw: bytes, detail: str) -> None:
        with pytest.raises(MalformedJson) as raised:
            loads(raw)
        assert raised.value.detail == detail

    def test_counts_no_brackets_within_text(self) -> None:
        text = '[{\\"' * 200
        assert loads(b'{"a":"' + text.encode() + b'"}') == {"a": '[{"' * 200}
        assert loads(b"[" * 32 + b"]" * 32) is not None
        assert len(loads(b"[" + b",".join([b"[[]]"] * 500) + b"]")) == 500


class TestUnstorable:
    def test_says_where_text_cannot_be_stored(self) -> None:
        raw = rb'{"a":["x","\u0000"],"b":{"c\ud800":1},"d":{"\u0000":"\udfff"}}'
        places = [(error["loc"], error["type"]) for error in unstorable(raw, loads(raw))]
        assert places == [
            (["body", "a", 1], "text_unstorable"),
            (["body", "b"], "text_unstorable"),
            (["body", "d"], "text_unstorable"),
            (["body", "d", "\0"], "text_unstorable"),
        ]

    def test_says_no_more_than_an_answer_shows(self) -> None:
        raw = b"[" + b",".join([rb'"\u0000"'] * 1000) + b"]"
        assert len(unstorable(raw, loads(raw))) == MAX_ERRORS


class TestStorable:
    def test_keeps_all_that_can_be_stored(self) -> None:
        given = {"a\0": ["\ud800b", 1, None, "é"], "c": {"d": "\N{GRINNING FACE}"}}
        assert storable(given) == {"a\ufffd": ["\ufffdb", 1, None, "é"], "c": {"d": "\N{GRINNING FACE}"}}


class TestExact:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("9.0", 9),
            ("1e3", 1000),
            ("12.50e1", 125),
            ("-9223372036854775808.0", -(2**63)),
            ("9007199254740993.0", 9007199254740993),
            ("-0.0", 0),
            ("0e999999999", 0),
        ],
    )
    def test_knows_an_integer_however_it_is_written(self, text: str, number: int) -> None:
        read = exact(text.encode())
        assert (type(read), read) == (int, number)

    @pytest.mark.parametrize(
        "text",
        ["9.5", "9.00000000000000000001", "9223372036854775808.0", "1e19", "1e-400", "1e-9999999999999999999", "1e300"],
    )
    def test_leaves_every_other_number(self, text: str) -> None:
        assert type(exact(text.encode())) is float


class TestUnstorableText:
    @pytest.mark.parametrize(("text", "word"), [("a\0", "NUL"), ("\ud800", "surrogate"), ("é\udfff", "surrogate")])
    def test_says_why(self, text: str, word: str) -> None:
        assert word in (unstorable_text(text) or "")

    @pytest.mark.parametrize("text", ["", "abc", "é", "\N{GRINNING FACE}", "\ue000", "\x01"])
    def test_accepts_the_rest(self, text: str) -> None:
        assert unstorable_text(text) is None


class TestIsInt64:
    @pytest.mark.parametrize(
        ("number", "fits"), [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False)]
    )
    def test_knows_the_limits(self, number: int, fits: bool) -> None:
        assert is_int64(number) is fits
