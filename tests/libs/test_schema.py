"""Types of input, and what they refuse."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import Field, TypeAdapter, ValidationError

from application.libs.ident import new_id
from application.libs.schema import Ident, Name, PageQuery, Schema, UtcTime, absent

TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)
NAME: TypeAdapter[str] = TypeAdapter(Name)
IDENT: TypeAdapter[str] = TypeAdapter(Ident)
KEY = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


class RowQuery(PageQuery):
    sort: str = "-name"
    name: str | None = None
    age: int | None = None


class TestPageQuery:
    def test_gives_a_rule_what_was_given_or_has_a_default(self) -> None:
        assert RowQuery().given() == {"limit": 20, "count": False, "sort": "-name"}
        assert RowQuery(name="", age=0, count=True).given() == {
            "limit": 20,
            "count": True,
            "sort": "-name",
            "name": "",
            "age": 0,
        }


class TestUtcTime:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2030-01-31T12:00:00Z", datetime(2030, 1, 31, 12, tzinfo=UTC)),
            ("2030-01-31t12:00:00.5z", datetime(2030, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)),
            ("2030-01-31 12:00:00.123456789+08:00", datetime(2030, 1, 31, 4, 0, 0, 123_456, tzinfo=UTC)),
            ("1970-01-01T00:00:00+14:00", datetime(1969, 12, 31, 10, tzinfo=UTC)),
        ],
    )
    def test_reads_rfc_3339(self, text: str, moment: datetime) -> None:
        read = TIME.validate_python(text)
        assert (read, read.tzinfo) == (moment, UTC)

    def test_takes_an_aware_time(self) -> None:
        moment = datetime(2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=8)))
        assert TIME.validate_python(moment).isoformat() == "2030-01-31T04:00:00+00:00"

    @pytest.mark.parametrize(
        "value",
        ["", "now", "2030-01-31", "2030-01-31T12:00Z", "2030-01-31T12:00:00", "2030-01-31T12:00:00.Z", 5, None, b"x"]
        + [
            "2030-02-30T12:00:00Z",
            "2030-01-31T25:00:00Z",
            "9000-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2030-W05-4T12:00:00Z",
        ]
        + [datetime(2030, 1, 31, tzinfo=UTC).replace(tzinfo=None)],
    )
    def test_refuses_everything_else(self, value: object) -> None:
        with pytest.raises(ValidationError, match="Give a time with its offset|no such time|The year must lie"):
            TIME.validate_python(value)

    @pytest.mark.parametrize("text", ["2030-01-31T12:00:00 08:00", "2030-01-31 12:00:00.5 08:00"])
    def test_tells_who_forgot_to_escape_the_plus(self, text: str) -> None:
        with pytest.raises(ValidationError, match="The offset lacks its sign; in an address write \\+ as %2B"):
            TIME.validate_python(text)


class TestIdent:
    def test_gives_the_canonical_form(self) -> None:
        assert IDENT.validate_python(KEY.upper()) == KEY

    @pytest.mark.parametrize(
        "text", ["", "42", KEY + "\n", KEY[:-1], KEY.replace("-", ""), "{" + KEY + "}", "g" + KEY[1:]]
    )
    def test_refuses_everything_else(self, text: str) -> None:
        with pytest.raises(ValidationError):
            IDENT.validate_python(text)


class TestName:
    @pytest.mark.parametrize(
        ("text", "kept"),
        [("a", "a"), (" a b\u3000", "a b"), ("e\u0301", "e\u0301"), ("\u05d0 \u200d", "\u05d0 \u200d")],
    )
    def test_is_kept_without_blanks_around_it(self, text: str, kept: str) -> None:
        assert NAME.validate_python(text) == kept

    @pytest.mark.parametrize(
        "text", ["", " ", "\u00a0\u2003\u3000", "a\nb", "\na", "\ta", "a\x85", "\u202ea", "\u2028", "a" + " " * 50]
    )
    def test_refuses_what_the_document_refuses(self, text: str) -> None:
        with pytest.raises(ValidationError):
            NAME.validate_python(text)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(text, NAME.json_schema())


class Texts(Schema):
    plain: str = Field(max_length=5)
    maybe: str | None = Field(None, max_length=5)
    several: list[Annotated[str, Field(max_length=5)]] = Field(max_length=5)
    name: Name
    moment: UtcTime


class TestSchema:
    def test_says_of_input_that_text_holds_no_nul(self) -> None:
        validator = jsonschema.Draft202012Validator(Texts.model_json_schema())
        good = {"plain": "a", "maybe": None, "several": ["é"], "name": "a", "moment": "2030-01-31T12:00:00Z"}
        assert validator.is_valid(good)
        bad: list[dict[str, object]] = [{"plain": "\0"}, {"maybe": "a\0"}, {"several": ["\0"]}, {"name": "\0"}]
        assert not any(validator.is_valid(good | member) for member in bad)

    def test_says_which_years_a_time_may_have(self) -> None:
        pattern = Texts.model_json_schema()["properties"]["moment"]["pattern"]
        years = [year for year in range(1, 10_000) if re.match(pattern, f"{year:04}-01-31T12:00:00Z")]
        assert years == list(range(1970, 9000))

    def test_says_nothing_about_text_that_goes_out(self) -> None:
        assert "pattern" not in Texts.model_json_schema(mode="serialization")["properties"]["plain"]

    def test_is_closed_to_what_comes_in_and_open_to_what_goes_out(self) -> None:
        assert Texts.model_json_schema()["additionalProperties"] is False
        assert "additionalProperties" not in Texts.model_json_schema(mode="serialization")

    def test_shows_a_default_that_is_made_where_it_is_always_the_same(self) -> None:
        properties = Made.model_json_schema()["properties"]
        assert properties["several"]["default"] == ["a"]
        assert [name for name, described in properties.items() if "default" in described] == ["several"]


class Made(Schema):
    several: list[Name] = Field(default_factory=lambda: ["a"], max_length=5)
    fresh: str = Field(default_factory=new_id, max_length=36)
    left_out: Name = absent()
    marked: Any = Field(default_factory=lambda: Schema)


class Patch(Schema):
    name: Name = absent()


class TestAbsent:
    def test_may_be_left_out(self) -> None:
        assert Patch().model_dump(exclude_unset=True) == {}
        assert Patch(name="a").model_dump(exclude_unset=True) == {"name": "a"}

    def test_is_not_null(self) -> None:
        with pytest.raises(ValidationError):
            Patch.model_validate({"name": None})
