"""What a hostile client asks of the lists: nothing is found that is not theirs, and nothing takes long."""

import time
from typing import NamedTuple

import pytest
from flask import Flask

from application.libs.redprint import machinery
from tests.contract.access import World
from tests.contract.access_table import FEATURES

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]  # those of each database: tests/database/test_filter.py

HUGE = "1000000000"
NOWHERE = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
INJECTIONS = ("' OR 1=1--", "x' OR 'a'='a", '" OR ""="', "1; DROP TABLE user;--", "\\", "%", "_", "a%' ESCAPE '%")
ORDERS = ("name;drop table user", ";drop", "name desc", "(select 1)", "name,id", "password_hash", "1", "-", "--name")
PATTERNS = ("(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", ".*" * 20, "[[:alpha:]]{99}", "(?=x)" * 16, "%" * 90, "_" * 90)
TEXTS = ("q", "__contains", "__startswith")
MOST_SECONDS = 1.0


class Listed(NamedTuple):
    """Hold a route that lists, and the names of what its query takes."""

    route: str
    names: frozenset[str]


def lists(app: Flask) -> list[Listed]:
    """Return everything that gives pages; version 2 has blogs of its own, and all else by the same lines."""
    return [
        Listed(f"GET {rule.rule}", frozenset(getattr(item.operation.inputs.get("query"), "model_fields", {})))
        for item in machinery(app).mounted
        for rule in app.url_map.iter_rules(item.endpoint)
        if "limit" in getattr(item.operation.inputs.get("query"), "model_fields", {})
        and ("/v2/" not in rule.rule or "blog" in rule.rule)
    ]


class Attack:
    """Ask every list, and note what is answered otherwise than expected and how long each answer took."""

    def __init__(self, app: Flask) -> None:
        """Create what is listed."""
        self.world = World(app, FEATURES)
        self.client = self.world.client("admin")
        self.before = self.world.tables()
        self.faults: list[str] = []
        self.seconds: list[float] = []
        self.lists = lists(app)

    def ask(self, listed: Listed, query: str | dict[str, str], statuses: set[int], *, empty: bool = False) -> None:
        """Ask one list."""
        began = time.perf_counter()
        response = self.client.get(self.world.path(listed.route), query_string=query)
        self.seconds.append(time.perf_counter() - began)
        found = response.get_json()
        items = found.get("data") if isinstance(found, dict) else found
        if response.status_code not in statuses or (empty and response.status_code == 200 and items != []):
            self.faults.append(f"{listed.route} with {query}: {response.status_code} {response.text[:200]}")

    def judge(self) -> None:
        """Fail for what was noted."""
        assert self.faults == [], "\n".join(self.faults)
        assert self.world.tables() == self.before
        assert sorted(self.seconds)[int(len(self.seconds) * 0.99)] < MOST_SECONDS, max(self.seconds)


@pytest.fixture
def attack(app: Flask) -> Attack:
    """Create what is listed."""
    return Attack(app)


class TestLists:
    def test_are_many(self, app: Flask) -> None:
        assert len(lists(app)) > 15

    def test_find_nothing_by_an_injection(self, attack: Attack) -> None:
        for listed in attack.lists:
            for name in sorted(name for name in listed.names if name.endswith(TEXTS)):
                for text in INJECTIONS:
                    attack.ask(listed, {name: text}, {200, 404, 422}, empty=text not in ("_", "%", "\\"))
        attack.judge()

    def test_take_no_order_that_they_do_not_name(self, attack: Attack) -> None:
        for listed in (listed for listed in attack.lists if "sort" in listed.names):
            for order in ORDERS:
                attack.ask(listed, {"sort": order}, {422})
        attack.judge()

    def test_have_pages_of_a_bounded_size(self, attack: Attack) -> None:
        for listed in attack.lists:
            refused = {422} if "<" not in listed.route else {404, 422}
            for name in ("limit", "offset", "page", "per_page", "after"):
                attack.ask(listed, {name: HUGE}, refused)
            attack.ask(listed, {"limit": "0"}, refused)
            attack.ask(listed, {"limit": "-1"}, refused)
            attack.ask(listed, {"limit": "1001"}, refused)
        attack.judge()

    def test_take_no_filter_a_hundred_times(self, attack: Attack) -> None:
        for listed in attack.lists:
            for name in sorted(listed.names - {"fields"}):
                attack.ask(listed, "&".join([f"{name}={NOWHERE}"] * 100), {200, 404, 414, 422}, empty=True)
                if name.endswith("__in"):
                    attack.ask(listed, {name: ",".join([NOWHERE] * 100)}, {200, 414, 422}, empty=True)
        attack.judge()

    def test_read_no_pattern(self, attack: Attack) -> None:
        for listed in attack.lists:
            for name in sorted(name for name in listed.names if name.endswith(TEXTS)):
                for pattern in PATTERNS:
                    attack.ask(listed, {name: pattern}, {200, 404, 422}, empty=True)
        attack.judge()
