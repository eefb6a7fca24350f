"""Counting by the library `limits`: in memory, in Redis, and while Redis is away."""

import time
from collections.abc import Iterator

import pytest
from flask import Flask, g
from limits import RateLimitItem

from application.libs.auth import Identity
from application.libs.rate_limit import Count, Limits, Standing, admitting, parse_limit
from tests.private_redis import PrivateRedis, private_redis
from tests.waiting import wait_until

LIMIT = parse_limit("3/minute")


@pytest.fixture
def redis() -> Iterator[PrivateRedis]:
    with private_redis() as server:
        yield server


class Counter:
    """An application with one counter, asked as by requests."""

    def __init__(
        self, *, redis_url: str | None = None, limit: RateLimitItem = LIMIT, scope: str = "x", by_address: bool = False
    ) -> None:
        self.app = Flask("specimen")
        self.app.add_url_rule("/x", "x", lambda: "")
        self.limits = Limits(redis_url=redis_url)
        self.count: Count = self.limits.counter(limit, scope=scope, by_address=by_address)

    def ask(self, *, remote: str = "192.0.2.1", user: str | None = None) -> Standing:
        with self.app.test_request_context("/x", environ_base={"REMOTE_ADDR": remote}):
            g.identity = user and Identity(user_id=user, name=user, roles=(), permissions=frozenset())
            return self.count()

    def exceeds(self, number: int, **caller: str) -> list[bool]:
        return [self.ask(**caller).is_exceeded for _ in range(number)]


class TestParseLimit:
    @pytest.mark.parametrize(
        ("text", "amount", "seconds"), [("20/minute", 20, 60), ("5 per 10 second", 5, 10), ("1/day", 1, 86400)]
    )
    def test_reads(self, text: str, amount: int, seconds: int) -> None:
        limit = parse_limit(text)

        assert (limit.amount, limit.get_expiry()) == (amount, seconds)

    @pytest.mark.parametrize(
        "text", ["", "20", "often", "20/fortnight", "0/minute", "-1/minute", "1/second;20/minute", 20, None]
    )
    def test_refuses(self, text: object) -> None:
        with pytest.raises(ValueError, match="."):
            parse_limit(text)


class TestLimits:
    def test_counts_until_nothing_is_left(self) -> None:
        counter = Counter()

        standings = [counter.ask() for _ in range(4)]

        assert [standing.is_exceeded for standing in standings] == [False, False, False, True]
        assert [standing.remaining for standing in standings] == [2, 1, 0, 0]
        assert all(58 <= standing.reset_seconds <= 60 for standing in standings)

    def test_begins_anew_when_the_time_is_over(self) -> None:
        counter = Counter(limit=parse_limit("1/second"))
        assert counter.exceeds(2) == [False, True]

        time.sleep(1.1)

        assert counter.exceeds(1) == [False]

    def test_counts_each_caller_apart(self) -> None:
        counter = Counter()
        assert counter.exceeds(4, user="ada") == [False] * 3 + [True]

        assert counter.exceeds(1, user="bob") == [False]
        assert counter.exceeds(1) == [False]
        assert counter.exceeds(1, user="ada", remote="192.0.2.99") == [True]

    def test_counts_addresses_whoever_signed_in_where_all_may_ask(self) -> None:
        counter = Counter(by_address=True)
        assert counter.exceeds(3, user="ada") == [False] * 3

        assert counter.exceeds(1, user="bob") == [True]
        assert counter.exceeds(1, user="ada", remote="192.0.2.2") == [False]

    def test_takes_the_network_of_an_ipv6_customer_for_one(self) -> None:
        counter = Counter(by_address=True)
        assert counter.exceeds(3, remote="2001:db8:1:2::1") == [False] * 3

        assert counter.exceeds(1, remote="2001:db8:1:2:ffff:ffff:ffff:ffff") == [True]
        assert counter.exceeds(1, remote="2001:db8:1:3::1") == [False]

    @pytest.mark.parametrize(
        "remote", ["::ffff:203.0.113.7", "::FFFF:cb00:7107", "203.0.113.7:5555", "[::ffff:203.0.113.7]:5555"]
    )
    def test_takes_one_ipv4_host_for_one_however_it_is_written(self, remote: str) -> None:
        counter = Counter(by_address=True)
        assert counter.exceeds(3, remote=remote) == [False] * 3

        assert counter.exceeds(1, remote="203.0.113.7") == [True]
        assert counter.exceeds(1, remote="::ffff:203.0.113.8") == [False]
        assert counter.exceeds(1, remote="::1") == [False]

    @pytest.mark.parametrize("remote", ["[2001:db8:1:2::1]:5555", "[2001:db8:1:2::9]"])
    def test_counts_an_ipv6_address_without_its_port(self, remote: str) -> None:
        counter = Counter(by_address=True)
        assert counter.exceeds(3, remote=remote) == [False] * 3

        assert counter.exceeds(1, remote="2001:db8:1:2::2") == [True]

    def test_counts_without_an_address(self) -> None:
        assert Counter(by_address=True).exceeds(4, remote="") == [False] * 3 + [True]

    def test_counts_each_scope_apart_and_the_same_scope_once(self) -> None:
        counter = Counter(scope="one")
        again = counter.limits.counter(LIMIT, scope="one", by_address=False)
        other = counter.limits.counter(LIMIT, scope="other", by_address=False)
        assert counter.exceeds(2) == [False] * 2

        counter.count = again
        assert counter.exceeds(2) == [False, True]
        counter.count = other
        assert counter.exceeds(1) == [False]

    def test_counts_each_application_apart(self) -> None:
        first, second = Counter(), Counter()

        assert first.exceeds(4) == second.exceeds(4) == [False] * 3 + [True]

    def test_forgets(self) -> None:
        counter = Counter()
        counter.exceeds(4)

        counter.limits.reset()

        assert counter.exceeds(1) == [False]


class TestRedis:
    def test_is_shared(self, redis: PrivateRedis) -> None:
        first, second = Counter(redis_url=redis.url), Counter(redis_url=redis.url)

        assert [first.ask().remaining, second.ask().remaining, first.ask().remaining] == [2, 1, 0]
        assert second.exceeds(1) == [True]

    @pytest.mark.timed
    def test_that_is_killed_leaves_each_process_to_itself(self, redis: PrivateRedis) -> None:
        counter = Counter(redis_url=redis.url)
        assert counter.exceeds(4) == [False] * 3 + [True]

        redis.kill()

        began = time.monotonic()
        assert counter.exceeds(4) == [False] * 3 + [True]
        assert time.monotonic() - began < 1

    def test_counts_again_when_it_is_back(self, redis: PrivateRedis) -> None:
        counter, other = Counter(redis_url=redis.url), Counter(redis_url=redis.url)
        counter.ask()
        redis.kill()
        assert counter.exceeds(4) == [False] * 3 + [True]

        redis.start()
        wait_until(lambda: not counter.ask().is_exceeded)

        assert other.ask().remaining == 1

    def test_that_is_absent_from_the_start_hinders_nobody(self, redis: PrivateRedis) -> None:
        redis.kill()

        assert Counter(redis_url=redis.url).exceeds(4) == [False] * 3 + [True]

    def test_that_says_nothing_holds_a_request_up_for_a_moment_only(self, redis: PrivateRedis) -> None:
        counter = Counter(redis_url=redis.url)
        counter.ask()
        redis.freeze()

        took = []
        for _ in range(5):
            began = time.monotonic()
            counter.ask()
            took.append(time.monotonic() - began)

        assert max(took) < 2
        assert sorted(took)[2] < 0.05

    def test_is_found_by_its_socket(self) -> None:
        assert Counter(redis_url="unix:///tmp/no-such-redis.sock").exceeds(4) == [False] * 3 + [True]


class TestAdmitting:
    def test_counts_a_request_once_though_it_is_tried_again(self) -> None:
        counter = Counter()
        admitted: list[int] = []
        admit = admitting(lambda: admitted.append(1), counter.count)

        with counter.app.test_request_context("/x"):
            for _ in range(5):
                admit()

        assert len(admitted) == 5
        assert counter.ask(remote="").remaining == 1

    def test_counts_nobody_who_is_not_admitted(self) -> None:
        counter = Counter()

        def refuse() -> None:
            raise PermissionError

        with counter.app.test_request_context("/x"), pytest.raises(PermissionError):
            admitting(refuse, counter.count)()

        assert counter.ask(remote="").remaining == 2
