"""How code declares a job, and how one is stored."""

from datetime import UTC
from typing import Any

import msgspec
import pytest
from apscheduler.triggers.interval import IntervalTrigger

from application.libs.declaration import DeclarationError
from application.modules.scheduler.business.definition import Unreadable, decode, encode, fault_of_id
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import JOBS, declare_all, job

LONG = "x" * 59_000  # one may be so long, two together not


async def never() -> None:
    """Be no job: nobody would await it."""


class TestDeclare:
    def test_takes_a_function_or_its_reference(self) -> None:
        by_name, by_object = (
            declare_all({"id": "x", "func": func, "trigger": "interval", "hours": 1})[0]
            for func in (f"{JOBS}:do_nothing", functions.do_nothing)
        )
        assert by_name.definition == by_object.definition
        assert by_name.digest == by_object.digest
        assert by_name.function is functions.do_nothing

    def test_fills_in_the_defaults(self) -> None:
        (declared,) = declare_all(job("tidy"))
        definition = declared.definition
        assert (definition.name, definition.executor) == ("tidy", "default")
        assert (definition.misfire_grace_time, definition.coalesce, definition.max_instances) == (60, True, 1)

    def test_runs_as_many_as_there_are_where_they_may_overlap(self) -> None:
        cases: list[tuple[dict[str, Any], int]] = [({}, 1000), ({"max_instances": 2}, 2)]
        for options, most in cases:
            (declared,) = declare_all(job("tidy", overlap="allow", **options))
            assert declared.definition.max_instances == most

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "another"},
            {"hours": 2},
            {"args": ["x"]},
            {"max_instances": 2},
            {"timezone": "Europe/Berlin"},
            {"misfire": "once"},
            {"overlap": "queue"},
            {"retries": 1},
        ],
    )
    def test_has_another_digest_after_any_change(self, change: dict[str, Any]) -> None:
        (before,), (after,) = declare_all(job("x", "create_a_tag")), declare_all(job("x", "create_a_tag") | change)
        assert before.digest != after.digest

    @pytest.mark.parametrize(
        ("mistake", "says"),
        [
            ({"id": None}, "is no text"),
            ({"misfire": "twice"}, r"\$\.misfire"),
            ({"overlap": "often"}, r"\$\.overlap"),
            ({"retries": 101}, r"\$\.retries"),
            ({"retry_delay": -1}, r"\$\.retry_delay"),
            ({"retry_backoff": 0.5}, r"\$\.retry_backoff"),
            ({"retry_max_delay": 1e9}, r"\$\.retry_max_delay"),
            ({"retry_jitter": "x"}, r"\$\.retry_jitter"),
            ({"alerts": {"after_failures": 0}}, r"\$\.alerts\.after_failures"),
            ({"alerts": {"on_failures": True}}, r"on_failures"),
            ({"id": ""}, "Choose another id"),
            ({"func": "os"}, "package.module:function"),
            ({"func": "no.such.module:function"}, "package.module:function"),
            ({"func": f"{JOBS}:missing"}, "package.module:function"),
            ({"func": 5}, "is no plain function"),
            ({"func": "tests.modules.scheduler.conftest:Clock"}, "is no plain function"),
            ({"func": never}, "is no plain function"),
            ({"args": [1, 2, 3]}, "its arguments do not fit"),
            ({"kwargs": {"unknown": 1}}, "its arguments do not fit"),
            ({"kwargs": {"name": {1, 2}}}, "Input should be a valid string"),
            ({"kwargs": {"name": object()}}, "Input should be a valid string"),
            ({"kwargs": {"name": "x" * 70_000}}, "longer than 60000 bytes"),
            (
                {"func": functions.take_two, "args": ["x" * 59_000], "kwargs": {"second": "x" * 59_000}},
                "Store them, and give their id",
            ),
            ({"trigger": "weekly"}, "there is no trigger"),
            ({"minuets": 5}, "takes no 'minuets'"),
            ({"hours": -1}, "is no length; give a number"),
            ({"executor": "nowhere"}, "there is no executor"),
            ({"max_instances": 0}, ">= 1"),
            ({"misfire_grace_time": 0}, ">= 1"),
            ({"coalesce": "often"}, "bool"),
            ({"name": "x" * 192}, "191"),
        ],
    )
    def test_says_what_is_wrong_and_the_cure(self, mistake: dict[str, Any], says: str) -> None:
        with pytest.raises(DeclarationError, match=says) as raised:
            declare_all(job("tidy", "create_a_tag") | mistake)
        assert "SCHEDULER_JOBS" in str(raised.value)

    def test_takes_a_crontab_alone(self) -> None:
        (declared,) = declare_all({"id": "x", "func": f"{JOBS}:do_nothing", "crontab": "@daily"})
        assert declared.definition.trigger == {"type": "cron", "timezone": "UTC", "crontab": "0 0 * * *"}

    def test_leaves_no_fault_of_a_trigger_untold(self) -> None:
        with pytest.raises(DeclarationError, match="hours: .*; minuets: "):
            declare_all(job("tidy") | {"hours": -1, "minuets": 5})

    def test_has_the_same_digest_for_a_trigger_object_in_each_process(self) -> None:
        digests = {
            declare_all(job("x", trigger=IntervalTrigger(hours=1, timezone=UTC)))[0].digest for _process in (1, 2)
        }
        assert len(digests) == 1

    def test_refuses_one_id_twice(self) -> None:
        with pytest.raises(DeclarationError, match="declared twice"):
            declare_all(job("tidy"), job("tidy", "create_a_tag"))


class TestFaultOfId:
    @pytest.mark.parametrize("job_id", ["a", "报告", "a b", "%", "...", "x" * 191])
    def test_finds_none_in_what_fits_a_url(self, job_id: str) -> None:
        assert fault_of_id(job_id) is None

    @pytest.mark.parametrize("job_id", ["", ".", "..", "a/b", "a\nb", "a\x00", "\ud800", "x" * 192, 5, None, ["a"]])
    def test_says_what_is_wrong(self, job_id: object) -> None:
        assert fault_of_id(job_id)


class TestDecode:
    def test_gives_back_what_was_stored(self) -> None:
        (declared,) = declare_all(job("tidy", "create_a_tag", kwargs={"name": "报告"}))
        assert decode(encode(declared.definition)) == declared.definition

    def test_names_its_format(self) -> None:
        (declared,) = declare_all(job("tidy"))
        assert msgspec.json.decode(encode(declared.definition))["format"] == 1

    @pytest.mark.parametrize("text", ["", "null", "[]", "\x80\x04", "[" * 100_000, '{"a":' * 5000])
    def test_refuses_anything_else(self, text: str) -> None:
        with pytest.raises(Unreadable):
            decode(text)

    def test_refuses_another_format(self) -> None:
        (declared,) = declare_all(job("tidy"))
        text = encode(declared.definition).replace('"format":1', '"format":2')
        with pytest.raises(Unreadable, match="format"):
            decode(text)
