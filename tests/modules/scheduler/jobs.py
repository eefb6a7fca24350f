"""Jobs that the tests schedule: they leave traces in the database and wait for one another."""

import sys
import threading
import time

from application.libs.scheduling import current_run
from application.modules.tag import business as tag_business

GATE = threading.Event()
"""Lets `wait_at_the_gate` end."""

SEEN: list[object] = []
"""What `remember_the_run` saw."""


def create_a_tag(name: str = "made by a job") -> None:
    """Leave one row, once."""
    tag_business.create(name=name)


def create_a_tag_and_fail() -> None:
    """Leave nothing."""
    tag_business.create(name="never seen")
    raise ValueError("no\x00good \ud800")


def leave_the_process() -> None:
    """Try to end more than the run."""
    sys.exit(3)


def wait_at_the_gate() -> None:
    """End when the test says so."""
    GATE.wait(20)


def remember_the_run() -> None:
    """Remember which run this is."""
    SEEN.append(current_run.get())


def sleep_long() -> None:
    """Outlive a process that is killed."""
    time.sleep(30)


def do_nothing() -> None:
    """Do nothing."""
