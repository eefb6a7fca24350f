"""The types of filters on the wire: bounded, and absent unless given."""

import pytest
from pydantic import ValidationError

from application.libs.bounds import unbounded
from application.libs.filter import (
    MAX_CHOICES,
    After,
    AtLeast,
    AtMost,
    AtOrBefore,
    Contains,
    Equals,
    FilterText,
    Flag,
    GreaterThan,
    LessThan,
    NotEquals,
    OneOf,
)
from application.libs.schema import Ident, Int32, PageQuery


class Query(PageQuery):
    name: Equals[FilterText] = None
    name__contains: Contains = None
    owner__in: OneOf[Ident] = None
    created_at__gt: After = None
    created_at__lte: AtOrBefore = None
    size: Equals[Int32] = None
    size__ne: NotEquals[Int32] = None
    size__gt: GreaterThan[Int32] = None
    size__gte: AtLeast[Int32] = None
    size__lt: LessThan[Int32] = None
    size__lte: AtMost[Int32] = None
    pinned: Flag = None


class TestFilters:
    def test_are_all_bounded(self) -> None:
        assert list(unbounded(Query)) == []

    def test_are_none_unless_given(self) -> None:
        assert set(Query().model_dump(exclude={"limit", "count"}).values()) == {None}

    def test_say_what_they_do(self) -> None:
        properties = Query.model_json_schema()["properties"]
        assert all(properties[name]["description"].startswith("Only what ") for name in properties if "__" in name)
        assert properties["pinned"]["description"].startswith("With `true` only what is {column}, ")

    @pytest.mark.parametrize(
        "values",
        [
            {"name": "x" * 201},
            {"name__contains": "x" * 201},
            {"owner__in": ["x"]},
            {"owner__in": ["01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"] * (MAX_CHOICES + 1)},
            {"created_at__gt": "2030-01-31"},
            {"created_at__lte": "2030-01-31T00:00:00"},
            {"size__gt": 2**31},
            {"size__lte": 0.5},
            {"pinned": "true"},
        ],
    )
    def test_refuse_what_cannot_be_compared(self, values: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            Query.model_validate(values)
