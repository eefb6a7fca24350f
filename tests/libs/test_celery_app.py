"""Rings through real brokers."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from application.libs import celery_app
from application.libs.celery_app import make_celery
from application.libs.ident import new_id
from tests.port import free_port
from tests.private_redis import private_redis
from tests.services import missing
from tests.waiting import wait_until

RABBITMQ = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")


def _perform(task_id: str) -> None:
    """Do nothing."""


def _make(url: str, prefix: str) -> Celery:
    return make_celery(url, prefix=prefix, queues={"default", "mail"}, settings={}, perform=_perform)


@pytest.fixture(params=["redis", "rabbitmq"])
def celery(request: pytest.FixtureRequest) -> Iterator[tuple[Celery, str]]:
    """Give an application on a broker, and a prefix that no other has."""
    prefix = f"test-{new_id()}"
    with ExitStack() as stack:
        url = stack.enter_context(private_redis()).url if request.param == "redis" else RABBITMQ
        made = _make(url, prefix)
        try:
            celery_app.depth(made, prefix, "default")
        except OSError:
            missing("RabbitMQ", "start it on loopback, or name another in TEST_RABBITMQ_URL")
        yield made, prefix
        with made.connection_for_write() as connection:
            for queue in ("default", "mail"):
                connection.default_channel.queue_delete(celery_app.queue_name(prefix, queue))
        made.close()


class TestPublish:
    def test_puts_what_is_urgent_first(self, celery: tuple[Celery, str]) -> None:
        made, prefix = celery
        for task_id, priority in (("low", 0), ("normal", 4), ("high", 9), ("next", 4)):
            celery_app.publish(made, prefix, task_id, "mail", priority)
        wait_until(lambda: celery_app.depth(made, prefix, "mail") == 4)
        assert celery_app.depth(made, prefix, "default") == 0
        heard: list[str] = []
        with made.connection_for_read() as connection:
            queue = made.amqp.queues[celery_app.queue_name(prefix, "mail")].bind(connection.default_channel)
            while (message := queue.get(no_ack=True)) is not None:
                heard.append(message.headers["id"])
        assert heard == ["high", "normal", "next", "low"]

    @pytest.mark.parametrize("scheme", ["redis", "amqp"])
    def test_raises_what_the_client_raises_where_nobody_listens(self, scheme: str) -> None:
        made = _make(f"{scheme}://127.0.0.1:{free_port()}/", "test")
        with pytest.raises((OSError, OperationalError)):
            celery_app.publish(made, "test", "one", "default", 4)
        made.close()
