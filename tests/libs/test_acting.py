"""Who is acting, and from where."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from flask import Flask

from application.libs import acting
from application.libs.acting import Actor, current_actor
from application.libs.auth import Identity, set_identity
from application.libs.clock import now
from application.libs.edge import NO_REQUEST, REQUEST_ID
from application.libs.run_context import RunContext, Stop, current_run
from application.libs.task import TaskContext, current_task

ID = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
FROM = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture(autouse=True)
def request_id(request: pytest.FixtureRequest) -> Iterator[None]:
    """Serve a request, or none."""
    token = REQUEST_ID.set(getattr(request, "param", NO_REQUEST))
    yield
    REQUEST_ID.reset(token)


class TestCurrentActor:
    @pytest.mark.parametrize("request_id", ["of-the-request"], indirect=True)
    def test_is_the_caller_of_a_request(self) -> None:
        with Flask("caller").test_request_context(environ_base=FROM):
            assert current_actor() == Actor(None, acting.ANONYMOUS, "192.0.2.7", "of-the-request")
            set_identity(Identity(ID, "ada", (), frozenset()))
            assert current_actor() == Actor(ID, "ada", "192.0.2.7", "of-the-request")
            set_identity(Identity("scheduler:ops", "ops", (), frozenset()))
            assert current_actor() == Actor(None, "ops", "192.0.2.7", "of-the-request")

    @pytest.mark.parametrize("request_id", ["of-the-request"], indirect=True)
    def test_keeps_the_request_in_the_background(self) -> None:
        assert current_actor() == Actor(None, acting.SYSTEM, None, "of-the-request")

    def test_is_a_job_before_the_task_that_runs_it(self) -> None:
        task = current_task.set(TaskContext(ID, "note.send", "key", 1, Stop(), lambda _progress: None))
        assert current_actor() == Actor(None, "task note.send")
        run = current_run.set(RunContext(ID, "nightly", now(), 1, 1, Stop()))
        assert current_actor() == Actor(None, "job nightly")
        current_run.reset(run)
        current_task.reset(task)
        assert current_actor() == Actor(None, acting.SYSTEM)

    def test_is_a_command_by_its_name(self) -> None:
        group = click.Group("manager.py")
        group.command("create-admin")(lambda: click.echo(current_actor().name))
        assert CliRunner().invoke(group, ["create-admin"]).output == "manager.py create-admin\n"
