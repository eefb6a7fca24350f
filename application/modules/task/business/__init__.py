"""Rules of tasks: enqueue them, look at them, end them; and what processes write while they run."""

from application.libs.arguments import InvalidArguments
from application.modules.task.business.attempting import OVERRUN
from application.modules.task.business.enqueuing import UniqueKeyTaken, Wish, enqueue, enqueue_as, enqueue_new
from application.modules.task.business.following import TaskEnding, ask_to_end, endings
from application.modules.task.business.steering import (
    FILTERS,
    ORDERS,
    Caller,
    CatalogueRow,
    NotRetryable,
    NotYours,
    TaskEnded,
    TaskNotEnded,
    TaskNotFound,
    TaskRow,
    TooManyTasks,
    UnknownTask,
    cancel,
    catalogue,
    get,
    retry,
    search,
    start,
    states,
)

__all__ = [
    "FILTERS",
    "ORDERS",
    "OVERRUN",
    "Caller",
    "CatalogueRow",
    "InvalidArguments",
    "NotRetryable",
    "NotYours",
    "TaskEnded",
    "TaskEnding",
    "TaskNotEnded",
    "TaskNotFound",
    "TaskRow",
    "TooManyTasks",
    "UniqueKeyTaken",
    "UnknownTask",
    "Wish",
    "ask_to_end",
    "cancel",
    "catalogue",
    "endings",
    "enqueue",
    "enqueue_as",
    "enqueue_new",
    "get",
    "retry",
    "search",
    "start",
    "states",
]
