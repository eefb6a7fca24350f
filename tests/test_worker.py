"""Workers that real brokers ring for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from application import worker
from tests.applications import migrated
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows
from tests.services import fresh_database
from tests.tables import count_rows
from tests.task_processes import START_SECONDS, Broker, Workers, broker, producer
from tests.waiting import wait_until


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def ringing(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with broker(request.param) as made:
        yield made


@pytest.mark.timed
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_does_what_a_broker_rings_for(ringing: Broker, pool: str, tmp_path: Path) -> None:
    with fresh_database("sqlite", tmp_path) as url:
        with migrated(url, tmp_path):
            pass
        workers = Workers(url, tmp_path, ringing, pool=pool)
        with producer(url, tmp_path, ringing) as app, workers.running():
            rows = Rows(app)
            ids = [rows.enqueue(specimen.add, left=number, right=1) for number in range(20)]
            slow = rows.enqueue(specimen.count, steps=3)
            for task_id in [*ids, slow]:
                row = rows.await_state(task_id, "done", seconds=START_SECONDS)
                assert (row.attempt, row.losses) == (1, 0), workers.said()
            assert {rows.get(task_id).process for task_id in ids} != {None}
            assert workers.stop() < START_SECONDS
    assert "Traceback" not in workers.said()


@pytest.mark.timed
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_waits_at_its_end_for_what_a_task_called_in_the_background(ringing: Broker, pool: str, tmp_path: Path) -> None:
    with fresh_database("sqlite", tmp_path) as url:
        with migrated(url, tmp_path):
            pass
        workers = Workers(url, tmp_path, ringing, pool=pool)
        with producer(url, tmp_path, ringing) as app, workers.running():
            rows = Rows(app)
            task_id = rows.enqueue(specimen.write_later, name="later")
            wait_until(lambda: rows.get(task_id).state == "done", START_SECONDS, workers.said)
            assert count_rows(app, "tag") == 0
            assert workers.stop() < START_SECONDS
            assert count_rows(app, "tag", name="later") == 1


def test_is_built_only_when_it_is_asked_for() -> None:
    with pytest.raises(AttributeError, match="no attribute 'app'"):
        worker.__getattr__("app")
