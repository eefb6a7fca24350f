"""A row is inserted, or changed where its key is taken, in one statement on each database."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import execute, transaction
from application.database.unit import OutsideUnit
from application.database.upsert import Changes, Upsert
from application.libs.clock import now
from application.modules.scheduler.models import Member
from tests.statements import statements


def _changes(new: Any) -> Changes:
    return (
        ("host", Member.host + new.host),
        ("process", sa.case((Member.process < sa.bindparam("most"), Member.process + new.process), else_=0)),
    )


UPSERT = Upsert(Member, _changes, returning=(Member.host, Member.process))


def put(name: str, host: str, process: int) -> tuple[Any, ...]:
    moment = now()
    return tuple(UPSERT.run(name=name, host=host, process=process, since=moment, seen_at=moment, most=5))


class TestUpsert:
    def test_inserts_what_is_not_there_and_changes_what_is(self, app: Flask) -> None:
        with app.app_context():
            with statements(app) as seen, transaction():
                assert [put("a", host, 4) for host in ("x", "y", "z")] == [("x", 4), ("xy", 8), ("xyz", 0)]
                assert put("b", "x", 1) == ("x", 1)
            assert [one.split()[0] for one in seen] == ["INSERT"] * 4
            with transaction(write=False):
                found = execute(sa.select(Member.name, Member.process).order_by(Member.name)).all()
        assert [tuple(row) for row in found] == [("a", 0), ("b", 1)]

    def test_is_refused_to_a_reader(self, app: Flask) -> None:
        with app.app_context(), transaction(write=False), pytest.raises(OutsideUnit):
            put("a", "x", 1)
