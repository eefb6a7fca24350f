"""Which processes compete, on a real database."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.modules.scheduler.business import member
from application.modules.scheduler.business.lease import Holder
from application.modules.scheduler.models import Member
from tests.modules.scheduler.conftest import Ledger, Start, job

ONE, TWO = Holder("1@here", "here", 1), Holder("2@there", "there", 2)


def members(app: Flask) -> list[member.MemberRow]:
    with app.app_context(), transaction(write=False):
        return list(member.search())


def show(app: Flask, holder: Holder, **ago: float) -> None:
    with app.app_context(), transaction():
        member.show(holder, clock.now() - timedelta(**ago))


class TestShow:
    def test_adds_a_process_once(self, app: Flask) -> None:
        show(app, ONE, seconds=20)
        assert [(one.host, one.process, one.leads, one.is_stale) for one in members(app)] == [("here", 1, False, True)]
        show(app, ONE)
        (one,) = members(app)
        assert (one.is_stale, one.since < one.seen_at) == (False, True)

    def test_forgets_who_was_not_seen_for_a_day(self, app: Flask) -> None:
        show(app, ONE, days=1, seconds=1)
        show(app, TWO)
        assert [one.host for one in members(app)] == ["there"]

    def test_leave_takes_one_away(self, app: Flask) -> None:
        show(app, ONE)
        show(app, TWO)
        with app.app_context(), transaction():
            member.leave(ONE)
        assert [one.host for one in members(app)] == ["there"]


class TestEngine:
    def test_shows_itself_until_it_stops(self, app: Flask, node: Start, ledger: Ledger) -> None:
        first, second = node(job("tidy")), node(job("tidy"))
        first.tick()
        second.tick()
        ledger.wait(lambda: len(members(app)) == 2)
        assert sorted(one.leads for one in members(app)) == [False, True]
        first.stop()
        assert [one.leads for one in members(app)] == [False]
        second.tick()
        assert [one.leads for one in members(app)] == [True]
        second.stop()
        assert ledger.rows(sa.select(Member.name)) == []
