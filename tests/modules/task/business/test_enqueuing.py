"""A task is there exactly if the unit of work commits that enqueued it."""

from datetime import timedelta
from typing import Any, cast

import pytest
from flask import Flask

from application.database import transaction
from application.libs.arguments import InvalidArguments
from application.libs.clock import now
from application.libs.declaration import DeclarationError
from application.modules.task.business import UniqueKeyTaken, Wish, enqueue, enqueue_as
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows
from tests.parallel import at_once


class Rung:
    """Be a bell that notes who was rung for."""

    again_seconds = 5.0

    def __init__(self) -> None:
        self.ids: list[str] = []

    def ring(self, task_id: str, queue: str, priority: int) -> None:
        self.ids.append(task_id)


@pytest.fixture
def bell(app: Flask) -> Any:
    before, app.extensions["bell"] = app.extensions["bell"], Rung()
    yield app.extensions["bell"]
    app.extensions["bell"] = before


class TestEnqueue:
    def test_rings_once_it_is_committed(self, app: Flask, rows: Rows, bell: Rung) -> None:
        with app.app_context(), transaction():
            task_id = enqueue(specimen.add, 1, right=2)
            assert bell.ids == []
        row = rows.get(task_id)
        assert bell.ids == [task_id]
        assert (row.name, row.state, row.queue, row.rank) == ("task.add", "queued", "default", 5)
        assert row.due_at > now() + timedelta(seconds=3)

    def test_leaves_nothing_of_what_is_rolled_back(self, app: Flask, rows: Rows, bell: Rung) -> None:
        with pytest.raises(RuntimeError), app.app_context(), transaction():
            enqueue(specimen.add, 1, 2)
            raise RuntimeError
        assert (rows.all(), bell.ids) == ([], [])

    @pytest.mark.usefixtures("unit")
    def test_refuses_what_does_not_fit_the_function(self) -> None:
        with pytest.raises(InvalidArguments) as caught:
            enqueue(cast("Any", specimen.add), "one", 2)
        assert caught.value.errors[0]["loc"] == ["args", 0]

    @pytest.mark.usefixtures("unit")
    def test_refuses_a_function_that_is_no_task(self) -> None:
        with pytest.raises(DeclarationError, match=r"task\(business\.function\)"):
            enqueue(specimen.unique_name)

    def test_waits_for_its_time(self, app: Flask, rows: Rows, bell: Rung) -> None:
        eta = now() + timedelta(hours=1)
        task_id = rows.enqueue(specimen.add, Wish(eta=eta, queue="mail", priority=12), left=1, right=2)
        row = rows.get(task_id)
        assert (row.state, row.due_at, row.queue, row.rank, bell.ids) == ("scheduled", eta, "mail", 0, [])

    def test_expires_as_declared_or_as_asked(self, rows: Rows) -> None:
        until = now() + timedelta(hours=1)
        assert rows.get(rows.enqueue(specimen.add, Wish(expires_at=until), left=1, right=2)).expires_at == until
        assert rows.get(rows.enqueue(specimen.brief)).expires_at < now() + timedelta(seconds=1)


class TestUniqueKey:
    def test_makes_it_the_same_task(self, app: Flask, rows: Rows, bell: Rung) -> None:
        wish = Wish(unique_key="report of May")
        first = rows.enqueue(specimen.add, wish, left=1, right=2)
        assert rows.enqueue(specimen.add, wish, left=3, right=4) == first
        assert (len(rows.all()), bell.ids) == (1, [first])

    def test_does_so_within_one_unit(self, app: Flask, rows: Rows) -> None:
        with app.app_context(), transaction():
            ids = {enqueue_as(Wish(unique_key="one"), specimen.add, 1, 2) for _ in range(3)}
        assert len(ids) == len(rows.all()) == 1

    def test_does_so_for_many_at_once(self, rows: Rows) -> None:
        ids = at_once([lambda: rows.enqueue(specimen.add, Wish(unique_key="one"), left=1, right=2)] * 8)
        assert len(set(ids)) == len(rows.all()) == 1

    def test_is_one_task_s_alone(self, rows: Rows) -> None:
        rows.enqueue(specimen.add, Wish(unique_key="one"), left=1, right=2)
        with pytest.raises(UniqueKeyTaken, match=r"task\.add"):
            rows.enqueue(specimen.write, Wish(unique_key="one"), name="x")

    def test_is_never_cut(self, rows: Rows) -> None:
        with pytest.raises(ValueError, match="191"):
            rows.enqueue(specimen.add, Wish(unique_key="x" * 192), left=1, right=2)
