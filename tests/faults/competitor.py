"""Compete for the lease from a process of its own, as the runner of another host does.

    python -m tests.faults.competitor URL DIRECTORY [--declares JOB …] [--clock FILE] [--jobstores JSON]

It says that it is ready, starts at the first line of its standard input, and stops at the end of it, as a runner does.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from application.config.setting import Environment, load_settings
from application.factory import create_app
from application.libs import clock
from application.libs.jobstore import read_places
from application.libs.scheduling import TickScheduler
from application.modules.scheduler.engine import Engine
from application.modules.scheduler.store import make_stores
from tests.modules.scheduler.conftest import declare_all, job, setup_of

EACH_SECOND: dict[str, Any] = {"trigger": "interval", "seconds": 1, "coalesce": False}

JOBS = {
    "second": job("second", **EACH_SECOND),
    "long": job("long", "sleep_long"),
    "other": job("other", "remember_the_run", **EACH_SECOND),
    "handed": job("handed", "leave_a_tag", **EACH_SECOND, executor="celery", max_instances=100),
    "punctual": job("punctual", **EACH_SECOND, misfire_grace_time=5),
}
"""What a competitor may declare; one knows the functions of its own jobs only, as an older release does."""


def clock_of(file: Path) -> Callable[[], datetime]:
    """Return a clock that is so many seconds off as the file says, which may be written at any time."""
    return lambda: datetime.now(UTC) + timedelta(seconds=float(file.read_text() or 0))


def main() -> None:
    """Fire until nobody holds the other end of standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--declares", nargs="+", choices=JOBS, default=["second", "long"])
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--jobstores", type=json.loads, default={}, help="as SCHEDULER_JOBSTORES")
    given = parser.parse_args()
    settings = load_settings(
        environment=Environment.TESTING, database_url=given.url, log_directory=given.directory, _env_file=None
    )
    scheduler = TickScheduler(timezone="UTC")
    stores = make_stores(read_places(given.jobstores))
    declared = declare_all(*(JOBS[name] for name in given.declares), stores=stores)
    scheduler.ticker = Engine(create_app(settings), declared, setup_of(declared, stores), drain_seconds=0.2)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with nullcontext() if given.clock is None else clock.ruled_by(clock_of(given.clock)):
        scheduler.start()
        sys.stdin.read()
        if not scheduler.shutdown():
            os._exit(0)  # as `manager.py runner` does


if __name__ == "__main__":
    main()
