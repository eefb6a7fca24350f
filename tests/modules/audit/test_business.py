"""Rules about what was done."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from application.database import change, execute, transaction
from application.libs.clock import now
from application.libs.ident import new_id
from application.libs.record import Record
from application.modules.audit import business
from application.modules.audit.models import Audit
from tests.tables import count_rows


class NoteRow(Record):
    id: str
    title: str
    tags: tuple[str, ...] = ()
    password: str | None = None


def last() -> business.AuditRow:
    return business.search(limit=1).items[0]


@pytest.mark.usefixtures("unit")
class TestRecord:
    def test_says_who_did_what_to_what_and_when(self) -> None:
        before = now()
        business.record("note.create", "7", "Hello", after=NoteRow("7", "Hello", ("a",)))
        row = last()
        assert before <= row.at <= now()
        assert (row.actor_id, row.actor_name, row.action) == (None, "system", "note.create")
        assert (row.subject_kind, row.subject_id, row.subject_name) == ("note", "7", "Hello")
        assert (row.before, row.after) == (None, {"title": "Hello", "tags": ["a"], "password": None})
        assert row.address is None
        assert business.get(row.id) == row

    def test_keeps_of_a_change_what_differs(self) -> None:
        business.record("note.update", "7", before=NoteRow("7", "a", ("x",)), after=NoteRow("7", "b", ("x",)))
        assert (last().before, last().after) == ({"title": "a"}, {"title": "b"})

    def test_keeps_nothing_where_nothing_differs(self) -> None:
        business.record(
            "note.update", "7", before={"title": "a", "updated_at": 1}, after={"title": "a", "updated_at": 2}
        )
        assert business.search(limit=1).items == []

    def test_masks_secrets_but_tells_that_they_differ(self) -> None:
        business.record(
            "note.update", "7", before=NoteRow("7", "a", password="one"), after=NoteRow("7", "a", password="two")
        )
        assert (last().before, last().after) == ({"password": "***"}, {"password": "***"})
        business.record("note.create", "7", after={"url": "redis://:pa55@cache/0", "kwargs": {"api_key": "k"}})
        assert last().after == {"url": "redis://:***@cache/0", "kwargs": {"api_key": "***"}}

    def test_takes_what_json_cannot_hold(self) -> None:
        business.record("note.create", after={"day": date(2026, 1, 2), "by_number": {1: b"\x00"}, "kind": NoteRow})
        after = last().after
        assert after is not None
        assert (after["day"], after["by_number"], "NoteRow" in after["kind"]) == ("2026-01-02", {"1": "AA=="}, True)

    def test_leaves_out_what_is_very_long(self) -> None:
        business.record("note.create", "7" * 300, "n" * 300, after={"title": "Hello", "content": "x" * 5000})
        row = last()
        assert row.after == {"title": "Hello", "content": "left out, 5002 bytes"}
        assert (row.subject_id, row.subject_name) == ("7" * 191, "n" * 200)


class TestCommit:
    def test_is_that_of_the_change(self, app: Flask) -> None:
        with app.app_context(), pytest.raises(ZeroDivisionError), transaction():
            business.record("note.delete", "7")
            raise ZeroDivisionError
        assert count_rows(app, "audit") == 0


@pytest.mark.usefixtures("unit")
class TestRecordAll:
    def test_writes_one_statement_for_many(self) -> None:
        business.record_all("job.pause", [("a", "A"), ("b", None)])
        business.record_all("job.pause", [])
        found = business.search(limit=9, sort="at").items
        assert [(row.action, row.subject_id, row.subject_name) for row in found] == [
            ("job.pause", "a", "A"),
            ("job.pause", "b", None),
        ]


@pytest.mark.usefixtures("unit")
class TestGet:
    def test_finds_nothing_that_was_not_done(self) -> None:
        with pytest.raises(business.AuditNotFound):
            business.get(new_id())


class TestRows:
    def test_are_never_changed_not_even_past_the_rules(self, app: Flask) -> None:
        with app.app_context():
            with transaction():
                business.record("note.create", "7", "Hello")
            with pytest.raises(DBAPIError, match="the rows of audit are never changed"), transaction():
                change(sa.update(Audit).values(actor_name="somebody else"))
            with transaction(write=False):
                assert execute(sa.select(Audit.actor_name)).scalars().all() == ["system"]


@pytest.mark.usefixtures("unit")
class TestPrune:
    def test_deletes_what_is_older_than_its_days(self) -> None:
        business.record("note.create", "young")
        young = last()
        old = sa.insert(Audit).values(actor_name="ada", action="note.create", subject_kind="note", subject_id="old")
        change(old, id=new_id(), at=now() - timedelta(days=31))
        assert business.prune(keep_days=32) == 0
        assert business.prune(keep_days=30) == 1
        assert business.search(limit=9).items == [young]
        assert business.prune(keep_days=30) == 0
