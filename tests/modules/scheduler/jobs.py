"""Jobs that the tests schedule: they leave traces in the database and wait for one another."""

import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated

from flask import Flask
from pydantic import Field

from application.config.setting import Settings
from application.factory import create_app
from application.libs.catalogue import Catalogue
from application.libs.run_context import check_cancelled, current_run
from application.libs.task import current_task, progress
from application.modules.tag import business as tag_business

GATE = threading.Event()
"""Lets `wait_at_the_gate` end."""

ARRIVED: list[object] = []
"""Which runs have come to `wait_at_the_gate`."""

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
    ARRIVED.append(current_run.get())
    GATE.wait(20)


def remember_the_run() -> None:
    """Remember which run this is."""
    SEEN.append(current_run.get())


def sleep_long() -> None:
    """Outlive a process that is killed."""
    time.sleep(30)


def leave_a_tag() -> str:
    """Leave a row that is named after the fire: done twice, it would break a constraint."""
    run = current_run.get()
    assert run is not None
    sys.stdout.write("a tag\n")
    return tag_business.create(name=run.scheduled_at.isoformat()).name


def leave_a_tag_at_the_gate() -> None:
    """Leave a row, and end when the test says so."""
    ARRIVED.append(current_run.get())
    GATE.wait(20)
    leave_a_tag()


def tell_progress() -> str:
    """Say how far it is, print, and return which run and task this is."""
    run, context = current_run.get(), current_task.get()
    assert run is not None
    assert context is not None
    progress(1, 2, "half of it")
    sys.stdout.write("printed\n")
    logging.getLogger(__name__).warning("logged")
    return f"{run.run_id} {run.attempt} {context.key}"


def do_nothing() -> None:
    """Do nothing."""


def tell_the_answer() -> int:
    """Return something."""
    return 42


def take_two(first: object = None, second: object = None) -> None:
    """Take anything."""


def report(day: date, *, copies: Annotated[int, Field(ge=1, le=9)] = 1, to: Sequence[str] = ()) -> None:
    """Remember what it was called with."""
    SEEN.append((day, copies, to))


FAILURES: list[object] = []
"""What `fail_as_told` has left to raise, the next one last."""


def fail_as_told() -> None:
    """Raise what the test laid ready, and return when nothing is left."""
    SEEN.append(current_run.get())
    if FAILURES:
        raise RuntimeError(FAILURES.pop())


def say(*lines: str) -> dict[str, object]:
    """Log and print, and return something."""
    for line in lines:
        logging.getLogger(__name__).warning("logged %s", line)
        sys.stdout.write(f"printed {line}\n")
    return {"lines": len(lines), "at": date(2030, 1, 31)}


def work_until_cancelled() -> None:
    """Go on until asked to end, and leave a tag, which is rolled back."""
    ARRIVED.append(current_run.get())
    run = current_run.get()
    while run is not None and not run.cancelled:
        run.stop.wait(0.02)
    tag_business.create(name="half done")
    check_cancelled()


def fail_once_cancelled() -> None:
    """End badly once asked to end."""
    run = current_run.get()
    ARRIVED.append(run)
    if run is not None and run.stop.wait(20):
        raise RuntimeError("no")


def return_once_cancelled() -> str:
    """End well once asked to end."""
    run = current_run.get()
    ARRIVED.append(run)
    return "done" if run is not None and run.stop.wait(20) else "never asked"


def talk_and_wait() -> None:
    """Log, then end when the test says so."""
    logging.getLogger(__name__).warning("before the gate")
    GATE.wait(20)


def build_with_these(settings: Settings) -> Flask:
    """Build an application that knows these functions, for a process of the pool."""
    app = create_app(settings)
    catalogue: Catalogue = app.extensions["scheduler"].setup.functions
    for function in (create_a_tag, create_a_tag_and_fail, say, compute, end_hard, sleep_long):
        catalogue.register(function)
    return app


def builder(settings: Settings) -> partial[Flask]:
    """Return what builds it in another process."""
    return partial(build_with_these, settings)


def compute(count: int = 10**9) -> int:
    """Keep a processor busy."""
    total = 0
    for number in range(count):
        total += number % 7
    return total


def end_hard() -> None:
    """End the process without a word."""
    os._exit(3)
