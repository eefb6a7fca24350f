"""Executors as SCHEDULER_EXECUTORS names them."""

from typing import Any

import pytest
from apscheduler.executors.debug import DebugExecutor
from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor

from application.libs.executor import Handing, HandingExecutor, fault_of, handings, make, process_pools
from application.libs.scheduled_job import SubmittedJob
from application.libs.thread_pool import ThreadExecutor

THREADS = "apscheduler.executors.pool:ThreadPoolExecutor"


class TestMake:
    @pytest.mark.parametrize(
        "given",
        [
            {"class": THREADS, "max_workers": 3},
            {"class": ThreadPoolExecutor, "max_workers": 3},
            ThreadPoolExecutor(3),
        ],
    )
    def test_takes_dicts_and_instances(self, given: Any) -> None:
        assert fault_of(given) is None
        made = make(given)
        assert isinstance(made, ThreadPoolExecutor)
        assert made._pool._max_workers == 3

    def test_makes_threads_that_can_be_replaced(self) -> None:
        given = {"type": "threadpool", "max_workers": 3}
        assert fault_of(given) is None
        made = make(given)
        assert isinstance(made, ThreadExecutor)
        made.shutdown()

    def test_takes_any_class_of_executors(self) -> None:
        assert isinstance(make({"class": "apscheduler.executors.debug:DebugExecutor"}), DebugExecutor)


class TestFaultOf:
    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"class": ProcessPoolExecutor}, "cannot be killed"),
            ({"class": "apscheduler.executors.pool:ProcessPoolExecutor"}, "cannot be killed"),
            ({"type": "celery", "priority": 10}, "9"),
            ({"type": "celery", "queue": "Heavy work"}, "queue"),
            ({"type": "celery", "max_workers": 3}, "it has no 'max_workers'; what it takes is queue, priority"),
            ({"type": "magic"}, "there is no type 'magic'"),
            ({"max_workers": 3}, "there is no type None"),
            ({"class": "no.such.module:Executor"}, "no"),
            ({"class": "builtins:dict"}, "no class of executors"),
            ("threadpool", "neither an executor nor a dict"),
        ],
    )
    def test_says_the_cure(self, given: Any, fault: str) -> None:
        said = fault_of(given)
        assert said is not None
        assert fault in said


class TestHandings:
    def test_names_how_each_hands_over(self) -> None:
        assert handings({}) == {"celery": Handing()}
        given = {"heavy": {"type": "celery", "queue": "reports", "priority": 2}, "celery": {"type": "threadpool"}}
        assert handings(given) == {"heavy": Handing(queue="reports", priority=2)}

    def test_calls_nothing_in_this_process(self) -> None:
        made = make({"type": "celery", "queue": "reports"})
        assert isinstance(made, HandingExecutor)
        assert made.handing == Handing(queue="reports")
        with pytest.raises(NotImplementedError, match="handed over"):
            made._do_submit_job(SubmittedJob("far", print, name="far", trigger=None, executor="celery"), [])


class TestProcessPools:
    def test_names_how_many_processes_each_has(self) -> None:
        assert process_pools({}) == {"processpool": 2}
        given = {"default": {"type": "threadpool"}, "heavy": {"type": "processpool", "max_workers": 5}}
        assert process_pools(given) == {"processpool": 2, "heavy": 5}
        assert process_pools({"processpool": {"type": "threadpool"}}) == {}
