"""Say what a store holds of a job."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from application.libs.error import Conflict
from application.libs.record import Record


class JobChanged(Conflict):
    """The job was changed by somebody else at the very same moment; try again."""


Place = tuple[int | None, str]
"""Where a job stands in the list: when it is due (None: paused), and its id."""


class StoredJob(Record):
    """Hold a job as it is stored, with the names and meanings of `models.Job`; `store` is the alias of where.

    `kept` is what a store outside the database holds of it, byte for byte: what was changed meanwhile is found by it.
    """

    id: str
    definition: str
    version: int
    source: str
    declaration: str | None
    next_run_time: int | None
    paused_by: str | None
    paused_at: datetime | None
    left_out_from: int | None
    quarantine: str | None
    quarantined_at: datetime | None
    created_at: datetime
    updated_at: datetime
    store: str
    kept: bytes = b""


Change = tuple[StoredJob, Mapping[str, Any] | None]
"""A job as it was seen, and what becomes of it; None deletes it."""


class Count(Record):
    """Hold how many jobs there are, and how many of them are put aside, or paused and not put aside."""

    total: int
    quarantined: int
    paused: int


class DueJob(Record):
    """Hold what is needed to fire a job: when, in microseconds, and what."""

    id: str
    definition: str
    next_run_time: int
