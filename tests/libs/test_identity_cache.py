"""Callers that a Redis remembers for a moment."""

import time
from collections.abc import Iterator

import pytest
from redis import Redis

from application.libs.auth import Credentials, Identity
from application.libs.identity_cache import LIFE_MILLISECONDS, IdentityCache
from tests.private_redis import PrivateRedis, private_redis
from tests.waiting import wait_until

ADA = Identity("01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10", "ada", ("user",), frozenset({"blog:write"}), session_id="one")
BEARER = Credentials("bearer", "abc", address="192.0.2.7")


class Database:
    """Who is known, and how often that was asked."""

    def __init__(self) -> None:
        """Know Ada."""
        self.known: dict[str, Identity] = {"abc": ADA}
        self.asked = 0

    def __call__(self, credentials: Credentials) -> Identity | None:
        """Look up."""
        self.asked += 1
        return self.known.get(credentials.value)


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateRedis]:
    """Run a Redis."""
    with private_redis() as running:
        yield running


@pytest.fixture
def database() -> Database:
    """Return who is known."""
    return Database()


def cached(database: Database, server: PrivateRedis, secret_key: str = "k" * 32) -> IdentityCache:
    return IdentityCache(database, redis_url=server.url, secret_key=secret_key)


@pytest.fixture(autouse=True)
def _forgotten(server: PrivateRedis) -> None:
    with Redis.from_url(server.url) as client:
        client.flushall()


class TestIdentityCache:
    def test_asks_the_database_once_for_several_machines(self, database: Database, server: PrivateRedis) -> None:
        found = [cached(database, server)(BEARER) for _machine in range(3)]
        assert (found, database.asked) == ([ADA] * 3, 1)
        assert ADA.may("blog:write")

    def test_forgets_within_a_second(self, database: Database, server: PrivateRedis) -> None:
        identify = cached(database, server)
        assert identify(BEARER) == ADA
        database.known.clear()
        ended_at = time.monotonic()
        wait_until(lambda: identify(BEARER) is None, 5)
        assert time.monotonic() - ended_at < 2  # a second, and what a busy machine takes to ask
        with Redis.from_url(server.url) as client:
            assert client.keys() == []
        assert LIFE_MILLISECONDS < 1000

    def test_remembers_nobody_who_is_unknown(self, database: Database, server: PrivateRedis) -> None:
        identify = cached(database, server)
        database.known.clear()
        assert identify(BEARER) is None
        database.known["abc"] = ADA
        assert identify(BEARER) == ADA

    def test_tells_a_cookie_from_a_token(self, database: Database, server: PrivateRedis) -> None:
        identify = cached(database, server)
        assert identify(BEARER) == ADA
        database.known.clear()
        assert identify(Credentials("cookie", "abc", by_browser=True)) is None

    def test_looks_at_a_password_each_time(self, database: Database, server: PrivateRedis) -> None:
        identify = cached(database, server)
        for _time in range(2):
            assert identify(Credentials("basic", "abc")) == ADA
        assert database.asked == 2

    @pytest.mark.parametrize("what", ["another's", "spoilt", "short", "not signed"])
    def test_believes_no_entry_that_it_did_not_write(self, database: Database, server: PrivateRedis, what: str) -> None:
        identify = cached(database, server)
        database.known["root"] = Identity("2", "root", ("admin",), frozenset({"user:manage"}))
        assert identify(BEARER) == ADA
        with Redis.from_url(server.url) as client:
            (name,) = client.keys()
            assert identify(Credentials("bearer", "root")) is not None
            (other,) = {*client.keys()} - {name}
            true, roots = client.get(name), client.get(other)
            forged = {
                "another's": roots,
                "spoilt": true[:-1] + bytes([true[-1] ^ 1]),
                "short": true[:10],
                "not signed": roots[32:],
            }
            client.set(name, forged[what])
        assert identify(BEARER) == ADA
        assert database.asked == 3

    def test_holds_no_token_and_no_plain_digest(self, database: Database, server: PrivateRedis) -> None:
        cached(database, server)(BEARER)
        cached(database, server, "another" * 5)(BEARER)
        with Redis.from_url(server.url) as client:
            names = client.keys()
            assert len(names) == 2
            assert not [key for key in names if b"abc" in (client.get(key) or b"")]

    def test_asks_the_database_while_redis_is_away(self, database: Database, caplog: pytest.LogCaptureFixture) -> None:
        with private_redis() as own:
            identify = IdentityCache(database, redis_url=own.url, secret_key="k" * 32)
            assert identify(BEARER) == ADA
            own.kill()
            assert [identify(BEARER) for _request in range(5)] == [ADA] * 5
        assert caplog.text.count("Redis does not remember callers") == 1
        assert database.asked >= 6
