"""Functions that are declared as tasks."""

from typing import Any, cast

import pytest

from application.libs import task as machinery
from application.libs.catalogue import NotRegistered
from application.libs.declaration import DeclarationError
from application.libs.run_context import Cancelled, Stop
from application.libs.task import TASKS, Given, Options, Progress, TaskContext, Tasks, current_task


def deliver(message_id: str) -> str:
    """Send a message."""
    return message_id


class TestDeclare:
    def test_leaves_the_function_as_it_is_and_names_it_by_its_module(self) -> None:
        tasks = Tasks()
        assert tasks.declare(deliver, None, {"retries": 5, "retry_on": (OSError,)}) is deliver
        (declared,) = tasks
        assert (declared.name, declared.entry.summary) == ("test_task.deliver", "Send a message.")
        assert (declared.options.retries, declared.options.retry_on) == (5, (OSError,))
        assert tasks.get("test_task.deliver") == tasks.of(deliver) == declared

    def test_does_nothing_twice(self) -> None:
        tasks = Tasks()
        tasks.declare(deliver, None, {})
        tasks.declare(deliver, None, {})
        assert len(list(tasks)) == 1

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"retrys": 1}, "no option 'retrys'. Did you mean `retries`"),
            ({"retries": -1}, "retries"),
            ({"queue": "A queue"}, "queue"),
            ({"priority": 10}, "priority"),
            ({"hard_limit_seconds": 0}, "hard_limit_seconds"),
            ({"retry_on": ("OSError",)}, "retry_on"),
        ],
    )
    def test_refuses_what_cannot_be_and_says_where(self, options: Any, said: str) -> None:
        with pytest.raises(DeclarationError, match=r"tests\.libs\.test_task\.deliver|test_task\.deliver") as caught:
            Tasks().declare(deliver, None, options)
        assert said in str(caught.value)

    def test_refuses_what_has_no_name(self) -> None:
        with pytest.raises(DeclarationError, match="lambda"):
            Tasks().declare(lambda: None, None, {})
        with pytest.raises(DeclarationError, match="no function"):
            Tasks().declare(cast("Any", int), None, {})

    def test_shows_a_type_checker_every_option(self) -> None:
        assert set(Given.__annotations__) == set(Options.__struct_fields__)


class TestOf:
    def test_says_how_a_function_becomes_a_task(self) -> None:
        with pytest.raises(DeclarationError, match=r"task\(business\.function\)"):
            Tasks().of(deliver)

    def test_knows_those_of_the_application(self) -> None:
        with pytest.raises(NotRegistered, match=r"task\(function\)"):
            TASKS.get("no.such")


class TestPause:
    def test_waits(self) -> None:
        machinery.pause(0)

    def test_ends_at_once_where_the_task_is_asked_to(self) -> None:
        stop = Stop()
        token = current_task.set(TaskContext("1", "test.one", "1", 1, stop, lambda _step: None))
        try:
            machinery.pause(0)
            stop.ask("cancelled by ada")
            with pytest.raises(Cancelled):
                machinery.pause(60)
        finally:
            current_task.reset(token)


class TestProgress:
    def test_says_nothing_outside_a_task(self) -> None:
        machinery.progress(1, 2, "half")

    def test_stays_within_bounds_and_heeds_a_stop(self) -> None:
        said: list[Progress] = []
        stop = Stop()
        token = current_task.set(TaskContext("1", "test.one", "1", 1, stop, said.append))
        try:
            machinery.progress(7, 5, "a\x00" + "b" * 1000)
            machinery.progress(-1, -1)
            stop.ask("cancelled by ada")
            with pytest.raises(Cancelled):
                machinery.progress(1, 2)
        finally:
            current_task.reset(token)
        assert [(step.current, step.total, len(step.message)) for step in said] == [(5, 5, 500), (0, 0, 0)]
