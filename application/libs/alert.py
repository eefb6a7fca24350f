"""Tell code of its own choice when a job fails, recovers or is missed."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from application.libs.record import Record

_LOG = logging.getLogger(__name__)

Kind = Literal["failure", "recovery", "misses"]


class Alert(Record):
    """Hold what has become of a job; `run_id` is the run that tipped the scale, `count` how many were in a row."""

    job_id: str
    name: str
    kind: Kind
    status: str
    """What became of that run."""
    run_id: str
    count: int
    error_type: str | None
    error_message: str | None
    at: datetime


Hook = Callable[[Alert], object]


def log_alert(alert: Alert) -> None:
    """Write an alert to the log, in one line."""
    error = f": {alert.error_type or ''} {alert.error_message or ''}".rstrip(": ").replace("\n", " ")
    _LOG.warning(
        "Alert: %s of job %s, %d in a row (run %s)%s", alert.kind, alert.job_id, alert.count, alert.run_id, error
    )


class Alerting:
    """Be the part of the extension that knows whom to alert."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Begin with the log."""
        self.alert_hooks: list[Hook] = [log_alert]
        super().__init__(*arguments, **options)

    def on_alert(self, hook: Hook) -> Hook:
        """Call a function with each alert, in the unit of work that writes what it is about: `@scheduler.on_alert`.

        What it raises is logged and undone, and the end of the run is written all the same. It is called in the
        process where the run ended or the leader was; decorate it where each process imports it.
        """
        if hook not in self.alert_hooks:
            self.alert_hooks.append(hook)
        return hook
