"""Rules about what a trigger will do: when it fires next, and what one should beware of."""

from collections.abc import Mapping
from typing import Any

from application.extensions import scheduler
from application.libs import trigger
from application.libs.clock import now
from application.libs.trigger import Preview
from application.modules.scheduler.business import job
from application.modules.scheduler.business.definition import Unreadable, decode
from application.modules.scheduler.business.draft import Draft
from application.modules.scheduler.store import Stores

MOST_OTHERS = 200
"""How many other jobs are asked whether they fire together."""


def preview(given: Mapping[str, Any]) -> Preview:
    """Return the next fires of a trigger that is given as for a job; raise `InvalidJob`."""
    fields = Draft(given, now()).timing()
    return _told(fields, "", count=given.get("count", 10), zones={"asked": given.get("zone", "UTC")})


def preview_of(job_id: str, *, count: int) -> Preview:
    """Return the next fires of a job, paused or not."""
    return _told(job.definition_of(job_id).trigger, job_id, count=count, zones={})


def _told(fields: trigger.Fields, job_id: str, *, count: int, zones: Mapping[str, str]) -> Preview:
    everywhere = {"server": scheduler.setup.timezone, **zones}
    return trigger.preview(fields, now=now(), count=count, zones=everywhere, others=_others(job_id))


def _others(job_id: str) -> dict[str, trigger.Fields]:
    stores: Stores = scheduler.setup.stores
    found = {}
    for row in (row for store in stores for row in store.scheduled(MOST_OTHERS, besides=job_id)):
        try:
            found[row.id] = decode(row.definition).trigger
        except Unreadable:
            continue
    return found
