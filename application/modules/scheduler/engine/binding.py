"""Bind the scheduler to an application: what its jobs may be made of, what fires them, and what steers them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Flask

from application.extensions import scheduler
from application.libs.executor import handings, process_pools
from application.libs.jobstore import read_places
from application.libs.scheduling import Setup
from application.libs.task import task
from application.modules.scheduler.business import handed, handing
from application.modules.scheduler.business.definition import EXECUTORS, catalogue_of, declare, register
from application.modules.scheduler.engine.engine import Engine
from application.modules.scheduler.engine.operations import EngineOperations
from application.modules.scheduler.store import make_stores


def init_app(
    app: Flask,
    jobs: Sequence[Mapping[str, Any]],
    *,
    drain_seconds: float,
    hold_below_mb: float = 0,
    build: Callable[[], Flask] | None = None,
) -> None:
    """Bind the scheduler to the application; nothing starts before `scheduler.start()`.

    `drain_seconds` is how long a stop waits for what runs; with less than `hold_below_mb` of memory nothing begins.
    `build` builds the application once more, for a process in which jobs run; it is pickled to get there.
    """
    timezone, defaults = app.config["SCHEDULER_TIMEZONE"], app.config["SCHEDULER_JOB_DEFAULTS"]
    configured = app.config.get("SCHEDULER_EXECUTORS") or {}
    executors = tuple(dict.fromkeys((*EXECUTORS, *configured)))
    stores = make_stores(read_places(app.config.get("SCHEDULER_JOBSTORES")))
    declared_jobs = declare(
        [*jobs, *scheduler.declared],
        timezone=timezone,
        defaults=defaults,
        executors=executors,
        jobstores=stores.aliases,
    )
    setup = Setup(
        catalogue_of(declared_jobs),
        timezone,
        defaults,
        executors,
        stores,
        process_pools(configured),
        handings(configured),
    )
    task(handed.run_job, name=handing.TASK, transaction=False, retryable=False)
    for function, name in scheduler.functions:
        register(setup.functions, function, name)
    engine = Engine(app, declared_jobs, setup, drain_seconds=drain_seconds, hold_below_mb=hold_below_mb, build=build)
    scheduler.init_app(app, engine, EngineOperations(setup.functions, engine.declare))
