"""Make the Celery application that carries rings: one task, whose only argument is the id of a row.

Nothing is kept in a broker but ids, and no result anywhere: both are in the database.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.entity import Queue
from kombu.exceptions import ChannelError

PERFORM = "redprint.perform"
"""The name of the one task."""

MOST_PRIORITY = 9

_REDIS = {
    "socket_timeout": 2,  # a broker that accepts and says nothing else holds whoever publishes for 25 s
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "unacked_restore_throttle": 1,
    "queue_order_strategy": "priority",
    "priority_steps": list(range(MOST_PRIORITY + 1)),
}
_AMQP = {"confirm_publish": True, "read_timeout": 5, "write_timeout": 5}
_MEMORY = {"polling_interval": 0.02}


def make_celery(
    broker_url: str,
    *,
    prefix: str,
    queues: Collection[str],
    settings: Mapping[str, Any],
    perform: Callable[[str], object],
) -> Celery:
    """Return a Celery application that calls `perform` with the id of each task that is rung for.

    `settings` are Celery's own, by their names in lower case; they win over ours.
    """
    address = "memory://localhost" if broker_url.startswith("memory:") else broker_url  # kombu wants a host's name
    celery = Celery("redprint", broker=address, set_as_current=False, fixups=[])
    arguments = {} if _is_redis(broker_url) else {"x-max-priority": MOST_PRIORITY}
    celery.conf.update(
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=2,
        broker_transport_options=_transport(broker_url),
        task_acks_late=True,
        task_default_queue=queue_name(prefix, "default"),
        task_ignore_result=True,
        task_queues=[Queue(queue_name(prefix, name), queue_arguments=arguments) for name in sorted(queues)],
        task_reject_on_worker_lost=True,
        task_serializer="json",
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_soft_shutdown_timeout=10,
    )
    options = {**_transport(broker_url), **settings.get("broker_transport_options", {})}
    celery.conf.update({**settings, "broker_transport_options": options})
    celery.task(name=PERFORM, shared=False, ignore_result=True)(perform)  # shared, any application would do it
    celery.finalize()
    setup_logging.connect(_leave_logging, weak=True)
    return celery


def queue_name(prefix: str, queue: str) -> str:
    """Return what a broker calls a queue."""
    return f"{prefix}.{queue}"


def publish(celery: Celery, prefix: str, task_id: str, queue: str, priority: int) -> None:
    """Ring for a task by a broker; raise what its client raises, once and soon."""
    urgency = MOST_PRIORITY - priority if _is_redis(celery.conf.broker_url) else priority  # Redis serves 0 first
    celery.send_task(
        PERFORM, [task_id], task_id=task_id, queue=queue_name(prefix, queue), priority=urgency, retry=False
    )


def depth(celery: Celery, prefix: str, queue: str) -> int:
    """Return how many rings wait in a broker's queue; 0 where there is no such queue."""
    with celery.connection_for_write(connect_timeout=1) as connection:
        channel = connection.default_channel
        try:
            return int(channel.queue_declare(queue_name(prefix, queue), passive=True).message_count)
        except ChannelError:
            return 0


def _transport(broker_url: str) -> dict[str, Any]:
    if _is_redis(broker_url):
        return dict(_REDIS)
    return dict(_AMQP if broker_url.startswith("amqp") else _MEMORY)


def _is_redis(broker_url: str) -> bool:
    return broker_url.startswith(("redis", "unix"))


def _leave_logging(**_given: object) -> None:
    """Take Celery's place where it would set up logging: ours is set up already."""
