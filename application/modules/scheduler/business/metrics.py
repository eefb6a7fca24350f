"""Figures about the scheduler for who watches many machines; any process reads the same ones from the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from application.database import execute
from application.extensions import scheduler
from application.libs.clock import now
from application.libs.exposition import Distribution, Family
from application.modules.scheduler.business import cluster, event, member
from application.modules.scheduler.business.totals import Histogram
from application.modules.scheduler.models import LEASE, EventBatch, Lease, Run
from application.modules.scheduler.store import Stores

ENDS = ("succeeded", "failed", "timed_out", "cancelled", "missed", "skipped", "interrupted", "lost")
"""Shown from the start, at nothing, so that rates are right from the first run on."""

Kind = Literal["counter", "gauge"]

_OPEN = sa.select(Run.status, sa.func.count()).where(Run.status.in_(["queued", "running"])).group_by(Run.status)
_LEASE = sa.select(Lease.token, Lease.beat_at).where(Lease.name == LEASE)
_UNNUMBERED = sa.select(sa.func.coalesce(sa.func.sum(EventBatch.size), 0)).where(EventBatch.number.is_(None))


def read() -> Sequence[Family | Distribution]:
    """Return all figures; no statement reads more of the ledger than what is queued or running."""
    return [*_runs(), *_jobs(), *_leader(now())]


def _runs() -> list[Family | Distribution]:
    last, totals = event.read_totals()
    goes_on = {row[0]: row[1] for row in execute(_OPEN)}
    return [
        _by(
            "counter",
            "runs",
            "Runs that ended or came to nothing, by what became of them.",
            "status",
            {**dict.fromkeys(ENDS, 0), **totals.runs},
        ),
        _by("counter", "alerts", "Alerts that were raised, by their kind.", "kind", totals.alerts),
        _distribution("run_duration_seconds", "How long attempts took that ended.", totals.duration),
        _distribution("run_lateness_seconds", "How long after their instant runs began that ended.", totals.lateness),
        _one("gauge", "runs_queued", "Runs that wait.", goes_on.get("queued", 0)),
        _one("gauge", "runs_running", "Runs that go on.", goes_on.get("running", 0)),
        _one("counter", "events", "Events that were numbered.", last),
        _one("gauge", "events_waiting", "Events that no leader has numbered yet.", execute(_UNNUMBERED).scalar_one()),
    ]


def _jobs() -> list[Family]:
    stores: Stores = scheduler.setup.stores
    counts = [store.count() for store in stores]
    paused, quarantined = sum(one.paused for one in counts), sum(one.quarantined for one in counts)
    scheduled = sum(one.total for one in counts) - paused - quarantined
    states = {"scheduled": scheduled, "paused": paused, "quarantined": quarantined}
    return [_by("gauge", "jobs", "Jobs by their state.", "state", states)]


def _leader(moment: datetime) -> list[Family]:
    status, lease = cluster.status(), execute(_LEASE).one_or_none()
    members = sum(not one.is_stale for one in member.search())
    families = [
        _one("gauge", "leader", "Whether a process fires.", status.leader is not None),
        _one("gauge", "paused", "Whether the schedule is paused for all.", status.paused),
        _one("gauge", "members", "Processes that compete for the lease.", members),
    ]
    if lease is not None:
        families.append(_one("counter", "leaders", "Leaders that there were.", lease.token))
    if lease is not None and lease.beat_at is not None:
        age = (moment - lease.beat_at) / timedelta(seconds=1)
        families.append(_one("gauge", "leader_beat_age_seconds", "Since when the leader is silent.", max(0.0, age)))
    return families


def _one(kind: Kind, name: str, text: str, value: float) -> Family:
    return Family(kind, f"scheduler_{name}", text, {"": value})


def _by(kind: Kind, name: str, text: str, label: str, values: Mapping[str, float]) -> Family:
    return Family(kind, f"scheduler_{name}", text, values, label)


def _distribution(name: str, text: str, histogram: Histogram) -> Distribution:
    return Distribution(f"scheduler_{name}", text, histogram.bounds, histogram.counts, histogram.sum)
