"""Arguments that are fitted to a signature."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BeforeValidator, Field, SecretStr

from application.libs import tagged_json
from application.libs.arguments import InvalidArguments, Signature
from application.libs.schema import Ident
from application.libs.storable import MAX_BYTES, MAX_DEPTH
from tests.libs.arguments_kit import (
    DAY,
    JSON_FORMS,
    RING,
    Colour,
    Order,
    Place,
    Size,
    Span,
    Zone,
    anything,
    collect,
    found,
    report,
    taking,
)


class TestBind:
    @pytest.mark.parametrize(("annotation", "given", "_typed"), JSON_FORMS)
    def test_keeps_json_as_it_came(self, annotation: Any, given: Any, _typed: Any) -> None:
        assert taking(annotation).bind([given], {}) == ([given], {})

    @pytest.mark.parametrize(
        ("annotation", "given"),
        [
            (date, DAY),
            (list[date], [DAY]),
            (tuple[int, ...], (1, 2)),
            (set[Decimal], {Decimal(1)}),
            (Any, {"a": (DAY, {1})}),
            (Span, {"start": DAY}),
        ],
    )
    def test_keeps_objects_that_can_be_stored(self, annotation: Any, given: Any) -> None:
        (stored,), _none = taking(annotation).bind((given,), {})
        assert stored == given
        assert type(stored) is type(given)

    @pytest.mark.parametrize(
        ("annotation", "given", "stored"),
        [
            (Colour, Colour.RED, "red"),
            (Size | None, Size.SMALL, "s"),
            (dict[str, list[Colour]], {"a": [Colour.RED]}, {"a": ["red"]}),
            (tuple[Colour, date], (Colour.RED, DAY), ["red", "2026-11-28"]),
            (Order, Order(day=DAY), {"day": "2026-11-28", "count": 1}),
            (Place, Place("x", Decimal("1.50")), {"name": "x", "at": "1.50"}),
            (dict[int, str], {1: "a"}, {"1": "a"}),
            (Path, Path("/srv"), "/srv"),
        ],
    )
    def test_writes_other_objects_as_the_json_that_gives_them_again(
        self, annotation: Any, given: Any, stored: Any
    ) -> None:
        signature = taking(annotation)
        assert signature.bind([given], {}) == ([stored], {})
        assert signature.convert([stored], {}) == ([given], {})

    @pytest.mark.parametrize(
        ("annotation", "given", "type_"),
        [
            (Any, Colour.RED, "type_unstorable"),
            (Any, object(), "type_unstorable"),
            (list[Any], [Size.SMALL], "type_unstorable"),
            (set[Any], {Size.SMALL}, "type_unstorable"),
            (dict[str, Any], {"a": Size.SMALL}, "type_unstorable"),
            (list[Any], RING, "too_deep"),
            (datetime, datetime(2026, 1, 1, tzinfo=Zone()), "timezone_unstorable"),
            (float, math.nan, "finite_number"),
            (int, 2**63, "integer_too_large"),
            (str, "a\0", "text_unstorable"),
            (SecretStr, SecretStr("x"), "type_unstorable"),
        ],
    )
    def test_refuses_what_would_come_back_as_something_else(self, annotation: Any, given: Any, type_: str) -> None:
        ((loc, found_type),) = found(lambda: taking(annotation).bind([], {"value": given}))
        assert (loc[:2], found_type) == (["kwargs", "value"], type_)

    @pytest.mark.parametrize(
        ("annotation", "given", "type_"),
        [
            (int, "5", "int_type"),
            (int, 5.0, "int_type"),
            (int, True, "int_type"),
            (bool, 1, "bool_type"),
            (float, "5", "float_type"),
            (str, 5, "string_type"),
            (str, DAY, "string_type"),
            (date, 5, "date_type"),
            (date, "tomorrow", "date_parsing"),
            (date, datetime(2026, 11, 28, tzinfo=UTC), "date_type"),
            (Colour, "green", "enum"),
            (list[int], (1, 2), "list_type"),
            (tuple[int, int], [1], "missing"),
            (Ident, "x", "string_pattern_mismatch"),
            (Annotated[int, Field(ge=1)], 0, "greater_than_equal"),
            (Order, {"day": "2026-11-28", "count": 0}, "greater_than_equal"),
            (Order, Place("x", Decimal(1)), "model_type"),
        ],
    )
    def test_converts_nothing_that_json_has_a_type_for(self, annotation: Any, given: Any, type_: str) -> None:
        assert [error for _loc, error in found(lambda: taking(annotation).bind([given], {}))] == [type_]

    def test_reports_every_fault_at_its_place(self) -> None:
        signature = Signature(report, "here")
        assert found(lambda: signature.bind(["x", "red", 10, 1, 2], {"dri": 1, "colour": "red", "dry": "no"})) == [
            (["args", 0], "date_parsing"),
            (["args", 2], "less_than_equal"),
            (["args", 3], "unexpected_positional_argument"),
            (["args", 4], "unexpected_positional_argument"),
            (["kwargs", "dri"], "unexpected_keyword_argument"),
            (["kwargs", "colour"], "multiple_argument_values"),
            (["kwargs", "dry"], "bool_type"),
        ]

    def test_reports_what_is_missing(self) -> None:
        def function(first: int, /, second: int, *, third: int, fourth: int = 4) -> None:
            """Want three."""

        signature = Signature(function, "here")
        assert found(lambda: signature.bind([], {"first": 1})) == [
            (["kwargs", "first"], "unexpected_keyword_argument"),
            (["args", 0], "missing_positional_only_argument"),
            (["kwargs", "second"], "missing_argument"),
            (["kwargs", "third"], "missing_keyword_only_argument"),
        ]
        assert signature.bind([1, 2], {"third": 3}) == ([1, 2], {"third": 3})

    def test_reports_the_place_within_an_argument(self) -> None:
        given = {"a": [{"day": "2026-11-28"}, {"day": "x"}]}
        assert found(lambda: taking(dict[str, list[Order]]).bind([given], {})) == [
            (["args", 0, "a", 1, "day"], "date_parsing")
        ]

    @pytest.mark.parametrize(
        ("args", "kwargs", "message"),
        [
            (
                [],
                {"dri": 1},
                "Unexpected keyword argument. Did you mean `dry`? The function takes colour, limit, dry by",
            ),
            ([], {"day": 1}, "Unexpected keyword argument. Give it by position, in `args`"),
            ([], {"\ud800": 1}, "Unexpected keyword argument. The function takes colour, limit, dry by name"),
            ([DAY, "red", 1, 2], {}, "Unexpected positional argument. The function takes 3 by position"),
        ],
    )
    def test_says_the_cure(self, args: list[Any], kwargs: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidArguments) as raised:
            Signature(report, "here").bind(args, kwargs)
        assert any(error["msg"].startswith(message) for error in raised.value.errors)
        assert raised.value.status == 422

    def test_sums_the_faults_up_without_the_values(self) -> None:
        with pytest.raises(InvalidArguments) as raised:
            taking(list[int]).bind([["secret", "hidden"]], {})
        assert str(raised.value) == "args.0.0: Input should be a valid integer (and 1 more)"

    def test_takes_any_number_where_the_function_does(self) -> None:
        signature = Signature(collect, "here")
        given: tuple[list[Any], dict[str, Any]] = ([1, "2.5", "3"], {"a": "2026-11-28"})
        assert signature.bind(*given) == given
        assert signature.convert(*given) == ([1, Decimal("2.5"), Decimal(3)], {"a": DAY})
        assert found(lambda: signature.bind([1, "2.5", "x"], {"a": 1})) == [
            (["args", 2], "decimal_parsing"),
            (["kwargs", "a"], "date_type"),
        ]

    def test_takes_them_by_position_only(self) -> None:
        def function(*sizes: int) -> None:
            """Take any number."""

        with pytest.raises(InvalidArguments, match="Unexpected keyword argument. Give it by position, in `args`"):
            Signature(function, "here").bind([], {"sizes": [1]})

    def test_gives_a_name_again_to_those_that_take_any(self) -> None:
        def function(first: int, /, **rest: int) -> None:
            """Take `first` twice, as Python does."""

        assert Signature(function, "here").bind([1], {"first": 2}) == ([1], {"first": 2})

    @pytest.mark.parametrize(
        ("args", "kwargs", "faults"),
        [
            ("ab", {}, [(["args"], "list_type")]),
            (None, [], [(["args"], "list_type"), (["kwargs"], "dict_type")]),
            ([], {1: 2}, [(["kwargs"], "invalid_key")]),
        ],
    )
    def test_refuses_what_are_no_arguments(self, args: Any, kwargs: Any, faults: list[Any]) -> None:
        assert found(lambda: Signature(report, "here").bind(args, kwargs)) == faults

    def test_refuses_arguments_that_are_too_much_together(self) -> None:
        half = "x" * (MAX_BYTES // 2 + 1)
        signature = Signature(anything, "here")
        assert signature.bind([half], {}) == ([half], {})
        assert found(lambda: signature.bind([half, half], {})) == [(["args", 1], "too_long")]

    def test_gives_what_tagged_json_writes_even_of_the_deepest(self) -> None:
        def nested(depth: int) -> Any:
            return [nested(depth - 1)] if depth else DAY

        signature = Signature(anything, "here")
        args, kwargs = signature.bind([nested(MAX_DEPTH - 2)], {})
        assert tagged_json.untag(tagged_json.tag(args)) == args
        assert {error for _loc, error in found(lambda: signature.bind([nested(MAX_DEPTH - 1)], {}))} == {"too_deep"}

    def test_runs_what_changes_a_value_once_only(self) -> None:
        signature = taking(Annotated[int, BeforeValidator(lambda number: number + 1)])
        assert signature.convert(*signature.bind([1], {})) == ([2], {})


class TestConvert:
    @pytest.mark.parametrize(("annotation", "given", "typed"), JSON_FORMS)
    def test_gives_the_types_of_the_annotations(self, annotation: Any, given: Any, typed: Any) -> None:
        signature = taking(annotation)
        stored = tagged_json.decode(tagged_json.encode(signature.bind([], {"value": given})[1]))
        _none, converted = signature.convert([], stored)
        assert converted == {"value": typed}
        assert type(converted["value"]) is type(typed)

    def test_fills_no_defaults_in(self) -> None:
        assert Signature(report, "here").convert(["2026-11-28", "red"], {}) == ([DAY, Colour.RED], {})

    def test_finds_that_the_signature_has_changed(self) -> None:
        assert found(lambda: taking(int).convert([DAY], {})) == [(["args", 0], "int_type")]

    def test_leaves_arguments_without_annotation_alone(self) -> None:
        given = ([(DAY, {Decimal(1)})], {"other": "2026-11-28"})
        assert Signature(anything, "here").convert(*given) == given
