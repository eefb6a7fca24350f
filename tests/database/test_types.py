"""Ids and times are the same for Python on every database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import StatementError

from application.database import Id, UtcDateTime, change, db, execute, transaction
from application.libs.ident import new_id

METADATA = sa.MetaData()
THING = sa.Table(
    "thing", METADATA, sa.Column("id", Id, primary_key=True), sa.Column("moment", UtcDateTime, nullable=True)
)
ALL = sa.select(THING.c.id, THING.c.moment).order_by(THING.c.moment)


@pytest.fixture
def thing(counting: Flask) -> Iterator[Flask]:
    """Lend an application with the table, and a unit of work that is open."""
    with counting.app_context():
        METADATA.create_all(db.engine)
        with transaction():
            yield counting
        METADATA.drop_all(db.engine)


class TestUtcDateTime:
    @pytest.mark.parametrize(
        "moment",
        [
            datetime(2030, 1, 31, 12, tzinfo=UTC),
            datetime(2030, 1, 31, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=-14))),
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(8999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            None,
        ],
    )
    def test_comes_back_in_utc(self, thing: Flask, moment: datetime | None) -> None:
        key = new_id()
        change(THING.insert(), id=key, moment=moment)
        found = execute(sa.select(THING.c.moment).where(THING.c.id == key)).scalar_one()
        assert found == moment
        assert found is None or found.utcoffset() == timedelta(0)

    def test_sorts_and_compares_as_time(self, thing: Flask) -> None:
        moments = [
            datetime(2030, 1, 1, hour, 0, 0, micro, tzinfo=UTC) for hour in (0, 9, 10) for micro in (0, 1, 100_000)
        ]
        for moment in reversed(moments):
            change(THING.insert(), id=new_id(), moment=moment.astimezone(timezone(timedelta(hours=moment.hour))))
        assert [row.moment for row in execute(ALL)] == moments
        later = execute(ALL.where(THING.c.moment > moments[4])).all()
        assert [row.moment for row in later] == moments[5:]

    def test_refuses_a_naive_time(self, thing: Flask) -> None:
        naive = datetime(2030, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        with pytest.raises(StatementError, match="has no time zone; use an aware time"):
            change(THING.insert(), id=new_id(), moment=naive)

    def test_is_a_datetime_for_python(self) -> None:
        assert UtcDateTime().python_type is datetime


class TestId:
    def test_comes_back_as_text(self, thing: Flask) -> None:
        key = new_id()
        change(THING.insert(), id=key, moment=None)
        assert execute(sa.select(THING.c.id)).scalars().all() == [key]
        assert execute(sa.select(THING.c.id).where(THING.c.id == key)).scalar_one() == key
        assert execute(sa.select(THING.c.id).where(THING.c.id.in_([key]))).scalar_one() == key

    def test_sorts_alike(self, thing: Flask) -> None:
        keys = sorted(new_id() for _ in range(20))
        for key in reversed(keys):
            change(THING.insert(), id=key, moment=None)
        assert execute(sa.select(THING.c.id).order_by(THING.c.id)).scalars().all() == keys

    @pytest.mark.parametrize(
        ("url", "kind"),
        [("sqlite://", "CHAR(36)"), ("postgresql+psycopg://", "UUID"), ("mariadb+pymysql://", "UUID")],
    )
    def test_is_native_where_it_can_be(self, url: str, kind: str) -> None:
        assert Id().compile(dialect=sa.make_url(url).get_dialect()()) == kind
        assert Id().python_type is str
