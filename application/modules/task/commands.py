"""Do tasks in processes of their own, which a broker rings for."""

import os
import sys
from collections.abc import Sequence

import click

from application.config.setting import ROOT, settings_or_exit
from application.libs.celery_app import queue_name

POOLS = ("prefork", "threads", "gevent", "eventlet", "solo")


@click.command("worker")
@click.option("--concurrency", "-c", type=click.IntRange(1), help="How many tasks at once, instead of one a core.")
@click.option("--pool", "-P", type=click.Choice(POOLS), default="prefork", help="What does them (prefork).")
@click.option("--queues", "-Q", help="Only those of these queues, by commas, as `task(queue=…)` names them.")
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
def worker(concurrency: int | None, pool: str, queues: str | None, more: Sequence[str]) -> None:
    """Do tasks that BROKER_URL rings for; any number of workers, on any number of machines.

    Behind `--` stands what else `celery worker` takes. SIGTERM lets what runs end first.
    """
    settings = settings_or_exit()
    if settings.broker_url.startswith("memory:"):
        raise click.ClickException(
            "BROKER_URL=memory:// does tasks in the runner, and rings for no worker: set BROKER_URL=redis://… or amqp://…"
        )
    command = [sys.executable, "-m", "celery", "-A", "application.worker", "worker", "--pool", pool]
    if concurrency is not None:
        command += ["--concurrency", str(concurrency)]
    if queues:
        command += ["--queues", ",".join(queue_name(settings.task_queue_prefix, name) for name in queues.split(","))]
    environment = {**os.environ, **({"PSYCOPG_WAIT_FUNC": "wait_selector"} if pool == "eventlet" else {})}
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(sys.executable, [*command, *more], environment)  # signals reach Celery itself
