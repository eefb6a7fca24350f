"""Filters: what is allowed, and what each operator finds on every database."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, execute, transaction
from application.database.filter import CHOICE, RANGE, TEXT, Filter, Filters, contains, starts_with
from tests.database.counters import COUNTER

FILTERS = Filters(
    {
        "name": Filter(COUNTER.c.name, *TEXT, "ne"),
        "value": Filter(COUNTER.c.value, *CHOICE, *RANGE),
        "other": Filter(COUNTER.c.value, "eq", through=(COUNTER.c.name, COUNTER.c.name)),
    }
)


def names(app: Flask, **filters: Any) -> list[str]:
    """Return the names of the counters that the filters find."""
    chosen = FILTERS.chosen(filters)
    statement = sa.select(COUNTER.c.name).where(*FILTERS.conditions(chosen)).order_by(COUNTER.c.name)
    with app.app_context(), transaction(write=False):
        return list(execute(statement, **FILTERS.parameters(chosen)).scalars())


class TestFilter:
    @pytest.mark.parametrize("operators", [(), ("regex",), ("eq", "")])
    def test_refuses_an_unknown_operator(self, operators: tuple[str, ...]) -> None:
        with pytest.raises(TypeError, match="choose from eq, ne, in"):
            Filter(COUNTER.c.name, *operators)

    @pytest.mark.parametrize("operator", ["contains", "startswith"])
    def test_refuses_to_look_into_a_number(self, operator: str) -> None:
        with pytest.raises(TypeError, match="is no text; choose from eq, ne, in, lt, lte, gt, gte"):
            Filter(COUNTER.c.value, operator)


class TestNames:
    def test_carry_the_operator_but_for_equality(self) -> None:
        assert FILTERS.names()[:5] == ["name", "name__contains", "name__startswith", "name__ne", "value"]


class TestConditions:
    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({}, ["a", "b"]),
            ({"name": None, "value__gt": None}, ["a", "b"]),
            ({"name": "a"}, ["a"]),
            ({"name": "A"}, []),
            ({"name__ne": "a"}, ["b"]),
            ({"name__contains": "B"}, ["b"]),
            ({"name__startswith": "A"}, ["a"]),
            ({"value": 0}, ["a", "b"]),
            ({"value__in": [5, 0]}, ["a", "b"]),
            ({"value__in": []}, []),
            ({"value__gt": 0}, []),
            ({"value__gte": 0, "value__lte": 0}, ["a", "b"]),
            ({"value__lt": 0}, []),
            ({"name": "a", "value__lt": 1}, ["a"]),
            ({"name": "a", "name__ne": "a"}, []),
            ({"other": 0}, ["a", "b"]),
            ({"other": 7}, []),
        ],
    )
    def test_must_all_hold(self, counting: Flask, filters: dict[str, Any], found: list[str]) -> None:
        assert names(counting, **filters) == found

    def test_refuse_a_filter_that_is_not_listed(self) -> None:
        with pytest.raises(TypeError, match=r"no filter \['name__lt'\]; the filters are name, name__contains"):
            FILTERS.chosen({"name__lt": None})


def matches(app: Flask, condition: Any) -> bool:
    """Tell whether the database finds the condition true."""
    with app.app_context(), transaction(write=False):
        return bool(execute(sa.select(sa.literal(1)).where(condition)).all())


def rename(app: Flask, name: str) -> None:
    """Give a counter another name; a column compares by the table's collation, a literal by the connection's."""
    with app.app_context(), transaction():
        change(COUNTER.update().where(COUNTER.c.name == "a").values(name=name))


CASES = [("é", "É"), ("Я", "я"), ("STRASSE", "strasse"), ("中文", "中文"), ("ΑΒΓ", "αβγ"), ("Ünïcode", "üNÏCODE")]


class TestContains:
    @pytest.mark.parametrize("sign", ["%", "_", "\\", "\\\\", "/", "[", "*", "?"])
    def test_takes_every_sign_literally(self, counting: Flask, sign: str) -> None:
        for text, found in ((f"a{sign}b", True), ("ab", False), ("axb", False), ("axxb", False)):
            assert matches(counting, contains(sa.literal(text), f"a{sign}b")) is found

    @pytest.mark.parametrize(("stored", "asked"), CASES)
    def test_knows_both_cases_of_a_letter(self, counting: Flask, stored: str, asked: str) -> None:
        assert matches(counting, contains(sa.literal(f"- {stored} -"), asked))

    @pytest.mark.parametrize(
        ("stored", "asked", "found"),
        [
            ("İstanbul", "is", True),
            ("istanbul", "İS", True),
            ("ΟΔΟΣΑ", "οσα", True),
            ("οδοσ", "ΟΔΟΣ", True),
            ("οδος", "ΟΔΟΣ", False),
            ("STRASSE", "straße", False),
            ("\N{LATIN CAPITAL LETTER SHARP S}", "ß", True),
            ("ᲐᲑ", "აბ", True),
            ("Ⰰ", "ⰰ", True),
        ],
    )
    def test_compares_each_letter_alone(self, counting: Flask, stored: str, asked: str, *, found: bool) -> None:
        rename(counting, stored)
        assert names(counting, name__contains=asked) == [stored] * found

    def test_finds_nothing_in_nothing(self, counting: Flask) -> None:
        assert not matches(counting, contains(sa.cast(sa.null(), sa.String(10)), "a"))


class TestLowered:
    def test_is_every_letter_in_its_small_form_and_alone(self, counting: Flask) -> None:
        letters = [letter for letter in map(chr, range(1, 0x3000)) if letter.isalpha()]
        with counting.app_context(), transaction(write=False):
            lowered = execute(sa.select(sa.func.lowered(sa.literal("".join(letters))))).scalar()
        assert lowered == "".join(letter.lower()[0] for letter in letters)


class TestStartsWith:
    @pytest.mark.parametrize(("stored", "asked"), CASES)
    def test_knows_both_cases_of_a_letter(self, counting: Flask, stored: str, asked: str) -> None:
        assert matches(counting, starts_with(sa.literal(f"{stored} -"), asked))
        assert not matches(counting, starts_with(sa.literal(f"- {stored}"), asked))

    @pytest.mark.parametrize(("stored", "asked"), [("ΟΔΟΣΑ", "ΟΔΟΣ"), ("ΟΔΟΣ", "ΟΔΟΣ"), ("İx", "İX"), ("İx", "ix")])
    def test_compares_each_letter_alone(self, counting: Flask, stored: str, asked: str) -> None:
        rename(counting, stored)
        assert names(counting, name__startswith=asked) == [stored]

    @pytest.mark.parametrize("sign", ["%", "_", "\\"])
    def test_takes_every_sign_literally(self, counting: Flask, sign: str) -> None:
        assert matches(counting, starts_with(sa.literal(f"{sign}b"), sign))
        assert not matches(counting, starts_with(sa.literal("ab"), sign))
