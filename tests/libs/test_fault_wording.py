"""Findings as clients read them."""

from typing import Any

import pytest
from pydantic import ValidationError, model_validator

from application.libs.error import field_error
from application.libs.fault_wording import (
    REQUIRED_MEMBER,
    Finding,
    faults,
    found,
    is_removal,
    one_for_each_place,
    worded,
)
from application.libs.schema import Ident, Int32, Name, Schema

KEY = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


class Thing(Schema):
    name: Name
    key: Ident


class TestWorded:
    @pytest.mark.parametrize(
        ("given", "messages"),
        [
            (
                {"name": "a\nb", "key": "7"},
                [
                    "Must stay on one line, without control characters and not of blanks alone",
                    "Give an id, as 01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
                ],
            ),
            ({"name": "  ", "key": 7}, ["Must stay on one line, without control characters and not of blanks alone"]),
            ({"name": ""}, ["String should have at least 1 character", "Field required"]),
        ],
    )
    def test_tells_the_cure_and_no_pattern(self, given: Any, messages: list[str]) -> None:
        with pytest.raises(ValidationError) as raised:
            Thing.model_validate(given)
        said = [worded(error["msg"]) for error in raised.value.errors()]
        assert said[: len(messages)] == messages
        assert not any("^" in message for message in said)

    @pytest.mark.parametrize(
        ("message", "said"),
        [
            ("Value error, low is above high", "low is above high"),
            ("Assertion failed, low is above high", "low is above high"),
            ("Assertion failed, ", "Assertion failed, "),
            ("Input should be a valid integer", "Input should be a valid integer"),
        ],
    )
    def test_leaves_a_validator_its_own_words(self, message: str, said: str) -> None:
        assert worded(message) == said


class Range(Schema):
    low: Int32
    high: Int32

    @model_validator(mode="after")
    def _check(self) -> "Range":
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


def refused(schema: type[Schema], given: Any) -> list[Finding]:
    with pytest.raises(ValidationError) as raised:
        schema.model_validate(given)
    return found(raised.value)


class TestFaults:
    def test_say_what_a_validator_of_the_model_said(self) -> None:
        findings = refused(Range, {"low": 2, "high": 1})
        assert faults("body", findings) == [{"loc": ["body"], "msg": "low is above high", "type": "value_error"}]

    def test_tell_a_removal_from_an_unknown_member(self) -> None:
        given = {"name": None, "owner": None, "key": KEY}
        said = {item["loc"][1]: item["msg"] for item in faults("body", refused(Thing, given), patch=given)}
        assert said == {"name": REQUIRED_MEMBER, "owner": "Extra inputs are not permitted"}

    def test_use_the_names_of_the_wire(self) -> None:
        said = faults("headers", refused(Thing, {"name": "a", "key": "7"}), names={"key": "x-key"})
        assert [item["loc"] for item in said] == [["headers", "x-key"]]


class TestOneForEachPlace:
    def test_keeps_the_first(self) -> None:
        first, second = field_error("body", "a", msg="1", type_="x"), field_error("body", "a", msg="2", type_="y")
        other = field_error("body", "b", msg="3", type_="z")
        assert one_for_each_place([first], [second, other]) == [first, other]


PATCH = {"a": None, "b": {"c": None, "d": 1}, "e": [None, {"f": None}]}


class TestIsRemoval:
    @pytest.mark.parametrize("loc", [["a"], ["b", "c"], ["e", 1, "f"]])
    def test_finds_null_in_place_of_a_member(self, loc: list[str | int]) -> None:
        assert is_removal(PATCH, loc)

    @pytest.mark.parametrize(
        "loc", [[], ["b"], ["b", "d"], ["x"], ["b", "x"], ["e", 0], ["e", 9], ["e", "f"], ["a", "x"], ["b", 0]]
    )
    def test_finds_nothing_else(self, loc: list[str | int]) -> None:
        assert not is_removal(PATCH, loc)

    def test_finds_nothing_in_what_is_no_patch(self) -> None:
        assert not is_removal(None, ["a"])
