"""Keep documents in Redis: a hash of them, and sorted sets that say in which order."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from application.libs.jobstore import JobStorePlace
from application.modules.scheduler.store.keeper import answering

PATIENCE_SECONDS = 1.0
"""How long one question may take before the store counts as away."""

JOBS_KEY, RUN_TIMES_KEY = "apscheduler.jobs", "apscheduler.run_times"
"""The names that APScheduler has; what it left there is a pickle, shown as quarantined and never loaded."""

_SWAP = """
local found = redis.call('HGET', KEYS[1], ARGV[1])
if (found or '') ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[3] == '' then
    redis.call('HDEL', KEYS[1], ARGV[1])
    redis.call('SREM', KEYS[4], ARGV[1])
    return 1
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] == '' then redis.call('ZADD', KEYS[3], 0, ARGV[1]) else redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1]) end
return 1
"""


class RedisKeeper:
    """Be a `Keeper`: one round trip a question, and each change a script, which Redis runs as one."""

    def __init__(
        self, connect: Callable[[], Redis], *, jobs_key: str = JOBS_KEY, run_times_key: str = RUN_TIMES_KEY
    ) -> None:
        """Keep what `connect` gives a client of, under these names; nothing is asked yet."""
        self._connect = connect
        self._client: Any = None
        self._jobs, self._due = jobs_key, run_times_key
        self._paused, self._aside = f"{jobs_key}.paused", f"{jobs_key}.aside"

    def read(self, job_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the documents of these ids, as far as they are there."""
        with answering("Redis", (RedisError,)):
            found = self._redis.hmget(self._jobs, list(job_ids))
        return {job_id: text for job_id, text in zip(job_ids, found, strict=True) if text is not None}

    def scheduled(self, behind: tuple[int, str], until: int | None, limit: int) -> list[tuple[int, str]]:
        """Return when documents are due and their ids, behind a place."""
        due, job_id = behind
        most = "+inf" if until is None else until
        with answering("Redis", (RedisError,)):
            beside = self._redis.zrangebyscore(self._due, due, due) if due >= 0 else []
            passed = bisect_right(beside, job_id.encode())
            found = self._redis.zrangebyscore(self._due, due, most, start=passed, num=limit, withscores=True)
        return [(int(score), member.decode("utf-8", "replace")) for member, score in found]

    def paused(self, behind: str, limit: int) -> list[str]:
        """Return the ids of paused documents behind an id."""
        least = b"(" + behind.encode() if behind else b"-"
        with answering("Redis", (RedisError,)):
            found = self._redis.zrangebylex(self._paused, least, b"+", start=0, num=limit)
        return [member.decode("utf-8", "replace") for member in found]

    def aside(self) -> set[str]:
        """Return the ids of what is put aside."""
        with answering("Redis", (RedisError,)):
            return {member.decode("utf-8", "replace") for member in self._redis.smembers(self._aside)}

    def sizes(self) -> tuple[int, int]:
        """Return how many documents there are, and how many of them are paused."""
        with answering("Redis", (RedisError,)):
            return int(self._redis.hlen(self._jobs)), int(self._redis.zcard(self._paused))

    def set_aside(self, job_id: str, *, is_aside: bool) -> None:
        """Put a document aside, or no longer."""
        with answering("Redis", (RedisError,)):
            (self._redis.sadd if is_aside else self._redis.srem)(self._aside, job_id)

    def swap(self, job_id: str, before: bytes | None, after: bytes | None, due: int | None) -> bool:
        """Put one document in the place of another."""
        keys = (self._jobs, self._due, self._paused, self._aside)
        told = (job_id, before or b"", after or b"", "" if due is None else due)
        with answering("Redis", (RedisError,)):
            return bool(self._redis.eval(_SWAP, len(keys), *keys, *told))

    def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def _redis(self) -> Any:
        if self._client is None:
            self._client = self._connect()
        return self._client


def make(place: JobStorePlace) -> RedisKeeper:
    """Return the keeper of a place; its client is made when it is asked first."""
    options, instance = dict(place.options), place.instance
    if instance is not None:
        return RedisKeeper(lambda: instance.redis, jobs_key=instance.jobs_key, run_times_key=instance.run_times_key)
    names = {name: options.pop(name) for name in ("jobs_key", "run_times_key") if name in options}
    url = options.pop("url", None)
    told = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS, **options}
    return RedisKeeper(lambda: Redis(**told) if url is None else Redis.from_url(url, **told), **names)
