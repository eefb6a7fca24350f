"""Limits by real servers: in every async mode, in one Redis of several processes, and while that is killed."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.e2e.conftest import ASYNC_MODES, Serve
from tests.e2e.server import Server
from tests.private_redis import PrivateRedis, private_redis

FAULTY = {"name": "ada"}
"""Is counted like any other; the wrong passwords of a name are counted in the database, too (test_throttle.py)."""


@pytest.fixture
def redis() -> Iterator[PrivateRedis]:
    with private_redis() as server:
        yield server


def tries(number: int, *servers: Server) -> list[int]:
    """Ask to sign in many times at once, at the servers in turn, and return the statuses."""

    def attempt(at: int) -> int:
        url = f"{servers[at % len(servers)].url}/api/v1/auth/login"
        return requests.post(url, json=FAULTY, timeout=10).status_code

    with ThreadPoolExecutor(8) as clients:
        return list(clients.map(attempt, range(number)))


@pytest.mark.parametrize("async_mode", ASYNC_MODES)
class TestServer:
    def test_lets_thirty_try_by_itself(self, server: Serve, async_mode: str) -> None:
        statuses = tries(35, server(async_mode=async_mode, rate_limits_enabled=1))
        assert (statuses.count(422), statuses.count(429)) == (30, 5)

    def test_shares_the_count_through_redis_and_survives_its_end(
        self, server: Serve, redis: PrivateRedis, async_mode: str
    ) -> None:
        options = {"async_mode": async_mode, "rate_limits_enabled": 1, "redis_url": redis.url}
        pair = server(**options), server(**options)
        statuses = tries(36, *pair)
        assert (statuses.count(422), statuses.count(429)) == (30, 6)

        redis.kill()
        began = time.monotonic()
        statuses = tries(62, *pair)
        assert time.monotonic() - began < 20
        assert (statuses.count(422), statuses.count(429)) == (60, 2)  # each for itself

    def test_answers_while_redis_says_nothing(self, server: Serve, redis: PrivateRedis, async_mode: str) -> None:
        served = server(async_mode=async_mode, rate_limits_enabled=1, redis_url=redis.url)
        assert tries(1, served) == [422]
        redis.freeze()
        began = time.monotonic()
        assert tries(8, served) == [422] * 8
        assert time.monotonic() - began < 8
