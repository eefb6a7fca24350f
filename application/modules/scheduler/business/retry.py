"""Say whether and when an attempt follows one that failed: later each time, within one run."""

from datetime import datetime, timedelta
from random import SystemRandom

from application.libs.record import Record
from application.libs.trigger import to_micros
from application.modules.scheduler.business.definition import Definition, Unreadable, decode

_RANDOM = SystemRandom()


class Retry(Record):
    """Hold when the next attempt may begin, None where none follows, and what the run says of it."""

    at: int | None = None
    reason: str | None = None


NONE = Retry()


def after(definition: str, *, number: int, failures: int, moment: datetime) -> Retry:
    """Return what follows attempt `number`, which ended badly at a moment as the run's failure `failures`.

    Attempts whose process died are counted in `number` alone: they use up no retry.
    """
    try:
        job = decode(definition)
    except Unreadable:
        return NONE
    if job.retries == 0:
        return NONE
    if failures > job.retries:
        return Retry(reason=f"attempt {number} failed, and no other follows: retries {job.retries}")
    delay = delay_of(job, failures)
    reason = f"attempt {number} failed; retry {failures} of {job.retries} after {delay:.1f} s"
    return Retry(at=to_micros(moment + timedelta(seconds=delay)), reason=reason)


def delay_of(definition: Definition, failures: int) -> float:
    """Return how many seconds the attempt after so many failures waits."""
    grown = definition.retry_delay * definition.retry_backoff ** (failures - 1)
    return min(grown, definition.retry_max_delay) + _RANDOM.uniform(0, definition.retry_jitter)
