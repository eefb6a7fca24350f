"""What is stored comes back equal, and pages hold every row once: on every database."""

import os
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.database import change, transaction
from application.libs.ident import new_id
from tests.contract import specimen
from tests.contract.specimen_table import TABLE
from tests.links import next_url

URL = "/api/v1/specimen"
MOMENT = "2030-01-31T12:00:00Z"

BUDGET = settings(
    max_examples=int(os.environ.get("EXAMPLES", "25")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50)
NAME = NAME.filter(lambda text: text == text.strip())
MOMENTS = st.datetimes(
    datetime(1970, 1, 2, tzinfo=UTC).replace(tzinfo=None),  # hypothesis adds the offset
    datetime(8999, 12, 30, tzinfo=UTC).replace(tzinfo=None),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
FREE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
SPECIMENS = st.fixed_dictionaries(
    {
        "name": NAME,
        "story": TEXT,
        "small": st.integers(-(2**31), 2**31 - 1),
        "large": st.integers(-(2**63), 2**63 - 1),
        "ratio": st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.booleans(),
        "moment": MOMENTS.map(datetime.isoformat),
        "colour": st.sampled_from(["red", "blue"]),
        "extra": st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), FREE, max_size=5
        ),
        "maybe": st.none() | TEXT.map(lambda text: text[:50]),
    }
)


def expected(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what is to come back: the name without blanks around it, the same instant in UTC."""
    return sent | {"name": sent["name"].strip(), "moment": datetime.fromisoformat(sent["moment"])}


def received(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its time read, and without its id."""
    assert answer["moment"].endswith("Z")
    moment = datetime.fromisoformat(answer["moment"].replace("Z", "+00:00"))
    return {name: value for name, value in answer.items() if name != "id"} | {"moment": moment}


class TestEverything:
    @BUDGET
    @given(sent=SPECIMENS)
    def test_comes_back_equal(self, specimen_app: Flask, sent: dict[str, Any]) -> None:
        specimen_client = specimen_app.test_client()
        created = specimen_client.post(URL, json=sent)
        assert created.status_code == 201, created.text
        key = created.get_json()["data"]["id"]
        shown = specimen_client.get(f"{URL}/{key.upper()}")
        assert shown.data == created.data
        assert received(shown.get_json()["data"]) == expected(sent)

    @pytest.mark.parametrize(
        "fields",
        [
            {"small": 2**31 - 1, "large": 2**63 - 1, "ratio": 1.7976931348623157e308},
            {"small": -(2**31), "large": -(2**63), "ratio": 5e-324},
            {"ratio": 0.1 + 0.2},
            {"ratio": 1},
            {"name": "x" * 50, "story": "\N{GRINNING FACE}" * specimen.LONG},
            {"name": "\N{GRINNING FACE}" * 50, "maybe": ""},
            {"name": "标签 é e\N{COMBINING ACUTE ACCENT} \N{RIGHT-TO-LEFT OVERRIDE}"},
            {"story": " blanks and\r\nbreaks\t\x7f\u2028 "},
            {"story": "'; DROP TABLE specimen; -- \\ % _ %s :name ?"},
            {"moment": "1970-01-01T00:00:00+00:00"},
            {"moment": "8999-12-31T23:59:59.999999-14:00"},
            {"extra": {"a": [None, True, 1, 1.5, "é", {"b": []}], "": {}}},
        ],
    )
    def test_comes_back_at_its_limits(self, specimen_client: FlaskClient, fields: dict[str, Any]) -> None:
        sent = {"name": "a", "moment": "2030-01-31T12:00:00+08:00"} | fields
        created = specimen_client.post(URL, json=sent)
        assert created.status_code == 201, created.text
        answer = received(specimen_client.get(f"{URL}/{created.get_json()['data']['id']}").get_json()["data"])
        assert {name: answer[name] for name in sent} == expected(sent)

    @pytest.mark.parametrize(
        ("given_moment", "kept"),
        [
            ("2030-01-31T12:00:00+08:00", "2030-01-31T04:00:00Z"),
            ("2030-01-31t12:00:00z", "2030-01-31T12:00:00Z"),
            ("2030-01-31 12:00:00.5-00:30", "2030-01-31T12:30:00.500000Z"),
            ("2030-01-31T12:00:00.123456789Z", "2030-01-31T12:00:00.123456Z"),
        ],
    )
    def test_keeps_a_time_in_utc(self, specimen_client: FlaskClient, given_moment: str, kept: str) -> None:
        created = specimen_client.post(URL, json={"name": "a", "moment": given_moment})
        assert created.get_json()["data"]["moment"] == kept

    def test_takes_blanks_off_a_name(self, specimen_client: FlaskClient) -> None:
        created = specimen_client.post(URL, json={"name": "\u3000a b \n", "moment": MOMENT})
        assert created.get_json()["data"]["name"] == "a b"


ROWS = st.lists(
    st.tuples(NAME, st.integers(-3, 3), st.integers(0, 3)),
    max_size=12,
)


class TestPages:
    @BUDGET
    @given(
        rows=ROWS,
        sort=st.sampled_from(["name", "small", "moment", "id"]),
        descending=st.booleans(),
        limit=st.integers(1, 5),
    )
    def test_hold_every_row_once_in_order(
        self, specimen_app: Flask, rows: list[tuple[str, int, int]], sort: str, descending: bool, limit: int
    ) -> None:
        with specimen_app.app_context(), transaction():
            change(TABLE.delete())
            kept = [keep(name.strip(), small, day) for name, small, day in rows]
        found: list[str] = []
        url = f"{URL}?limit={limit}&sort={'-' if descending else ''}{sort}&count=true"
        specimen_client = specimen_app.test_client()
        while url:
            response = specimen_client.get(url)
            assert response.status_code == 200, response.text
            assert response.get_json()["page"]["total"] == len(rows)
            assert len(response.get_json()["data"]) <= limit
            found += [item["id"] for item in response.get_json()["data"]]
            url = next_url(response)
        assert len(found) == len(rows)
        assert set(found) == {row["id"] for row in kept}
        if sort != "name":  # each database orders text by rules of its own
            by_id = {row["id"]: row for row in kept}
            keys = [(by_id[key][sort], key) for key in found]
            assert keys == sorted(keys, reverse=descending)


def keep(name: str, small: int, day: int) -> dict[str, Any]:
    """Store a row and return it."""
    row: dict[str, Any] = {
        "id": new_id(),
        "name": name,
        "story": "",
        "small": small,
        "large": 0,
        "ratio": 0.0,
        "flag": False,
        "moment": datetime(2030, 1, 1 + day, tzinfo=UTC),
        "colour": "red",
        "extra": {},
        "maybe": None,
    }
    change(TABLE.insert(), **row)
    return row
