"""What a page costs does not grow with its list: each order is the walk of an index, from where the cursor stands."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from application.database import Base, execute, transaction
from application.database.filter import Filters
from application.database.keyset import Orders
from application.libs.ident import new_id
from application.libs.page import encode_cursor
from application.libs.redprint import Mounted
from application.modules.scheduler.business import run as runs
from application.modules.scheduler.models import EventBatch, Feed, Job
from application.permissions import Role
from tests.applications import migrated
from tests.conftest import Caller
from tests.contract import crowd
from tests.contract.crowd import Crowd
from tests.contract.lists import lists_of
from tests.plans import Plan, analyze, explain
from tests.services import DATABASES, fresh_database
from tests.statements import questions

CHOICE = ("eq", "in")
"""The operators by which an index is entered at one value or some."""


WHOLE, SORTED, PASSED = "is read whole", "all that is found is sorted", "the cursor enters no index"


class Excuse(NamedTuple):
    """Say why some pages of a list cost more: those of the filters that begin so, in these orders, or in any."""

    reason: str
    filters: str = ""
    orders: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    faults: tuple[str, ...] = (SORTED, PASSED)

    def covers(self, filters: str, order: str, caller: str, database: str) -> bool:
        """Tell whether this excuses what was asked; what it does not name it excuses whatever it is."""
        named = ((order, self.orders), (caller, self.callers), (database, self.databases))
        return filters.startswith(self.filters) and all(value in known or not known for value, known in named)


class Listed(NamedTuple):
    """Say by what filters a list is asked, beside none, and what is excused."""

    filters: tuple[str, ...] = ()
    excuses: tuple[Excuse, ...] = ()
    rare: tuple[str, ...] = ()
    """What no row meets, one for each filter that has an index: nothing else is read for it."""
    orders: Orders | None = None
    """Where nobody may choose among them."""


class Order(NamedTuple):
    """Hold one order of a list: as it is asked for, by which column of which table, and a cursor in its middle."""

    sort: str
    table: str
    column: str
    cursor: str


ONE_ROW = Excuse("a name is one row's", "name")
SEVERAL = "several values are several walks of the index, which are merged by sorting"
BY_TAG = Excuse("a tag holds no times: its blogs are found by its index, and sorted, or all are walked", "tag")
OWN = ("title", "updated_at")
BLOGS_OF_ONE = "an author's blogs are few: they are found by their index and sorted by what is rarely asked for"
ONE_TITLE = Excuse("the blogs of one title are few", "title")
HALF = (
    "MariaDB enters an index by a value that half of the rows have, whatever follows, and passes over all entries in "
    "front of the cursor, a million in 0.1 s"
)
KEYS = Excuse("a user has fifty keys at most, and those that have expired are pruned", orders=("expires_at", "name"))


def _half(filters: str) -> Excuse:
    return Excuse(HALF, filters, databases=("mariadb",), faults=(PASSED,))


LISTS: Mapping[str, Listed] = {
    "/api/v1/audit": Listed(
        (
            "action=user.update",
            "action__in=user.update&action__in=blog.delete",
            "actor={ada}",
            "actor__in={ada}&actor__in={bob}",
            f"subject={crowd.SUBJECT}",
            f"subject__in={crowd.SUBJECT}&subject__in=job 8",
        ),
        (Excuse(SEVERAL, "action__in"), Excuse(SEVERAL, "actor__in"), Excuse(SEVERAL, "subject__in")),
        rare=("action=none", "actor={none}", "subject=none"),
    ),
    "/api/v1/blog": Listed(
        (
            "status=published",
            "status=draft",
            "title=title 7",
            "owner={ada}",
            "owner__in={ada}&owner__in={bob}",
            "tag={tag}",
            "tag__in={tag}&tag__in={rare}",
        ),
        (
            BY_TAG,
            Excuse(SEVERAL, "owner__in"),
            Excuse(BLOGS_OF_ONE, "owner", OWN),
            Excuse(BLOGS_OF_ONE, "status=draft"),
            ONE_TITLE,
        ),
        rare=("title=none", "owner={none}", "tag={none}"),
    ),
    "/api/v1/file": Listed(
        ("state=deleted", "owner={ada}"),
        (
            Excuse(
                "everybody's files in these orders are asked for by few, and each upload would pay for the indexes",
                orders=("name", "size"),
                callers=("root",),
                faults=(WHOLE, SORTED, PASSED),
            ),
            _half(""),
        ),
        rare=("state=pending", "owner={none}"),
    ),
    "/api/v1/key": Listed(("user_id={ada}",), (KEYS,), rare=("user_id={none}",)),
    "/api/v1/message": Listed(
        ("state=sent", f"recipient={crowd.ADDRESS}"),
        (_half("state=sent"),),
        rare=("state=bounced", "recipient=none"),
    ),
    "/api/v1/role": Listed(
        ("name=name 7",),
        (Excuse("people make roles: there are dozens", orders=("created_at",), faults=(WHOLE, SORTED, PASSED)),),
        rare=("name=none",),
    ),
    "/api/v1/session": Listed(
        ("user={ada}",),
        (
            Excuse("a user is signed in on some devices", "user"),
            Excuse("a user is signed in on some devices", callers=("ada",)),
            Excuse(
                "an index of it would be written for each session in each minute",
                orders=("last_seen_at",),
                faults=(WHOLE, SORTED, PASSED),
            ),
        ),
        rare=("user={none}",),
    ),
    "/api/v1/tag": Listed(("name=name 7",), (ONE_ROW,), rare=("name=none",)),
    "/api/v1/tag/<id:tag_id>/blogs": Listed(("title=title 7",), (BY_TAG._replace(filters=""),)),
    "/api/v1/task": Listed(
        (
            "name=message.deliver",
            "name__in=message.deliver&name__in=demo.count_slowly",
            "state=done",
            "state__in=done&state__in=failed",
            "created_by={ada}",
        ),
        (Excuse(SEVERAL, "name__in"), Excuse(SEVERAL, "state__in"), _half("name="), _half("state=")),
        rare=("name=none", "state=expired", "created_by={none}"),
    ),
    "/api/v1/user": Listed(
        ("name=name 7", "role=user"),
        (
            ONE_ROW,
            Excuse("a role holds no names or times: its users are found by its index, and sorted", "role"),
        ),
        rare=("name=none", "role=none"),
    ),
    "/api/v1/user/<id:user_id>/blogs": Listed(("title=title 7",), (Excuse(BLOGS_OF_ONE, orders=OWN), ONE_TITLE)),
    "/scheduler/jobs": Listed(),
    "/scheduler/jobs/<job_id>/runs": Listed(orders=runs.ORDERS),
    "/scheduler/runs": Listed(
        (f"job_id={crowd.JOB}", "status=succeeded", "status=failed"),
        (_half("status=succeeded"),),
        rare=("job_id=none", "status=lost"),
        orders=runs.ORDERS,
    ),
}
"""Every list, by its address."""


class World:
    """Hold the application whose tables are full, and who asks."""

    def __init__(self, app: Flask, database: str) -> None:
        """Fill the tables, and let the database look at them."""
        self.app = app
        self.database = database
        ada, root = Caller(app, "ada", Role.USER), Caller(app, "root", Role.ADMIN)
        self.clients: dict[str, FlaskClient] = {"nobody": app.test_client(), "ada": ada.client, "root": root.client}
        self.crowd = Crowd(ada.id, root.id)
        with app.app_context():
            self.crowd.fill()
            analyze()
        self.values = {
            "none": new_id(),
            "ada": ada.id,
            "bob": self.crowd.users[5],
            "tag": self.crowd.tags[0],
            "rare": self.crowd.tags[9],
        }
        self.lists = lists_of(app)

    def ask(self, caller: str, address: str, query: str) -> tuple[int, list[tuple[str, Any]]]:
        """Send a list's request; return its status and the statements it took, with their parameters."""
        path = re.sub("<.+?>", lambda match: self.in_path[match[0]], address)
        text = quote(query.format(**self.values), safe="=&@")
        with questions(self.app) as seen:
            response = self.clients[caller].get(path, query_string=text)
        return response.status_code, seen

    @property
    def in_path(self) -> dict[str, str]:
        """Return the values of the addresses' parameters."""
        return {"<id:tag_id>": self.values["tag"], "<id:user_id>": self.values["ada"], "<job_id>": crowd.JOB}

    def plans(self, statements: list[tuple[str, Any]]) -> Iterator[tuple[Plan, bool]]:
        """Yield the plan of each statement, and whether it is that of a page."""
        with self.app.app_context(), transaction(write=False) as unit:
            for statement, parameters in statements:
                yield explain(unit.connection, statement, parameters), "ORDER BY" in statement and "LIMIT" in statement

    def orders(self, address: str) -> Iterator[Order]:
        """Yield every order of a list."""
        chosen, fixed = self.lists[address].operation.orders, LISTS[address].orders
        if isinstance(chosen, Orders):
            for sort in chosen.names():
                yield self._order(chosen, sort, f"sort={sort}")
        elif fixed is not None:
            yield self._order(fixed, runs.NEWEST_FIRST, "")
        else:
            cursor = encode_cursor("next_run_time", ["default", f"id {crowd.FEWER // 2}", crowd.FEWER // 2])
            yield Order("limit=20", Job.__tablename__, "next_run_time", cursor)

    def _order(self, orders: Orders, sort: str, asked: str) -> Order:
        column, tie = orders._columns[sort.removeprefix("-")], orders._tie
        with self.app.app_context(), transaction(write=False):
            rows: int = execute(sa.select(sa.func.count(tie))).scalar_one()
            value, last = execute(sa.select(column, tie).order_by(column, tie).offset(rows // 2).limit(1)).one()
        text = value.isoformat() if isinstance(value, datetime) else value
        return Order(asked, column.table.name, column.name, encode_cursor(sort, [text, last]))


@pytest.fixture(scope="module", params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Fill a database; once for each kind of them."""
    folder: Path = tmp_path_factory.mktemp(f"plans-{request.param}")
    with fresh_database(request.param, folder) as url, migrated(url, folder, rate_limits_enabled=False) as app:
        yield World(app, request.param)


def faults(world: World, address: str, filters: str, order: Order, caller: str) -> Iterator[str]:
    """Yield what is wrong with the plans of a list's first page and of one in its middle."""
    excused = {
        fault
        for excuse in LISTS[address].excuses
        if excuse.covers(filters, order.column, caller, world.database)
        for fault in excuse.faults
    }
    for after in ("", f"after={order.cursor}"):
        query = "&".join(part for part in (filters, order.sort, after) if part)
        status, seen = world.ask(caller, address, query)
        if status in (401, 403):
            assert caller != "root", address
            return
        assert status == 200, (address, query)
        for plan, is_page in world.plans(seen):
            wrong = set(_page_faults(plan, order, after)) - excused if is_page else {WHOLE} if plan.whole else ()
            yield from (f"{what}: {caller} asks {address}?{query}\n{plan.text}" for what in wrong)


def _page_faults(plan: Plan, order: Order, after: str) -> Iterator[str]:
    if plan.whole:
        yield WHOLE
    if plan.sorts and plan.steps:  # without one, nothing can be found
        yield SORTED
    if after and plan.steps and not any(step.is_entered_by(order.column) for step in plan.steps_in(order.table)):
        yield PASSED


def rare_faults(world: World, address: str) -> Iterator[str]:
    """Yield where a filter that finds few rows or none is not answered by its index alone."""
    known = world.lists[address].operation.filters
    for filters in LISTS[address].rare:
        name = filters.partition("=")[0]
        column = known._known[name][0].column.name if isinstance(known, Filters) else name
        status, seen = world.ask("root", address, filters)
        assert status == 200, (address, filters)
        for plan, is_page in world.plans(seen):
            if is_page and plan.steps and not any(step.is_entered_by(column) for step in plan.steps):
                yield f"the filter enters no index: {address}?{filters}\n{plan.text}"


def event_faults(world: World) -> Iterator[str]:
    """Yield what is wrong with the plans of the scheduler's events, which are no pages and are asked for by number."""
    _status, seen = world.ask("root", "/scheduler/events", f"after={crowd.FEWER // 2}")
    plans = [plan for plan, _is_page in world.plans(seen)]
    for plan in plans:
        if plan.sorts or set(plan.whole) - {Feed.__tablename__}:  # which has one row
            yield plan.text
    if not any(step.is_entered_by("number") for plan in plans for step in plan.steps_in(EventBatch.__tablename__)):
        yield "the number enters no index"


def indexed_filters(item: Mounted) -> set[str]:
    """Return the filters of a list that choose rows by an index's first column."""
    known, query = item.operation.filters, item.operation.inputs["query"]
    if not isinstance(known, Filters):
        return set()
    return {
        name
        for name, (choice, operator) in known._known.items()
        if operator in CHOICE and name in query.model_fields and _begins_index(choice.column)
    }


def _begins_index(column: Any) -> bool:
    table = Base.metadata.tables[column.table.name]
    firsts = {next(iter(index.columns)).name for index in table.indexes}
    return column.name in firsts or bool(column.unique)


class TestLists:
    @pytest.mark.one_database
    def test_are_all_in_the_table(self, app: Flask) -> None:
        assert set(LISTS) == set(lists_of(app)), "say in LISTS how each list is asked, and take out what is no more"

    @pytest.mark.one_database
    def test_are_asked_by_every_filter_that_has_an_index(self, app: Flask) -> None:
        for address, item in lists_of(app).items():
            asked = {part.partition("=")[0] for filters in LISTS[address].filters for part in filters.split("&")}
            assert indexed_filters(item) - asked == set(), address
            if "<" not in address:  # a list within another resource may be entered by that
                rare = {filters.partition("=")[0] for filters in LISTS[address].rare}
                assert {name for name in indexed_filters(item) if "__" not in name} - rare == set(), address

    def test_walk_or_enter_an_index(self, world: World) -> None:
        found = [
            fault
            for address, listed in LISTS.items()
            for order in world.orders(address)
            for filters in ("", *listed.filters)
            for caller in world.clients
            for fault in faults(world, address, filters, order, caller)
        ]
        found += [fault for address in LISTS for fault in rare_faults(world, address)]
        found += event_faults(world)
        assert found == [], "\n\n".join(found)
