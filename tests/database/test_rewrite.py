"""Many rows get values of their own, in few statements on each database."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, db, execute, rewrite, transaction
from application.database.unit import OutsideUnit
from application.libs.clock import now
from application.modules.scheduler.models import Member
from tests.statements import statements


def rows(count: int) -> list[dict[str, Any]]:
    """Return members, of which each is another one."""
    moment = now()
    return [
        {"name": f"é-{number}", "host": f"host {number}", "process": number, "since": moment, "seen_at": moment}
        for number in range(count)
    ]


class TestRewrite:
    def test_gives_each_row_its_own_values(self, app: Flask) -> None:
        before = rows(300)
        after = [{**row, "host": f"{row['host']}'s\\ 🙂", "process": row["process"] * 2} for row in before[10:]]
        with app.app_context():
            with transaction():
                change(sa.insert(Member), before)
            with statements(app) as seen, transaction() as unit:
                asked = self.asked(unit)
                rewrite(Member, after, ["host"])
                assert self.asked(unit) - asked <= 2
            assert len([one for one in seen if not one.startswith("SHOW")]) == 1
            with transaction(write=False):
                found = execute(sa.select(Member.__table__).order_by(Member.process)).mappings().all()
        expected = [*before[:10], *({**row, "process": row["process"] // 2} for row in after)]
        assert [dict(row) for row in found] == expected

    def test_does_nothing_with_none(self, app: Flask) -> None:
        with app.app_context(), statements(app) as seen, transaction():
            rewrite(Member, [], ["host"])
        assert seen == []

    def test_is_refused_to_a_reader(self, app: Flask) -> None:
        with app.app_context(), transaction(write=False), pytest.raises(OutsideUnit):
            rewrite(Member, rows(2), ["host"])

    @staticmethod
    def asked(unit: Any) -> int:
        """Return how often this connection has asked a MariaDB server."""
        if db.engine.dialect.name != "mysql":
            return 0
        return int(unit.connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Questions'").one()[1])
