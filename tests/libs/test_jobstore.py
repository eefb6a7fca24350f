"""Where SCHEDULER_JOBSTORES says that jobs are kept."""

from typing import Any

import pytest
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.redis import RedisJobStore

from application.libs.jobstore import passwords, read_json, read_places


class TestReadPlaces:
    @pytest.mark.parametrize("given", [None, {}])
    def test_keeps_jobs_in_the_database_unless_told_otherwise(self, given: dict[str, Any] | None) -> None:
        assert {alias: place.kind for alias, place in read_places(given).items()} == {"default": "database"}

    def test_takes_what_apscheduler_takes(self) -> None:
        instance = RedisJobStore(db=3, jobs_key="jobs")
        given = {
            "default": {"type": "sqlalchemy", "pickle_protocol": 4},
            "quick": "memory",
            "also": MemoryJobStore(),
            "far": {"type": "redis", "host": "redis.internal", "db": 1},
            "theirs": instance,
        }
        places = read_places(given)
        assert {alias: place.kind for alias, place in places.items()} == {
            "default": "database",
            "quick": "memory",
            "also": "memory",
            "far": "redis",
            "theirs": "redis",
        }
        assert places["far"].options == {"host": "redis.internal", "db": 1}
        assert places["theirs"].instance is instance

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"default": {"type": "redsi"}}, "there is no type 'redsi'; use one of database, memory, redis"),
            ({"default": 3}, "3 is neither a job store nor a dict; give {'type': 'redis'"),
            ({"x": {"type": "redis", "hots": "a"}}, "a store of type redis takes no hots; it takes db, host"),
            ({"default": {"type": "sqlalchemy", "url": "sqlite://"}}, "which DATABASE_URL names"),
            ({"x": {"type": "database"}}, "only one can be the database"),
            ({"": {"type": "memory"}}, "an alias is a text of 1 to 50 characters"),
            ({"x": {"type": "memory", "size": 3}}, "takes no size; it takes nothing"),
        ],
    )
    def test_says_what_is_wrong_and_the_cure(self, given: dict[str, Any], said: str) -> None:
        with pytest.raises(ValueError, match="(?s).") as refused:
            read_places(given)
        assert said in str(refused.value)


class TestReadJson:
    def test_takes_an_object(self) -> None:
        assert read_json('{"default": {"type": "memory"}}') == {"default": {"type": "memory"}}

    @pytest.mark.parametrize("text", ["", "redis", "[1]", "3", "null"])
    def test_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="it is no JSON object; write"):
            read_json(text)


class TestPasswords:
    def test_are_found_wherever_they_stand(self) -> None:
        text = (
            '{"a": {"type": "redis", "url": "redis://:s3cret@h/0"}, "b": {"type": "mongodb", "password": "pass2"},'
            ' "c": {"type": "mongodb", "host": "mongodb://u:third@h/"}, "d": "memory"}'
        )
        assert passwords(text) == ["s3cret", "pass2", "third"]

    def test_are_none_where_nothing_can_be_read(self) -> None:
        assert passwords("no JSON") == []
