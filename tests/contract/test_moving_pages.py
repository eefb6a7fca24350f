"""Pages while rows come and go: what was there throughout is seen exactly once, in every order, on every database."""

from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam

from application.database import change, transaction
from tests.contract import specimen
from tests.contract.specimen_table import TABLE
from tests.contract.test_round_trip import keep
from tests.links import next_url

URL = "/api/v1/specimen"

BUDGET = settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

ROWS = st.tuples(st.text("aAbÉ中 %", min_size=1, max_size=3), st.integers(-2, 2), st.integers(0, 2))
MEANWHILE = st.lists(st.one_of(ROWS.map(lambda row: ("insert", row)), st.tuples(st.just("delete"), st.integers(0, 30))))
DELETE = TABLE.delete().where(TABLE.c.id == bindparam("key"))


class Shelf:
    """Hold rows that come and go, and remember which were there throughout."""

    def __init__(self, app: Flask, rows: list[Any]) -> None:
        self.app = app
        with app.app_context(), transaction():
            change(TABLE.delete())
            self.rows = {row["id"]: row for row in (keep(*values) for values in rows)}
        self.ever = dict(self.rows)
        self.throughout = set(self.rows)

    def change(self, actions: list[Any]) -> None:
        with self.app.app_context(), transaction():
            for action, value in actions:
                if action == "insert":
                    row = keep(*value)
                    self.rows[row["id"]] = self.ever[row["id"]] = row
                elif self.rows:
                    key = sorted(self.rows)[value % len(self.rows)]
                    change(DELETE, key=key)
                    del self.rows[key]
                    self.throughout.discard(key)


class TestPages:
    @BUDGET
    @given(
        rows=st.lists(ROWS, max_size=12),
        meanwhile=st.lists(MEANWHILE, max_size=6),
        sort=st.sampled_from(specimen.ORDERS.names()),
        limit=st.integers(1, 4),
        small=st.none() | st.integers(-1, 1),
    )
    def test_hold_what_was_there_throughout_once(
        self,
        specimen_app: Flask,
        rows: list[Any],
        meanwhile: list[list[Any]],
        sort: str,
        limit: int,
        small: int | None,
    ) -> None:
        shelf, client = Shelf(specimen_app, rows), specimen_app.test_client()
        seen: list[str] = []
        url = f"{URL}?limit={limit}&sort={sort}" + ("" if small is None else f"&small__gte={small}")
        while url:
            response = client.get(url)
            assert response.status_code == 200, response.text
            page = [item["id"] for item in response.get_json()["data"]]
            assert len(page) <= limit
            assert set(page) <= set(shelf.rows)
            seen += page
            url = next_url(response)
            if meanwhile:
                shelf.change(meanwhile.pop())
        wanted = {key for key, row in shelf.ever.items() if small is None or row["small"] >= small}
        assert len(seen) == len(set(seen))
        assert shelf.throughout & wanted <= set(seen) <= wanted
