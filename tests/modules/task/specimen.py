"""Tasks for tests: each does one thing that a task can do."""

import os
import signal
import time
from functools import partial

from flask import Flask

from application.config.setting import Environment, Settings, load_settings
from application.database import transaction
from application.factory import create_app
from application.libs.background import background
from application.libs.catalogue import Catalogue
from application.libs.error import Conflict
from application.libs.ident import new_id
from application.libs.run_context import Cancelled, check_cancelled
from application.libs.task import current_task, progress, task
from application.modules.tag import business as tag_business
from tests.modules.scheduler.jobs import leave_a_tag


class Taken(Conflict):
    """Somebody was faster."""


def add(left: int, right: int) -> int:
    """Add two numbers."""
    return left + right


def write(name: str) -> str:
    """Write a row."""
    return tag_business.create(name=name).name


@background
def _write_slowly(name: str) -> None:
    time.sleep(2)
    with transaction():
        tag_business.create(name=name)


def write_later(name: str) -> bool:
    """Write a row in the background of the process."""
    return _write_slowly(name)


def write_and_fail(name: str) -> None:
    """Write a row, and fail."""
    tag_business.create(name=name)
    raise ValueError("no")


def fail_until(attempt: int, message: str = "not yet") -> int:
    """Fail in each attempt before this one."""
    context = current_task.get()
    assert context is not None
    if context.attempt < attempt:
        raise ValueError(message)
    return context.attempt


def refuse() -> None:
    """Refuse, as a rule does."""
    raise Taken("Choose another")


def count(steps: int, pause_seconds: float = 0.05) -> int:
    """Say how far it is, step by step."""
    for step in range(steps):
        progress(step, steps, f"step {step}")
        time.sleep(pause_seconds)
    return steps


def count_until_cancelled(seconds: float) -> str:
    """Go on until it is asked to end, so many seconds at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        check_cancelled()
        time.sleep(0.02)
    return "nobody cancelled it"


def fail_when_asked(seconds: float) -> None:
    """Go on until it is asked to end, so many seconds at most, and fail then."""
    try:
        count_until_cancelled(seconds)
    except Cancelled:
        raise ValueError("no") from None


def sleep(seconds: float) -> int:
    """Do nothing for a while, whoever asks; return the process that did it."""
    time.sleep(seconds)
    return os.getpid()


def key() -> str | None:
    """Return the key and the name of the task."""
    context = current_task.get()
    return None if context is None else f"{context.key} {context.name} {context.attempt}"


def die() -> None:
    """Take the process with it."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(name: str) -> int:
    """Take the process with it the first time, and write a row the second."""
    context = current_task.get()
    assert context is not None
    if context.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    tag_business.create(name=name)
    return os.getpid()


def unique_name() -> str:
    """Return a name that no other row has."""
    return new_id()


add = task(add)
write = task(write)
write_later = task(write_later, transaction=False)
write_and_fail = task(write_and_fail)
fail_until = task(fail_until, retries=2, backoff_seconds=0.1)
refuse = task(refuse, retries=3, retry_on=(ValueError,))
count = task(count, transaction=False)
count_until_cancelled = task(count_until_cancelled, transaction=False)
sleep = task(sleep, transaction=False)
key = task(key)
fail_when_asked = task(fail_when_asked, transaction=False, retries=5, backoff_seconds=0.1)
die = task(die)
die_once = task(die_once)


def gentle(seconds: float) -> str:
    """Go on until it is asked to end: it is after a tenth of a second."""
    return count_until_cancelled(seconds)


def limited(seconds: float) -> int:
    """Be killed after half a second."""
    return sleep(seconds)


def brief() -> str:
    """Be begun within a tenth of a second or never."""
    return "begun"


task(gentle, soft_limit_seconds=0.1, transaction=False)
task(limited, hard_limit_seconds=0.5, transaction=False)
task(brief, expires_seconds=0.1)

MODULE = "tests.modules.task.specimen"


def build(settings: Settings) -> Flask:
    """Build an application that knows these tasks, too."""
    app = create_app(settings, {"TASKS": ("application.modules.task.tasks", MODULE)})
    functions: Catalogue = app.extensions["scheduler"].setup.functions
    functions.register(leave_a_tag)
    return app


def builder(settings: Settings) -> partial[Flask]:
    """Return what builds it in another process."""
    return partial(build, settings)


def settings(**values: object) -> Settings:
    """Return the settings of tests, and these; no file is read for them."""
    known = {"environment": Environment.TESTING, "_env_file": None}
    return load_settings(**known, **values)
