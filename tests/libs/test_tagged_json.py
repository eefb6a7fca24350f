"""JSON that keeps the types of values."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from application.libs import strict_json
from application.libs.storable import COLLECTIONS, MAX_BYTES, MAX_DEPTH, TYPED, Unstorable, faults
from application.libs.tagged_json import Malformed, decode, encode, show, tag, untag

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime.fromisoformat("0001-01-01T00:00:00")
LAST = datetime.fromisoformat("9999-12-31T23:59:59.999999")
BUDGET = settings(max_examples=300, deadline=None, database=None)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
OFFSETS = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
ZONES = st.sampled_from([BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("UTC")])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.dates()
    | st.times(timezones=st.none() | OFFSETS)
    | st.datetimes(timezones=st.none() | st.just(UTC) | OFFSETS | ZONES)
    | st.timedeltas()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.uuids()
)
HASHABLE = st.recursive(SCALARS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4)
KEYS = TEXT | st.sampled_from(["$", "$$", "$date", "$$date", "$dict", "$tuple", "format"])
VALUES = st.recursive(
    HASHABLE | st.sets(HASHABLE, max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
STORABLE = VALUES.filter(lambda value: not faults(value))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | KEYS, inner, max_size=2)
        | st.dictionaries(st.sampled_from([f"${kind.__name__.lower()}" for kind in (*TYPED, *COLLECTIONS)]), inner)
    ),
)


def exact(value: Any) -> Any:
    """Return what equals only for values of the same types through and through, with their order, zones and signs."""
    kind = type(value)
    if kind is dict:
        return kind, [(key, exact(item)) for key, item in value.items()]
    if kind in (list, tuple):
        return kind, [exact(item) for item in value]
    if kind in (set, frozenset):
        return kind, sorted(repr(exact(item)) for item in value)
    if kind is datetime:
        return value.replace(tzinfo=None, fold=0), value.utcoffset(), repr(value.tzinfo)
    return kind, repr(value.replace(fold=0) if kind is time else value)


def same(one: Any, other: Any) -> bool:
    return bool(one == other and exact(one) == exact(other))


class TestEncode:
    def test_writes_readable_json_with_its_format(self) -> None:
        value = {"at": datetime(2026, 11, 28, 7, 30, tzinfo=BERLIN), "for": timedelta(days=1, hours=2), "n": [1, "ä"]}
        assert encode(value) == (
            '{"format":1,"value":{"at":{"$datetime":"2026-11-28T07:30:00+01:00[Europe/Berlin]"},'
            '"for":{"$timedelta":"P1DT7200S"},"n":[1,"ä"]}}'
        )

    def test_says_what_is_wrong_and_where(self) -> None:
        with pytest.raises(Unstorable, match=r"^a\.0: A value of type bytes cannot be stored\. Give base64 text"):
            encode({"a": [b"x"]})

    def test_refuses_what_is_too_long_as_json_only(self) -> None:
        text = '"' * (MAX_BYTES - 100)
        with pytest.raises(Unstorable, match="longer than 60000 bytes of JSON"):
            encode(text)

    def test_writes_sets_in_one_order(self) -> None:
        words = [f"word {number}" for number in range(50)]
        assert json.loads(encode(set(words)))["value"]["$set"] == sorted(words)


class TestDecode:
    @BUDGET
    @given(value=STORABLE)
    @example(value={"$date": 1})
    @example(value={"$date": 1, "$$": 2})
    @example(value=[-0.0, Decimal("-0.00"), 5e-324, 1e308, True, 1, 1.0])
    @example(value=datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN))
    @example(value=datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN))
    @example(value=datetime(2026, 3, 29, 2, 30, fold=1, tzinfo=BERLIN))
    @example(value=[FIRST, LAST, timedelta.min, timedelta.max, date.min, time.max])
    @example(value=[FIRST.replace(tzinfo=BERLIN), LAST.replace(tzinfo=BERLIN)])
    def test_gives_what_was_encoded_in_its_types(self, value: Any) -> None:
        text = encode(value)
        assert same(decode(text), value)
        assert same(decode(text.encode()), value)
        assert encode(decode(text)) == text

    @BUDGET
    @given(text=st.text() | st.binary() | JSON.map(json.dumps))
    def test_raises_one_error_for_anything_else(self, text: str | bytes) -> None:
        with pytest.raises(Malformed):
            decode(text)

    @BUDGET
    @given(document=JSON.map(lambda value: {"format": 1, "value": value}))
    def test_gives_what_is_storable_or_one_error(self, document: Any) -> None:
        try:
            value = decode(json.dumps(document))
        except Malformed:
            return
        assert faults(value) == []

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "no strict JSON"),
            ("{}", 'not of the form {"format": 1, "value": …}'),
            ("[]", "not of the form"),
            ('{"format":1,"value":1,"more":1}', "not of the form"),
            ('{"format":2,"value":1}', "The format is 2; this version reads 1"),
            ('{"format":true,"value":1}', "The format is True"),
            ('{"format":1,"format":1,"value":1}', "gives a field twice"),
            ('{"format":1,"value":NaN}', "NaN is not a JSON number"),
            ('{"format":1,"value":"\ud800"}', "no strict JSON"),
            ('{"format":1,"value":"\\ud800"}', "what is never written"),
            ('{"format":1,"value":"\\u0000"}', "what is never written"),
            (f'{{"format":1,"value":{"[" * 500}', "nests deeper"),
            ('{"format":1,"value":' + "[" * 30 + "]" * 30 + "}", f"nests deeper than {MAX_DEPTH}"),
            ("x" * (MAX_BYTES + 1), f"longer than {MAX_BYTES} bytes"),
            ("é" * (MAX_BYTES // 2 + 1), f"longer than {MAX_BYTES} bytes"),
            (b"\x80\x04K\x01.", "no strict JSON"),
        ],
    )
    def test_says_what_is_wrong_with_a_text(self, text: str | bytes, message: str) -> None:
        with pytest.raises(Malformed) as raised:
            decode(text)
        assert message in str(raised.value)


class TestUntag:
    @pytest.mark.parametrize(
        ("tagged", "message"),
        [
            ({"$object": "os:system"}, "There is no tag '$object'; the tags are $datetime, $date"),
            ({"$date": 5}, "$date holds a int instead of text"),
            ({"$date": "2026-02-30"}, "day is out of range"),
            ({"$date": "20260228"}, "'20260228' is written otherwise: '2026-02-28'"),
            ({"$time": "7:30"}, "Invalid isoformat string"),
            ({"$datetime": "2026-11-28T07:30:00[Europe/Berlin]"}, "names no offset and zone"),
            ({"$datetime": "2026-11-28T07:30:00+01:00[../etc/passwd]"}, "names no offset and zone"),
            ({"$datetime": "2026-11-28T07:30:00+01:00[Europe/Berlin"}, "names no offset and zone"),
            ({"$datetime": "2026-11-28T07:30:00+01:00[Europe/Atlantis]"}, "is the time zone database up to date?"),
            ({"$timedelta": "soon"}, "Invalid ISO8601 duration"),
            ({"$decimal": "1_000"}, "is written otherwise"),
            ({"$decimal": "x"}, "ConversionSyntax"),
            ({"$decimal": "NaN"}, "It holds what is never written: The Decimal is not finite"),
            ({"$decimal": "1E+999999999"}, "It holds what is never written: The Decimal is not finite"),
            ({"$uuid": "{01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10}"}, "is written otherwise"),
            ({"$uuid": "x"}, "badly formed"),
            ({"$tuple": "ab"}, "$tuple holds a str instead of an array"),
            ({"$set": [[1]]}, "unhashable"),
            ({"$set": [1, 1.0]}, "$set holds a value twice"),
            ({"$date": "2026-11-28", "x": 1}, "'$date' stands beside other members; a tag stands alone"),
            ({1: 2}, "A key is of type int"),
            ({1: 2, 3: 4}, "A key is of type int"),
            (date(2026, 1, 1), "A date is nothing that JSON holds"),
            ([math.nan], "It holds what is never written: NaN"),
            (2**70, "It holds what is never written: The integer does not fit"),
        ],
    )
    def test_says_what_is_wrong(self, tagged: object, message: str) -> None:
        with pytest.raises(Malformed) as raised:
            untag(tagged)
        assert message in str(raised.value)

    def test_ends_for_a_value_that_holds_itself(self) -> None:
        ring: list[Any] = []
        ring.append(ring)
        with pytest.raises(Malformed, match="nests deeper"):
            untag(ring)

    def test_keeps_the_hands_of_the_clock_where_a_zone_has_changed_its_rules(self) -> None:
        moment = untag({"$datetime": "2026-07-01T12:00:00+09:00[Europe/Berlin]"})
        assert same(moment, datetime(2026, 7, 1, 12, tzinfo=BERLIN))

    def test_gives_pydantics_offsets_back_as_those_of_python(self) -> None:
        moment = TypeAdapter(datetime).validate_python("2026-11-28T07:30:00+01:00")
        assert same(untag(tag(moment)), datetime(2026, 11, 28, 7, 30, tzinfo=timezone(timedelta(hours=1))))

    def test_reads_sets_in_any_order(self) -> None:
        assert untag({"$set": [2, 1]}) == {1, 2}


class TestTag:
    def test_stays_readable_for_strict_json_where_it_is_embedded(self) -> None:
        value: Any = 1
        for _level in range(MAX_DEPTH // 2):
            value = (value,)
        document = {"format": 1, "kwargs": {"deep": tag(value)}}
        assert same(untag(strict_json.loads(json.dumps(document).encode())["kwargs"]["deep"]), value)

    def test_refuses_what_cannot_be_stored(self) -> None:
        with pytest.raises(Unstorable):
            tag(object())


class TestShow:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (date(2026, 11, 28), "2026-11-28"),
            (time(7, 30), "07:30:00"),
            (datetime(2026, 11, 28, 7, 30, tzinfo=UTC), "2026-11-28T07:30:00+00:00"),
            (datetime(2026, 11, 28, 7, 30, tzinfo=BERLIN), "2026-11-28T07:30:00+01:00"),
            (timedelta(minutes=90), "PT5400S"),
            (Decimal("1.50"), "1.50"),
            (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            ((1, (2,)), [1, [2]]),
            ({"b", "a"}, ["a", "b"]),
            (frozenset({Decimal(1)}), ["1"]),
            ({"$date": [date(2026, 11, 28)]}, {"$date": ["2026-11-28"]}),
            ([None, True, 1.0, "x"], [None, True, 1.0, "x"]),
        ],
    )
    def test_gives_text_and_arrays(self, value: object, shown: object) -> None:
        assert same(show(value), shown)

    @BUDGET
    @given(value=STORABLE)
    def test_gives_nothing_but_json(self, value: Any) -> None:
        shown = show(value)
        assert same(json.loads(json.dumps(shown)), shown)

    def test_refuses_what_cannot_be_stored(self) -> None:
        with pytest.raises(Unstorable):
            show({"a": object()})
