"""Reading a JSON body; what it answers over HTTP stands in tests/contract/test_input.py."""

from typing import Any, Literal

import pytest
from pydantic import Field

from application.libs.error import Invalid
from application.libs.json_body import read_json
from application.libs.schema import Int32, Name, Schema
from application.libs.strict_json import MalformedJson


class Inner(Schema):
    sizes: list[Int32] = Field(max_length=3)


class Outer(Schema):
    inner: dict[Name, Inner | Int32] = Field(max_length=3)
    choice: Literal[1, 2]
    free: Any


RAW = b'{"inner":{"a":{"sizes":[1,2.0]},"b":3e0},"choice":1.0,"free":4.0}'


def types(raw: bytes) -> set[str]:
    with pytest.raises(Invalid) as raised:
        read_json(Outer, raw, is_patch=False)
    return {error["type"] for error in raised.value.errors}


class TestReadJson:
    def test_takes_a_whole_number_wherever_an_integer_is_missed(self) -> None:
        read = read_json(Outer, RAW, is_patch=False).model_dump()
        assert read == {"inner": {"a": {"sizes": [1, 2]}, "b": 3}, "choice": 1, "free": 4.0}
        assert type(read["choice"]) is int
        assert type(read["free"]) is float

    @pytest.mark.parametrize("number", [b"2.5", b"true", b'"2"', b"null", b"1e300"])
    def test_refuses_what_is_no_integer(self, number: bytes) -> None:
        assert "int_type" in types(RAW.replace(b"2.0", number))

    def test_holds_it_to_its_range(self) -> None:
        assert "less_than_equal" in types(RAW.replace(b"2.0", b"1e10"))

    def test_names_a_removal(self) -> None:
        with pytest.raises(Invalid) as raised:
            read_json(Inner, b'{"sizes":null,"owner":null}', is_patch=True)
        said = {error["loc"][1]: error["msg"] for error in raised.value.errors}
        assert said == {
            "sizes": "Cannot be removed; leave it out or give a value",
            "owner": "Extra inputs are not permitted",
        }

    def test_judges_the_rest_of_a_body_with_text_that_cannot_be_stored(self) -> None:
        assert types(rb'{"inner":{"\u0000":1.0},"choice":3}') == {"text_unstorable", "literal_error", "missing"}

    def test_refuses_text_that_alone_is_wrong(self) -> None:
        assert types(rb'{"inner":{},"choice":1,"free":"\ud800"}') == {"text_unstorable"}

    def test_lets_nothing_pass_that_is_no_json(self) -> None:
        with pytest.raises(MalformedJson):
            read_json(Outer, b"{", is_patch=False)
