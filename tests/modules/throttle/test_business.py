"""Rules about attempts, each place a row."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import execute, transaction
from application.libs.clock import now, ruled_by
from application.modules.throttle import business
from application.modules.throttle.business import LOGIN_ACCOUNT, LOGIN_ADDRESS, Limit, LimitRow, Throttled
from application.modules.throttle.models import Throttle
from tests.parallel import at_once
from tests.statements import statements

LIMIT = Limit("specimen", most=3, per_seconds=60)
HOME = "192.0.2.1"


@pytest.fixture
def in_unit(app: Flask) -> Callable[[Callable[[], object]], str]:
    """Return a function that runs a rule in a unit of its own, and returns how long to wait where it is refused."""

    def run(rule: Callable[[], object]) -> str:
        try:
            with app.app_context(), transaction():
                rule()
        except Throttled as refusal:
            return refusal.headers["Retry-After"]
        return ""

    return run


InUnit = Callable[[Callable[[], object]], str]


def later(**units: float) -> datetime:
    return now() + timedelta(**units)


def at(moment: datetime) -> AbstractContextManager[None]:
    return ruled_by(lambda: moment)


def login(name: str, remote: str = HOME) -> Callable[[], None]:
    return partial(business.take_login, name, remote)


class TestTake:
    def test_gives_as_many_places_as_there_are_and_says_when_to_come_back(self, in_unit: InUnit) -> None:
        moment = now()
        with at(moment):
            assert [in_unit(partial(business.take, LIMIT, "ada")) for _ in range(5)] == ["", "", "", "60", "60"]
            assert in_unit(partial(business.take, LIMIT, "bob")) == ""
            assert in_unit(partial(business.take, Limit("other", 1, 60), "ada")) == ""

    def test_is_not_put_off_by_who_goes_on_asking(self, in_unit: InUnit) -> None:
        began = now()
        for seconds, answers in ((0, ["", "", "", "60"]), (59.5, ["1"]), (60, ["", "", "", "60"])):
            moment = began + timedelta(seconds=seconds)
            with at(moment):
                assert [in_unit(partial(business.take, LIMIT, "ada")) for _ in answers] == answers

    def test_gives_no_more_places_to_many_at_once(self, app: Flask, in_unit: InUnit) -> None:
        answers = at_once([partial(in_unit, partial(business.take, LIMIT, "ada"))] * 20)
        assert answers.count("") == LIMIT.most
        with app.app_context(), transaction(write=False):
            row = execute(sa.select(Throttle.taken, Throttle.refused)).one()
        assert tuple(row) == (LIMIT.most, 20 - LIMIT.most)

    def test_writes_down_nobody(self, app: Flask, in_unit: InUnit) -> None:
        in_unit(login("Ada Lovelace"))
        with app.app_context(), transaction(write=False):
            rows = str(execute(sa.select(Throttle)).mappings().all()).lower()
        assert "ada" not in rows
        assert HOME not in rows


@pytest.mark.usefixtures("unit")
class TestGiveBack:
    def test_makes_room_for_one(self) -> None:
        for _ in range(LIMIT.most):
            business.take(LIMIT, "ada")
        with pytest.raises(Throttled):
            business.take(LIMIT, "ada")
        business.give_back(LIMIT, "ada")
        business.take(LIMIT, "ada")
        with pytest.raises(Throttled):
            business.take(LIMIT, "ada")

    def test_gives_nobody_more_places_than_there_are(self) -> None:
        for _ in range(3):
            business.give_back(LIMIT, "ada")
        business.take(LIMIT, "ada")
        for _ in range(3):
            business.give_back(LIMIT, "ada")
        for _ in range(LIMIT.most):
            business.take(LIMIT, "ada")
        assert business.is_held_back(LIMIT, "ada")


@pytest.mark.usefixtures("unit")
class TestClear:
    def test_forgets_who_was_never_refused(self) -> None:
        business.take(LIMIT, "ada")
        business.take(LIMIT, "bob")
        business.clear(LIMIT, "ada")
        assert execute(sa.select(sa.func.count()).select_from(Throttle)).scalar_one() == 1

    def test_makes_room_and_remembers_the_refusal(self) -> None:
        for _ in range(LIMIT.most):
            business.take(LIMIT, "ada")
        with pytest.raises(Throttled):
            business.take(LIMIT, "ada")
        business.clear(LIMIT, "ada")
        assert not business.is_held_back(LIMIT, "ada")
        assert execute(sa.select(Throttle.taken, Throttle.refused)).one() == (0, 1)


@pytest.mark.usefixtures("unit")
class TestIsHeldBack:
    def test_ends_with_the_time(self) -> None:
        for _ in range(LIMIT.most):
            assert not business.is_held_back(LIMIT, "ada")
            business.take(LIMIT, "ada")
        assert business.is_held_back(LIMIT, "ada")
        over = later(seconds=LIMIT.per_seconds)
        with at(over):
            assert not business.is_held_back(LIMIT, "ada")


class TestTakeLogin:
    def test_counts_a_name_however_it_is_written(self, in_unit: InUnit) -> None:
        names = ["ada", "ADA", " ada ", "\uff41da", "aDa"]
        answers = [in_unit(login(name)) for name in [*names, "ada"]]
        assert answers[:5] == [""] * 5
        assert answers[5]
        assert in_unit(login("ada", "192.0.2.2"))

    def test_counts_all_names_of_an_address(self, in_unit: InUnit) -> None:
        answers = at_once([partial(in_unit, login(f"n{number}", "2001:db8::1")) for number in range(40)])
        assert answers.count("") == LOGIN_ADDRESS.most
        assert in_unit(login("ada", "2001:db8::2"))
        assert in_unit(login("ada", "2001:db8:0:1::2")) == ""

    def test_takes_no_place_of_the_address_for_a_name_that_is_held_back(self, app: Flask, in_unit: InUnit) -> None:
        for _ in range(LOGIN_ACCOUNT.most + 50):
            in_unit(login("ada"))
        assert in_unit(login("bob")) == ""

    def test_takes_no_place_of_a_name_for_an_address_that_is_held_back(self, app: Flask, in_unit: InUnit) -> None:
        for number in range(LOGIN_ADDRESS.most):
            in_unit(login(f"n{number}"))
        for _ in range(LOGIN_ACCOUNT.most):
            assert in_unit(login("ada"))
        assert in_unit(login("ada", "192.0.2.2")) == ""


class TestCheckLogin:
    def test_only_reads_where_there_is_room(self, app: Flask) -> None:
        with app.app_context(), statements(app) as seen, transaction(write=False) as unit:
            business.check_login("ada", HOME)
            assert not unit.writes
        assert [one.split()[0] for one in seen] == ["SELECT", "SELECT"]

    def test_refuses_and_counts_that_where_there_is_none(self, app: Flask, in_unit: InUnit) -> None:
        for _ in range(LOGIN_ACCOUNT.most):
            in_unit(login("ada"))
        with app.app_context(), pytest.raises(Throttled), transaction(write=False):
            business.check_login("ada", HOME)
        with app.app_context(), transaction(write=False):
            assert [row.refused for row in business.figures()] == [1] + [0] * (len(business.LIMITS) - 1)


class TestForgiveLogin:
    def test_forgets_the_name_and_gives_the_address_one_place_back(self, app: Flask, in_unit: InUnit) -> None:
        for _ in range(3):
            in_unit(login("ada"))
        in_unit(lambda: business.forgive_login("Ada", HOME))
        with app.app_context(), transaction(write=False):
            assert execute(sa.select(Throttle.scope, Throttle.taken)).all() == [(LOGIN_ADDRESS.scope, 2)]

    def test_meets_who_takes_places_meanwhile(self, in_unit: InUnit) -> None:
        def come_and_go() -> str:
            answer = in_unit(login("ada"))
            return answer or in_unit(lambda: business.forgive_login("ada", HOME))

        for _ in range(5):
            at_once([come_and_go] * 8)
        assert in_unit(login("ada")) == ""


@pytest.mark.usefixtures("unit")
class TestFigures:
    def test_tell_how_many_are_counted_held_back_and_were_refused(self) -> None:
        began = now()
        for name, times in (("ada", 7), ("bob", 5), ("eve", 1)):
            for _ in range(times):
                try:
                    business.take_login(name, HOME)
                except Throttled:
                    continue
        account, address, *others = business.figures()
        assert account.since is not None
        assert began <= account.since <= now()
        assert account == LimitRow("login-account", 5, 300, counted=3, held_back=2, refused=2, since=account.since)
        assert address == LimitRow("login-address", 30, 300, counted=1, held_back=0, refused=0, since=None)
        assert {(other.counted, other.refused) for other in others} == {(0, 0)}
        over = later(seconds=300)
        with at(over):
            account, *_others = business.figures()
        assert (account.counted, account.held_back, account.refused) == (0, 0, 2)


@pytest.mark.usefixtures("unit")
class TestPrune:
    def test_deletes_what_is_over_and_keeps_who_was_refused_for_a_day(self) -> None:
        business.take(Limit("longer", most=1, per_seconds=10**6), "ada")
        for name, times in (("ada", 4), ("bob", 3)):
            for _ in range(times):
                try:
                    business.take(LIMIT, name)
                except Throttled:
                    continue
        assert business.prune() == 0
        for units, deleted in (({"seconds": 60}, 1), ({"hours": 23}, 0), ({"days": 1, "seconds": 60}, 1)):
            moment = later(**units)
            with at(moment):
                assert business.prune() == deleted
        assert business.is_held_back(Limit("longer", most=1, per_seconds=10**6), "ada")
