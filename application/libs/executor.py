"""Make the executors that SCHEDULER_EXECUTORS names, as APScheduler does."""

from collections.abc import Mapping
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.util import ref_to_obj
from msgspec import convert

from application.libs.record import Record
from application.libs.task import Priority, Queue
from application.libs.thread_pool import ThreadExecutor

PROCESS_POOL = "processpool"
"""The alias and the type of the pool of processes that there always is."""

CELERY = "celery"
"""The alias and the type of the executor that hands runs over to the workers of tasks, which there always is."""

DEFAULTS: Mapping[str, Any] = {PROCESS_POOL: {"type": PROCESS_POOL, "max_workers": 2}, CELERY: {"type": CELERY}}

KINDS = ("threadpool", PROCESS_POOL, CELERY)

_OTHER_POOL = "its processes cannot be killed, and know no application; use {'type': 'processpool', 'max_workers': 2}"


class Handing(Record):
    """Hold how an executor hands runs over: as tasks of which queue and priority; None is as the task was declared."""

    queue: Queue | None = None
    priority: Priority | None = None


class HandingExecutor(BaseExecutor):
    """Stand in APScheduler's list for the workers, in other processes, that are given tasks instead of calls."""

    def __init__(self, handing: Handing) -> None:
        """Remember how it hands over."""
        super().__init__()
        self.handing = handing

    def _do_submit_job(self, job: Any, run_times: Any) -> None:
        message = f"{job.id} is handed over by its row, and submitted to nobody"
        raise NotImplementedError(message)


def fault_of(given: Any) -> str | None:
    """Say why there can be no such executor; None when there can."""
    try:
        _maker(given)
    except (LookupError, ImportError, TypeError, ValueError) as error:
        return str(error)
    return None


def make(given: Any) -> BaseExecutor:
    """Return an executor as given: an instance, which serves one start, or a dict with `type` or `class`."""
    maker, options = _maker(given)
    return maker(**options)


def process_pools(given: Mapping[str, Any]) -> dict[str, int]:
    """Return how many processes each pool of processes has, by alias; threads of the executor wait for them."""
    sizes = {}
    for alias, options in {**DEFAULTS, **given}.items():
        if isinstance(options, Mapping) and options.get("type") == PROCESS_POOL:
            sizes[alias] = int(options.get("max_workers", DEFAULTS[PROCESS_POOL]["max_workers"]))
    return sizes


def handings(given: Mapping[str, Any]) -> dict[str, Handing]:
    """Return how each executor hands over that does so, by alias."""
    named = {alias: options for alias, options in {**DEFAULTS, **given}.items() if isinstance(options, Mapping)}
    return {alias: _handing(_options(one)) for alias, one in named.items() if one.get("type") == CELERY}


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in ("type", "class")}


def _handing(options: Mapping[str, Any]) -> Handing:
    """Return how it hands over; raise `ValueError` for what cannot be."""
    for name in options:
        if name not in Handing.__struct_fields__:
            raise ValueError(f"it has no {name!r}; what it takes is {', '.join(Handing.__struct_fields__)}")
    return convert(options, Handing)


def _maker(given: Any) -> tuple[Any, dict[str, Any]]:
    if isinstance(given, BaseExecutor):
        _refuse_processes(type(given))
        return lambda: given, {}
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{given!r} is neither an executor nor a dict; give {{'type': 'threadpool', 'max_workers': 10}}"
        )
    options, kind = _options(given), given.get("type")
    if kind == CELERY:
        return HandingExecutor, {"handing": _handing(options)}
    if kind is None and "class" in given:
        return _class_of(given["class"]), options
    if kind not in KINDS:
        raise ValueError(f"there is no type {kind!r}; use one of {', '.join(KINDS)}, or name a `class`")
    return ThreadExecutor, options


def _class_of(named: Any) -> Any:
    """Return a class that is given as itself or as `module:name`; what the configuration names is trusted."""
    found = ref_to_obj(named) if isinstance(named, str) else named
    if not isinstance(found, type) or not issubclass(found, BaseExecutor):
        raise TypeError(f"{named!r} is no class of executors; derive it from apscheduler's BaseExecutor")
    _refuse_processes(found)
    return found


def _refuse_processes(kind: type) -> None:
    if issubclass(kind, ProcessPoolExecutor):
        raise TypeError(_OTHER_POOL)
