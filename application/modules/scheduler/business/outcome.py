"""Say what becomes of runs that have not ended: in the ledger, and to whoever watches."""

from collections.abc import Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from application.database import change
from application.modules.scheduler.business import event
from application.modules.scheduler.models import Run

_RUN = sa.update(Run).where(Run.id == sa.bindparam("run_id"), Run.status.in_(["queued", "running"]))


class Subject(Protocol):
    """Be something of a run: an attempt, or its end."""

    @property
    def run_id(self) -> str:
        """Return which run it is of."""

    @property
    def job_id(self) -> str:
        """Return which job that is of."""


def become(of: Subject, values: Mapping[str, Any], **told: Any) -> bool:
    """Write what has become of a run, unless it has ended; `told` is what the viewers hear beside it.

    Returns whether it had not.
    """
    open_yet = change(_RUN, run_id=of.run_id, **values) > 0
    if open_yet:
        event.note_run(of.job_id, of.run_id, values["status"], **{"reason": values.get("reason"), **told})
    return open_yet
