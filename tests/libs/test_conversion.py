"""Texts as types; what is said over HTTP stands in tests/contract."""

from enum import IntEnum, StrEnum
from io import BytesIO
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from werkzeug.datastructures import FileStorage

from application.libs.conversion import conversion, leaf


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Colour(StrEnum):
    RED = "red"


def said(kind: Any, text: str) -> str:
    with pytest.raises(ValueError, match=r"^[A-Z]") as raised:
        conversion(kind).convert(text)
    return str(raised.value)


class TestConversion:
    @pytest.mark.parametrize(
        ("kind", "text", "value"),
        [
            (Literal[1, 2], "2", 2),
            (Literal[-1, 2] | None, "-1", -1),
            (Literal[True], "true", True),
            (Literal[True], "1", True),
            (Literal[False, 1], "1", 1),
            (Literal["1", 1], "1", "1"),
            (Literal["a", 5], "5", 5),
            (Level, "2", 2),
            (Colour, "red", "red"),
            (Annotated[Literal[1], Field(description="x")], "1", 1),
        ],
    )
    def test_finds_a_choice(self, kind: Any, text: str, value: object) -> None:
        found = conversion(kind).convert(text)
        assert (type(found), found) == (type(value), value)

    @pytest.mark.parametrize(
        ("kind", "text"),
        [(Literal[1, 2], "3"), (Literal[1], "01"), (Literal[1], "1.0"), (Literal[1], "١"), (Level, "1_0"), (Level, "")]
        + [(Literal[True], "0"), (Literal[True], "yes"), (Colour, "RED")],
    )
    def test_leaves_a_text_that_is_no_choice_to_pydantic(self, kind: Any, text: str) -> None:
        assert conversion(kind).convert(text) == text

    def test_refuses_a_choice_that_cannot_be_stored(self) -> None:
        assert said(Literal["a", 1], "a\0") == "The text contains a NUL character"

    @pytest.mark.parametrize(
        ("kind", "text", "message"),
        [
            (int, "99999999999999999999", "The number is too large"),
            (int, "-99999999999999999999", "The number is too small"),
            (int, "9" * 5000, "The number is too large"),
            (int, "1.5", "Give a whole number in ASCII digits"),
            (float, "1e999", "The number is too large"),
            (float, "-1e999", "The number is too small"),
            (float, ".5", "Give a number in ASCII digits, at most 19 before the point and 19 behind it"),
            (bool, "on", "Give true or false"),
        ],
    )
    def test_says_what_is_wrong(self, kind: Any, text: str, message: str) -> None:
        assert said(kind, text) == message

    @pytest.mark.parametrize(("kind", "is_list"), [(list[int], True), (set[int] | None, True), (int, False)])
    def test_knows_what_may_be_repeated(self, kind: Any, is_list: bool) -> None:
        assert conversion(kind).is_list is is_list


class TestFile:
    read = staticmethod(conversion(FileStorage, of_files=True).convert)

    @pytest.mark.parametrize("name", [None, "", "é.png", "x" * 255])
    def test_is_taken_under_its_name(self, name: str | None) -> None:
        file = FileStorage(BytesIO(b"abc"), filename=name)
        assert self.read(file) is file

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("a\0b", "The file's name contains a NUL character"),
            ("\ud800", "The file's name contains a lone surrogate; it is not valid Unicode"),
            ("x" * 256, "The file's name is longer than 255 characters"),
        ],
    )
    def test_is_refused_under_a_name_that_nothing_can_hold(self, name: str, message: str) -> None:
        with pytest.raises(ValueError, match="The file's name") as raised:
            self.read(FileStorage(BytesIO(b""), filename=name))
        assert str(raised.value) == message


class TestLeaf:
    @pytest.mark.parametrize("kind", [int, int | None, Annotated[int, "a"], Annotated[int | None, "a"] | None])
    def test_is_what_is_left(self, kind: Any) -> None:
        assert leaf(kind) is int

    def test_is_a_union_where_there_is_one(self) -> None:
        assert leaf(int | str) == int | str
