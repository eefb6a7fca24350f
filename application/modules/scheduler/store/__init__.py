"""Keep jobs: `database` in the application's own, in the unit of work of whoever asks; others as documents.

`job_store` says what every store does, `record` what it holds; `stores` is all of them by alias, which `making` makes
of the settings. A `document_store` stands on a `keeper`: `memory`, `redis`, `mongodb`, `zookeeper`, `rethinkdb`;
`outbox` is what they are still to be told.
"""

from application.modules.scheduler.store import outbox
from application.modules.scheduler.store.database import DatabaseStore
from application.modules.scheduler.store.document_store import DocumentStore
from application.modules.scheduler.store.job_store import JobStore, walk
from application.modules.scheduler.store.making import make_stores
from application.modules.scheduler.store.record import (
    Change,
    Count,
    DueJob,
    JobChanged,
    Place,
    StoredJob,
)
from application.modules.scheduler.store.stores import DEFAULT, Stores

__all__ = [
    "DEFAULT",
    "Change",
    "Count",
    "DatabaseStore",
    "DocumentStore",
    "DueJob",
    "JobChanged",
    "JobStore",
    "Place",
    "StoredJob",
    "Stores",
    "make_stores",
    "outbox",
    "walk",
]
