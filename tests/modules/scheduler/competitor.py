"""Compete for the lease from a process of its own: `python -m tests.modules.scheduler.competitor URL DIRECTORY`.

It ends when its standard input does.
"""

import sys
from pathlib import Path

from application.config.setting import Environment, load_settings
from application.factory import create_app
from application.libs.scheduling import TickScheduler
from application.modules.scheduler.engine import Engine
from tests.modules.scheduler.conftest import declare_all, job

TTL_SECONDS = 1.5

JOBS = (
    job("second", trigger="interval", seconds=1, coalesce=False),
    job("long", "sleep_long"),
)


def main(url: str, directory: str) -> None:
    """Fire until nobody holds the other end of standard input."""
    settings = load_settings(
        environment=Environment.TESTING, database_url=url, log_directory=Path(directory), _env_file=None
    )
    engine = Engine(create_app(settings), declare_all(*JOBS), drain_seconds=0.2, ttl_seconds=TTL_SECONDS)
    scheduler = TickScheduler(timezone="UTC")
    scheduler.ticker = engine
    scheduler.start()
    sys.stdin.read()
    scheduler.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
