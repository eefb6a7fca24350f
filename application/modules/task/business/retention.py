"""Delete tasks that ended long ago."""

from datetime import timedelta

import sqlalchemy as sa

from application.database import change, execute
from application.libs.clock import now
from application.modules.task.models import Task

_MOST = 1000

_OLD = sa.select(Task.id).where(Task.finished_at < sa.bindparam("before", type_=Task.finished_at.type)).limit(_MOST)
_DELETE = sa.delete(Task).where(Task.id.in_(sa.bindparam("ids", expanding=True)))


def prune(*, keep_days: int) -> int:
    """Delete some of the tasks that ended before so many days; return how many."""
    ids = list(execute(_OLD, before=now() - timedelta(days=keep_days)).scalars())
    return change(_DELETE, ids=ids) if ids else 0
