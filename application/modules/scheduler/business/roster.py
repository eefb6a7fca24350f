"""List jobs, all or in pages: of each store by their next run, paused ones last.

Who fires moves: a job that does between two pages may show on both, and none is left out but for that.
"""

from collections.abc import Iterator
from itertools import islice

from application.extensions import scheduler
from application.libs.page import Page, bad_cursor, encode_cursor, read_cursor
from application.libs.record import Record
from application.libs.strict_json import is_int64, unstorable_text
from application.libs.trigger import to_micros
from application.modules.scheduler.business.job import JobRow, row_of
from application.modules.scheduler.store import Place, StoredJob, Stores, walk

_ORDER = "next_run_time"

_Spot = tuple[str, Place]
"""In which store a job is, and where in its list."""

_MOST_AT_ONCE = 1000


class Choice(Record):
    """Say which jobs are meant: those that meet all that is given."""

    tag: str | None = None
    state: str | None = None
    source: str | None = None
    q: str | None = None
    """What the id or the name holds, in any case."""

    def __contains__(self, job: JobRow) -> bool:
        """Tell whether a job is meant."""
        return (
            (self.tag is None or self.tag in job.tags)
            and self.state in (None, job.state)
            and self.source in (None, job.source)
            and (self.q is None or _holds(job, self.q.casefold()))
        )


EVERY = Choice()


def search(choice: Choice = EVERY, *, limit: int | None = None, after: str | None = None) -> Page[JobRow]:
    """List jobs, all or a page; reading changes and imports nothing."""
    found = select(choice, behind=None if after is None else _place_of(after), at_once=limit)
    if limit is None:
        jobs = list(found)
        return Page(items=jobs, limit=len(jobs))
    jobs = list(islice(found, limit + 1))
    if len(jobs) <= limit:
        return Page(items=jobs, limit=limit)
    last = jobs[limit - 1]
    due = last.next_run_time
    place: list[str | int] = [last.jobstore, last.id, *([] if due is None else [to_micros(due)])]
    return Page(items=jobs[:limit], limit=limit, next=encode_cursor(_ORDER, place))


def select(choice: Choice, *, behind: _Spot | None = None, at_once: int | None = None) -> Iterator[JobRow]:
    """Return the jobs that are meant, read some at a time."""
    most = _MOST_AT_ONCE if at_once is None else at_once + 1
    for row in _rows(behind, most if choice == EVERY else _MOST_AT_ONCE):
        job = row_of(row)
        if job in choice:
            yield job


def ids(tag: str | None) -> Iterator[str]:
    """Return the ids of all jobs, or of those with a tag; one that moves meanwhile may come twice."""
    if tag is None:
        return (row.id for row in _rows(None, _MOST_AT_ONCE))
    return (job.id for job in select(Choice(tag=tag)))


def _rows(behind: _Spot | None, most: int) -> Iterator[StoredJob]:
    """Read the rows of all jobs behind a place in the list, so many at a time."""
    stores: Stores = scheduler.setup.stores
    aliases = stores.aliases
    if behind is not None:
        alias, place = behind
        if alias not in aliases:
            raise bad_cursor()
        yield from walk(stores[alias], place, most)
        aliases = aliases[aliases.index(alias) + 1 :]
    for alias in aliases:
        yield from walk(stores[alias], None, most)


def _place_of(cursor: str) -> _Spot:
    made_for, values = read_cursor(cursor)
    match made_for, values:
        case "next_run_time", [str(alias), str(job_id)] if unstorable_text(job_id) is None:
            return alias, (None, job_id)
        case "next_run_time", [str(alias), str(job_id), int(due)] if unstorable_text(job_id) is None and is_int64(due):
            return alias, (due, job_id)
    raise bad_cursor()


def _holds(job: JobRow, text: str) -> bool:
    return text in job.id.casefold() or text in job.name.casefold()
