"""Processes that do tasks, which a test may kill, and the brokers that ring for them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flask import Flask

from application.config.setting import ROOT
from application.database import db
from application.libs import celery_app
from application.libs.ident import new_id
from application.modules.task.engine import TaskEngine
from tests.modules.task import specimen
from tests.private_redis import PrivateRedis, private_redis
from tests.services import missing

RABBITMQ = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")

START_SECONDS = 60
"""How long a process may take to hear rings on a machine with other things to do."""


class Broker:
    """Hold a broker's address and what the queues on it are called."""

    def __init__(self, kind: str, url: str, redis: PrivateRedis | None = None) -> None:
        self.kind = kind
        self.url = url
        self.prefix = f"test-{new_id()}"
        self.redis = redis

    def wipe(self, app: Flask) -> None:
        """Lose everything that waits in it."""
        engine: TaskEngine = app.extensions["tasks"]
        with engine.celery.connection_for_write() as connection:
            connection.default_channel.queue_purge(celery_app.queue_name(self.prefix, "default"))


@contextmanager
def broker(kind: str) -> Iterator[Broker]:
    """Run a Redis, or use a RabbitMQ and leave no queue on it; `memory` needs nothing."""
    if kind == "memory":
        yield Broker(kind, "memory://")
    elif kind == "redis":
        with private_redis() as server:
            yield Broker(kind, server.url, server)
    else:
        made = Broker(kind, RABBITMQ)
        celery = celery_app.make_celery(RABBITMQ, prefix=made.prefix, queues=["default"], settings={}, perform=_nothing)
        try:
            celery_app.depth(celery, made.prefix, "default")
        except OSError:
            missing("RabbitMQ", "start it on loopback, or name another in TEST_RABBITMQ_URL")
        try:
            yield made
        finally:
            with celery.connection_for_write() as connection:
                for queue in ("default", "mail"):
                    connection.default_channel.queue_delete(celery_app.queue_name(made.prefix, queue))
            celery.close()


def _nothing(task_id: str) -> None:
    """Do nothing."""


@contextmanager
def producer(url: str, folder: Path, broker: Broker) -> Iterator[Flask]:
    """Build an application that enqueues tasks on a migrated database, and starts nothing that does them."""
    app = specimen.build(settings_of(url, folder, broker))
    try:
        yield app
    finally:
        app.extensions["tasks"].stop()
        with app.app_context():
            db.engine.dispose()


def settings_of(url: str, folder: Path, broker: Broker) -> Any:
    """Return the settings that producer and worker share."""
    return specimen.settings(
        database_url=url, log_directory=folder / "logs", broker_url=broker.url, task_queue_prefix=broker.prefix
    )


class Workers:
    """Be one process that does tasks: Celery's, or an engine's where there is no broker; with what it starts."""

    def __init__(self, url: str, folder: Path, broker: Broker, *, pool: str = "prefork", concurrency: int = 2) -> None:
        self._environment = {
            **os.environ,
            "ENVIRONMENT": "testing",
            "DATABASE_URL": url,
            "LOG_DIRECTORY": str(folder / "logs"),
            "BROKER_URL": broker.url,
            "TASK_QUEUE_PREFIX": broker.prefix,
            "TASK_CONCURRENCY": str(concurrency),
        }
        celery = ["celery", "-A", "tests.celery_specimen", "worker", "--pool", pool, "--loglevel", "WARNING"]
        command = ["tests.task_runner"] if broker.kind == "memory" else [*celery, "--concurrency", str(concurrency)]
        self._command = [sys.executable, "-m", *command]
        self._log = folder / "worker.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, as the leader of a group of processes."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, *, group: bool = True) -> None:
        """Kill it, with all that it has started, or alone."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self, *, group: bool = False) -> float:
        """Let it end, with all that it has started or alone, and return how many seconds that took."""
        assert self.process is not None
        began = time.monotonic()
        (os.killpg if group else os.kill)(self.process.pid, signal.SIGTERM)
        self.process.wait(30)
        return time.monotonic() - began

    def said(self) -> str:
        """Return what it has written."""
        return self._log.read_text(errors="replace")[-3000:]

    @contextmanager
    def running(self) -> Iterator["Workers"]:
        """Start it, and leave none behind."""
        self.start()
        try:
            yield self
        finally:
            self.kill()
