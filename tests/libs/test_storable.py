"""What cannot be stored as an argument."""

import math
import struct
from collections import OrderedDict, namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, StrEnum
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from application.libs.storable import MAX_BYTES, MAX_DEPTH, Unstorable, faults, require_storable, summary

BERLIN = ZoneInfo("Europe/Berlin")
TZIF = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lbb", 3600, 0, 0) + b"CET\0"
Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = "red"


class Size(StrEnum):
    SMALL = "s"


class Zone(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta()

    def dst(self, moment: datetime | None) -> None:
        return None

    def tzname(self, moment: datetime | None) -> str:
        return "Nowhere"

    def __str__(self) -> str:
        return "Nowhere"


class Later(date):
    pass


def nested(depth: int) -> Any:
    value: Any = 1
    for _level in range(depth):
        value = [value]
    return value


def doubled(times: int) -> Any:
    value: Any = [1]
    for _time in range(times):
        value = [value, value]
    return value


class TestFaults:
    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            2**63 - 1,
            -(2**63),
            0.1,
            "é\N{GRINNING FACE}",
            date(2026, 11, 28),
            time(7, 30, tzinfo=UTC),
            datetime.fromisoformat("2026-11-28T07:30:00"),
            datetime(2026, 11, 28, 7, 30, tzinfo=BERLIN),
            timedelta.max,
            Decimal("1.50"),
            {"a": [(1, 2), {3}, frozenset({(4,)})]},
            nested(MAX_DEPTH),
            "x" * (MAX_BYTES - 1),
        ],
    )
    def test_are_none_for_what_can_be_stored(self, value: object) -> None:
        assert faults(value) == []

    @pytest.mark.parametrize(
        ("value", "type_", "msg"),
        [
            (object(), "type_unstorable", "A value of type object cannot be stored. Give text, numbers, dates"),
            (print, "type_unstorable", "A value of type builtin_function_or_method cannot be stored. Give text"),
            (date, "type_unstorable", "A value of type type cannot be stored. Give text"),
            (Colour.RED, "type_unstorable", "A value of type Colour cannot be stored. Give its `value`"),
            (Size.SMALL, "type_unstorable", "A value of type Size cannot be stored. Give its `value`"),
            (b"x", "type_unstorable", "A value of type bytes cannot be stored. Give base64 text, or the id"),
            (Point(1, 2), "type_unstorable", "A value of type Point cannot be stored. Make it a plain tuple"),
            (OrderedDict(a=1), "type_unstorable", "A value of type OrderedDict cannot be stored. Make it a plain dict"),
            (Later(2026, 1, 1), "type_unstorable", "A value of type Later cannot be stored. Make it a plain date"),
            (2**63, "integer_too_large", "The integer does not fit 64 bits. Give it as Decimal or text"),
            (math.nan, "finite_number", "NaN and infinity are no numbers of JSON. Give a finite one or None"),
            (-math.inf, "finite_number", "NaN and infinity are no numbers of JSON. Give a finite one or None"),
            (Decimal("sNaN"), "finite_number", "The Decimal is not finite or beyond 1E±6144. Give one that is nearer"),
            (Decimal("1E+6145"), "finite_number", "The Decimal is not finite or beyond 1E±6144. Give one that is near"),
            ("a\0", "text_unstorable", "The text contains a NUL character. Leave it out"),
            ("\ud800", "text_unstorable", "The text contains a lone surrogate; it is not valid Unicode. Leave it out"),
            (
                time(7, tzinfo=BERLIN),
                "timezone_unstorable",
                "A time of day has no offset in this zone. Give the zone's",
            ),
            (datetime(2026, 1, 1, tzinfo=Zone()), "timezone_unstorable", "The time zone 'Nowhere' cannot be stored."),
            *(
                (kind, "timezone_unstorable", "The offset is less than a second. Give it in whole minutes")
                for zone in [timezone(timedelta(microseconds=-1))]
                for kind in (time(7, tzinfo=zone), datetime(2026, 1, 1, tzinfo=zone))
            ),
            ({1: 2}, "invalid_key", "A key is of type int. Use text as keys"),
            ({"\0": 2}, "text_unstorable", "The text contains a NUL character. Leave it out"),
            (nested(MAX_DEPTH + 1), "too_deep", f"It nests deeper than {MAX_DEPTH} levels. Give it flatter"),
            ("x" * (MAX_BYTES + 1), "too_long", f"The value is longer than {MAX_BYTES} bytes of JSON. Store it else"),
        ],
    )
    def test_name_the_fault_and_the_cure(self, value: object, type_: str, msg: str) -> None:
        (fault,) = faults(value)
        assert fault["type"] == type_
        assert fault["msg"].startswith(msg)

    def test_stand_at_their_places_all_at_once(self) -> None:
        value = {"a": [1, math.nan, (2, b"")], "b": {object()}, "c": {3: 4, "d\ud800": 1}}
        found = [(fault["loc"], fault["type"]) for fault in faults(value, "kwargs")]
        assert found == [
            (["kwargs", "a", 1], "finite_number"),
            (["kwargs", "a", 2, 1], "type_unstorable"),
            (["kwargs", "b"], "type_unstorable"),
            (["kwargs", "c"], "invalid_key"),
            (["kwargs", "c"], "text_unstorable"),
        ]

    def test_are_at_most_a_hundred(self) -> None:
        assert len(faults([math.nan] * 1000)) == 100

    def test_end_for_a_value_that_holds_itself(self) -> None:
        ring: list[Any] = []
        ring.append(ring)
        assert {fault["type"] for fault in faults(ring)} == {"too_deep"}

    def test_end_for_a_value_that_grows_without_memory(self) -> None:
        assert [fault["type"] for fault in faults(doubled(20))] == ["too_long"]

    def test_count_what_the_json_needs_of_the_depth(self) -> None:
        deep: Any = 1
        for _level in range(MAX_DEPTH // 2):
            deep = (deep,)
        assert faults(deep) == []
        assert [fault["type"] for fault in faults((deep,))] == ["too_deep"]
        assert [fault["type"] for fault in faults(nested(MAX_DEPTH - 1) + [[date(2026, 1, 1)]])] == []

    def test_are_found_in_zones_without_a_name(self) -> None:
        zone = ZoneInfo.from_file(BytesIO(TZIF))
        assert [fault["type"] for fault in faults(datetime(2026, 1, 1, tzinfo=zone))] == ["timezone_unstorable"]
        assert faults(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == []


class TestRequireStorable:
    def test_raises_all_faults(self) -> None:
        with pytest.raises(Unstorable, match=r"^0: NaN and infinity .* \(and 1 more\)$") as raised:
            require_storable([math.nan, b""])
        assert [error["loc"] for error in raised.value.errors] == [[0], [1]]

    def test_lets_the_rest_pass(self) -> None:
        require_storable([1])


class TestSummary:
    def test_names_no_place_where_there_is_none(self) -> None:
        assert summary(faults(b"")) == (
            "A value of type bytes cannot be stored. Give base64 text, or the id of where it is stored"
        )
