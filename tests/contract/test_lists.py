"""Lists over HTTP: typed filters find what they say, and `fields` gives the members that were asked for."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.database import change, transaction
from application.libs.ident import new_id
from application.libs.listing import SPARSE_TYPE
from tests.contract import specimen
from tests.contract.specimen_table import TABLE
from tests.contract.test_hostile_input import assert_refused_well
from tests.links import links, next_url

URL = "/api/v1/specimen"

BUDGET = settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

SIGNS = "abABéÉяЯ中%_\\'ßẞİıΣσςǅᲐა"
NAMES = st.text(SIGNS, min_size=1, max_size=4)
RATIOS = st.integers(-6, 6).map(lambda number: number / 4)
DAYS = st.integers(1, 5)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": NAMES,
            "small": st.integers(-3, 3),
            "day": DAYS,
            "colour": st.sampled_from(["red", "blue"]),
            "maybe": st.none() | NAMES,
            "ratio": RATIOS,
            "flag": st.booleans(),
        }
    ),
    max_size=10,
)

HOSTILE = {
    "NUL in a filter": ("name__contains=a%00b", 422),
    "a surrogate in a filter": ("name=%ED%A0%80", 200),
    "a filter beyond every column": ("name__startswith=" + "x" * 201, 422),
    "SQL in a filter": ("name__contains=%25' OR 1=1 --", 200),
    "a backslash in a filter": ("name__startswith=%5C", 200),
    "a filter beyond int4": ("small__gt=2147483648", 422),
    "a filter of 5000 digits": ("small__lte=" + "9" * 5000, 422),
    "a filter in Arabic digits": ("small=٣", 422),
    "a filter by NaN": ("small__ne=nan", 422),
    "a ratio in a whole range's place": ("small__gt=0.5", 422),
    "a ratio beyond its bounds": ("ratio__lt=1e10", 422),
    "an infinite ratio": ("ratio__gte=inf", 422),
    "a flag that may be": ("flag=maybe", 422),
    "a range of a flag": ("flag__gt=false", 422),
    "an empty number": ("small__gte=", 422),
    "a naive time in a filter": ("moment__gte=2030-01-31T12:00:00", 422),
    "year 1, +14:00 in a filter": ("moment__lt=0001-01-01T00:00:00%2B14:00", 422),
    "year 10000 in a filter": ("moment__lt=10000-01-01T00:00:00Z", 422),
    "a filter twice": ("name=a&name=b", 422),
    "an unknown operator": ("name__regex=.", 422),
    "an operator alone": ("__contains=a", 422),
    "an operator the column has not": ("colour__contains=r", 422),
    "another column behind a filter": ("name__story__contains=r", 422),
    "a filter by a hidden column": ("story__contains=a", 422),
    "an unknown choice among known": ("colour__in=red&colour__in=green", 422),
    "21 choices": ("&".join(["colour__in=red"] * 21), 422),
    "20 choices": ("&".join(["colour__in=red"] * 20), 200),
    "no field": ("fields=", 422),
    "an unknown field": ("fields=id,password", 422),
    "a field twice": ("fields=id,name,id", 422),
    "a field with a blank": ("fields=id,%20name", 422),
    "a field in capitals": ("fields=ID", 422),
    "a member of a member": ("fields=extra.k", 422),
    "a comma too many in fields": ("fields=id,", 422),
    "NUL in fields": ("fields=id%00", 422),
    "fields of bad UTF-8": ("fields=%FF", 422),
    "a name 1000 times": ("fields=" + ",".join(["id"] * 1000), 422),
    "a name 5000 times": ("fields=" + ",".join(["id"] * 5000), 414),
    "a field of Python's": ("fields=__class__", 422),
}


def lowered(text: str) -> str:
    """Return the text in small letters, each taken alone."""
    return "".join(character.lower()[0] for character in text)


Test = Callable[[Any, Any], bool]
OPERATORS: dict[str, Test] = {
    "": lambda stored, asked: stored == asked,
    "__ne": lambda stored, asked: stored != asked,
    "__in": lambda stored, asked: stored in asked,
    "__lt": lambda stored, asked: stored < asked,
    "__lte": lambda stored, asked: stored <= asked,
    "__gt": lambda stored, asked: stored > asked,
    "__gte": lambda stored, asked: stored >= asked,
    "__contains": lambda stored, asked: stored is not None and lowered(asked) in lowered(stored),
    "__startswith": lambda stored, asked: lowered(stored).startswith(lowered(asked)),
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "maybe": NAMES,
    "ratio": RATIOS,
    "flag": st.booleans(),
    "small": st.integers(-4, 4),
    "moment": DAYS,
    "colour": st.sampled_from(["red", "blue"]),
    "colour__in": st.lists(st.sampled_from(["red", "blue"]), min_size=1, max_size=2),
}
CHOICES = st.fixed_dictionaries(
    {},
    optional={name: VALUES.get(name, VALUES[name.partition("__")[0]]) for name in specimen.FILTERS.names()},
)


def moment(day: int) -> datetime:
    return datetime(2030, 1, day, tzinfo=UTC)


def keep(row: dict[str, Any]) -> str:
    """Store a row and return its id."""
    key = new_id()
    values = {name: value for name, value in row.items() if name != "day"}
    rest: dict[str, Any] = {"story": "", "large": 0, "ratio": 0.0, "flag": False, "extra": {}}
    change(TABLE.insert(), id=key, moment=moment(row["day"]), **rest | values)
    return key


def holds(row: dict[str, Any], name: str, asked: Any) -> bool:
    """Tell by Python's own comparison whether a filter lets a row through."""
    field, mark, operator = name.partition("__")
    return OPERATORS[f"{mark}{operator}"](row["day" if field == "moment" else field], asked)


class TestFilters:
    @BUDGET
    @given(rows=ROWS, choice=CHOICES)
    def test_find_what_a_comparison_in_python_finds(
        self, specimen_app: Flask, rows: list[dict[str, Any]], choice: dict[str, Any]
    ) -> None:
        with specimen_app.app_context(), transaction():
            change(TABLE.delete())
            kept = {keep(row): row for row in rows}
        query = {
            name: moment(value).isoformat() if name.startswith("moment") else value for name, value in choice.items()
        }
        asked = query | {"limit": 100, "count": "true", "fields": "id"}
        response = specimen_app.test_client().get(URL, query_string=asked)
        assert response.status_code == 200, response.text
        expected = {key for key, row in kept.items() if all(holds(row, *item) for item in choice.items())}
        assert {item["id"] for item in response.get_json()["data"]} == expected
        assert response.get_json()["page"]["total"] == len(expected)

    def test_hold_on_every_page(self, specimen_client: FlaskClient, specimen_app: Flask) -> None:
        row = {"name": "a", "small": 1, "day": 1, "colour": "red", "maybe": None}
        with specimen_app.app_context(), transaction():
            kept = [keep(row | {"small": number % 2}) for number in range(10)]
        response = specimen_client.get(f"{URL}?small=1&colour__in=red&colour__in=blue&limit=2&sort=id&count=true")
        seen = []
        while True:
            assert response.get_json()["page"]["total"] == 5
            seen += [item["id"] for item in response.get_json()["data"]]
            if not next_url(response):
                break
            response = specimen_client.get(next_url(response))
        assert seen == kept[1::2]
        assert specimen_client.get(links(response)["first"]).get_json()["data"][0]["id"] == kept[1]

    def test_compare_the_same_instant_whatever_its_offset(
        self, specimen_client: FlaskClient, specimen_app: Flask
    ) -> None:
        with specimen_app.app_context(), transaction():
            keep({"name": "a", "small": 1, "day": 2, "colour": "red", "maybe": None})
        for text, found in (("2030-01-02T08:00:00+08:00", 1), ("2030-01-02T08:00:01+08:00", 0)):
            response = specimen_client.get(URL, query_string={"moment__gte": text})
            assert len(response.get_json()["data"]) == found

    @pytest.mark.parametrize(("operator", "same", "finer"), [("gt", 0, 0), ("gte", 1, 0), ("lt", 0, 1), ("lte", 1, 1)])
    def test_compare_with_what_is_finer_than_a_microsecond(
        self, specimen_client: FlaskClient, operator: str, same: int, finer: int
    ) -> None:
        moment = "2030-01-31T12:00:00.802954"
        assert specimen_client.post(URL, json={"name": "a", "moment": f"{moment}Z"}).status_code == 201
        for text, found in ((f"{moment}Z", same), (f"{moment}9990Z", finer), (f"{moment}0000Z", same)):
            response = specimen_client.get(URL, query_string={f"moment__{operator}": text})
            assert (text, len(response.get_json()["data"])) == (text, found)


@pytest.mark.parametrize(("query", "status"), HOSTILE.values(), ids=list(HOSTILE))
class TestQuery:
    def test_is_judged_alike_everywhere(self, specimen_client: FlaskClient, query: str, status: int) -> None:
        response = specimen_client.get(f"{URL}?{query}")
        assert_refused_well(response, status)
        if status == 422:
            assert {error["loc"][0] for error in response.get_json()["errors"]} == {"query"}


class TestFields:
    @pytest.fixture
    def whole(self, specimen_client: FlaskClient) -> dict[str, Any]:
        fields = {"name": "a", "moment": "2030-01-31T12:00:00Z", "extra": {"k": [1]}, "maybe": None}
        created: dict[str, Any] = specimen_client.post(URL, json=fields).get_json()["data"]
        return created

    @pytest.mark.parametrize("fields", ["id", "name,id", "maybe", "extra,moment,ratio,flag", ",".join(["id", "small"])])
    def test_keep_the_members_that_are_asked_for(
        self, specimen_client: FlaskClient, whole: dict[str, Any], fields: str
    ) -> None:
        response = specimen_client.get(f"{URL}?fields={fields}")
        assert (response.status_code, response.content_type) == (200, SPARSE_TYPE)
        assert response.get_json()["data"] == [{name: whole[name] for name in fields.split(",")}]
        assert {"code", "status", "data", "page"} == set(response.get_json())

    @pytest.mark.parametrize("accept", [SPARSE_TYPE, "application/json", "*/*", "text/html, application/*"])
    def test_are_acceptable_to_who_names_them(self, specimen_client: FlaskClient, accept: str) -> None:
        assert specimen_client.get(f"{URL}?fields=id", headers={"Accept": accept}).status_code == 200

    @pytest.mark.parametrize("accept", [f"application/json, {SPARSE_TYPE};q=0", f"*/*, {SPARSE_TYPE};q=0"])
    def test_are_refused_to_who_excludes_them(self, specimen_client: FlaskClient, accept: str) -> None:
        refused = specimen_client.get(f"{URL}?fields=id", headers={"Accept": accept})
        assert (refused.status_code, refused.get_json()["code"]) == (406, "not_acceptable")
        assert specimen_client.get(URL, headers={"Accept": accept}).status_code == 200

    def test_are_no_reason_to_answer_who_wants_the_sparse_list_alone(self, specimen_client: FlaskClient) -> None:
        assert specimen_client.get(URL, headers={"Accept": SPARSE_TYPE}).status_code == 406

    def test_may_be_repeated(self, specimen_client: FlaskClient, whole: dict[str, Any]) -> None:
        asked = specimen_client.get(f"{URL}?fields=name&fields=id")
        assert asked.data == specimen_client.get(f"{URL}?fields=id,name").data
        assert list(asked.get_json()["data"][0]) == ["id", "name"]

    def test_are_offered_by_every_list(self, specimen_client: FlaskClient, whole: dict[str, Any]) -> None:
        assert specimen_client.get(f"{URL}/within/a/all?fields=name").get_json()["data"] == [{"name": "a"}]

    def test_are_refused_where_there_is_no_list(self, specimen_client: FlaskClient) -> None:
        assert specimen_client.get(f"{URL}/echo?fields=value").status_code == 422

    def test_leave_a_list_as_it_is_unless_given(self, specimen_client: FlaskClient, whole: dict[str, Any]) -> None:
        response = specimen_client.get(URL)
        assert (response.content_type, response.get_json()["data"]) == ("application/json", [whole])

    def test_are_reported_with_every_other_fault(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get(f"{URL}?fields=id,owner&limit=0&colour=green")
        found = {error["loc"][1]: error["msg"] for error in response.get_json()["errors"]}
        assert set(found) == {"fields", "limit", "colour"}
        assert found["fields"].startswith("There is no field 'owner'; choose from id, name")


class TestFaults:
    @pytest.mark.parametrize(
        ("query", "places", "code"),
        [
            ("sort=foo&limit=0", {"sort", "limit"}, "invalid"),
            ("sort=foo&after=zzz", {"sort", "after"}, "invalid"),
            ("nmae=x&after=zzz", {"nmae", "after"}, "invalid"),
            ("sort=story&colour=1", {"sort", "colour"}, "invalid"),
            ("sort=a%00&after=zzz", {"sort", "after"}, "invalid"),
            ("sort=foo", {"sort"}, "unknown_order"),
            ("after=zzz", {"after"}, "bad_cursor"),
        ],
    )
    def test_are_all_named_at_once(self, specimen_client: FlaskClient, query: str, places: set[str], code: str) -> None:
        response = specimen_client.get(f"{URL}?{query}")
        assert_refused_well(response, 422)
        assert {error["loc"][1] for error in response.get_json()["errors"]} == places
        assert response.get_json()["code"] == code

    def test_are_named_where_a_rule_has_one_order_alone(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get(f"{URL}/within/a/all?after=zzz&limit=0")
        assert {error["loc"][1] for error in response.get_json()["errors"]} == {"after", "limit"}


class TestDocument:
    def test_names_orders_and_both_answers(self, specimen_client: FlaskClient) -> None:
        written = specimen_client.get("/api/v1/openapi.json").get_json()
        entry = written["paths"][URL]["get"]
        parameters = {parameter.get("name"): parameter for parameter in entry["parameters"]}
        assert parameters["sort"]["schema"]["enum"] == specimen.ORDERS.names()
        assert parameters["fields"]["explode"] is False
        content = entry["responses"]["200"]["content"]
        items = {name: media["schema"]["properties"]["data"]["items"]["$ref"] for name, media in content.items()}
        assert {name: ref.rpartition("/")[2] for name, ref in items.items()} == {
            "application/json": "SpecimenOut",
            SPARSE_TYPE: "SparseSpecimenOut",
        }
        schemas = written["components"]["schemas"]
        assert schemas["SparseSpecimenOut"]["properties"] == schemas["SpecimenOut"]["properties"]
        assert "required" not in schemas["SparseSpecimenOut"]
