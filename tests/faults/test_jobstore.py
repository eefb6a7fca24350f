"""Processes that fire what a Redis keeps, and die between the ledger's commit and the word to Redis."""

import time
from collections.abc import Iterator

import pytest

from tests.faults.competition import AFTER_KILL_SECONDS, Competition
from tests.private_redis import PrivateRedis, private_redis

pytestmark = [pytest.mark.timed, pytest.mark.one_database]


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateRedis]:
    """Run a Redis that the test may freeze."""
    with private_redis() as started:
        yield started


@pytest.fixture
def distributed(competition: Competition, server: PrivateRedis, tmp_path: object) -> Competition:
    """Return a competition whose jobs a Redis keeps, and whose ledger is the database."""
    name = f"redprint-{time.monotonic_ns()}"
    place = {"type": "redis", "url": server.url, "jobs_key": name, "run_times_key": f"{name}.due"}
    competition.jobstores = {"default": place}
    return competition


class TestRedis:
    @pytest.mark.timeout(300)
    def test_leaves_no_hole_and_no_double_fire_when_leaders_are_killed(self, distributed: Competition) -> None:
        distributed.start(3)
        distributed.await_fires(3)
        for _kill in range(2):
            leader = distributed.leader
            taken_over_after = distributed.seconds_to_the_next(leader.kill)
            assert taken_over_after < AFTER_KILL_SECONDS
            distributed.await_fires(3)
            distributed.start()
        distributed.audit()

    def test_goes_on_where_it_was_once_a_frozen_redis_answers_again(
        self, distributed: Competition, server: PrivateRedis
    ) -> None:
        distributed.start(2)
        distributed.await_fires(2)
        token = distributed.ledger.lease().token
        server.freeze()
        try:
            time.sleep(6)  # longer than the lease lives
            assert distributed.ledger.lease().token == token, "a store that is away costs nobody the lease"
        finally:
            server.thaw()
        distributed.await_fires(3)
        distributed.audit()
