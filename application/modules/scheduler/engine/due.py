"""Find and claim what is due in each store: those outside the database are asked before the unit of work.

Nothing may wait for a network while the lease's transaction is open.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from application.libs.jobstore import StoreUnavailable
from application.libs.record import Record
from application.modules.scheduler.business import ledger
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.ledger import Claim
from application.modules.scheduler.store import DocumentStore, DueJob, JobStore, Stores, outbox

_LOG = logging.getLogger(__name__)

_SAY_AGAIN_SECONDS = 60

REST_SECONDS = 5
"""How long a store that did not answer is not asked: to wait for it at each tick would cost the lease."""


class Sight(Record):
    """Hold what was due in one store outside the database, and which orders were carried out there before."""

    store: JobStore
    rows: Sequence[DueJob]
    settled: Sequence[str]


class DueJobs:
    """Ask the stores; one that does not answer fires nothing until it does, and stops no other."""

    def __init__(self, stores: Stores) -> None:
        """Take the stores."""
        self._foreign = stores.foreign
        self._here = [store for store in stores if store not in self._foreign]
        self._said_at: dict[str, float] = {}
        self._ask_at: dict[str, float] = {}

    def look(self, moment: datetime, unit: Callable[[], AbstractContextManager[object]]) -> list[Sight]:
        """Tell other stores what they are still to be told, then return what is due in each that answers.

        `unit` is the unit of work in which is read what they are to be told.
        """
        if not self._foreign:
            return []
        with unit():
            orders = {store.alias: outbox.of(store.alias) for store in self._foreign}
        seen = []
        for store in self._answering():
            try:
                store.settle(orders[store.alias])
                settled = [one.id for one in orders[store.alias]]
                seen.append(Sight(store, ledger.due_in(store, moment), settled))
            except StoreUnavailable as error:
                self._say(store, error)
        return seen

    def claim(self, claim: Claim, seen: Sequence[Sight]) -> tuple[list[Launch], bool]:
        """Claim what is due here and what was seen elsewhere; return what is to start and whether more waits."""
        here = [(store, ledger.due_in(store, claim.moment)) for store in self._here]
        launches: list[Launch] = []
        more = False
        for store, rows in [*here, *((sight.store, sight.rows) for sight in seen)]:
            due, waits = ledger.claim_due(store, rows, claim)
            launches, more = launches + due, more or waits
        return launches, more

    def forget_settled(self, seen: Iterable[Sight]) -> None:
        """Forget, in the unit of work of the lease, what was carried out."""
        outbox.remove([one for sight in seen for one in sight.settled])

    def next_here(self, after: datetime) -> datetime | None:
        """Return when something falls due next by what the database says."""
        return earliest(ledger.next_attempt(after), *(ledger.next_in(store, after) for store in self._here))

    def next_elsewhere(self, after: datetime) -> datetime | None:
        """Return when something falls due next in the other stores."""
        found: list[datetime | None] = []
        for store in self._answering():
            try:
                found.append(ledger.next_in(store, after))
            except StoreUnavailable as error:
                self._say(store, error)
        return earliest(*found)

    def _answering(self) -> Iterator[DocumentStore]:
        for store in self._foreign:
            if time.monotonic() >= self._ask_at.get(store.alias, float("-inf")):
                yield store

    def _say(self, store: JobStore, error: StoreUnavailable) -> None:
        moment = time.monotonic()
        self._ask_at[store.alias] = moment + REST_SECONDS
        if moment - self._said_at.get(store.alias, float("-inf")) >= _SAY_AGAIN_SECONDS:
            self._said_at[store.alias] = moment
            _LOG.warning("Nothing of the job store %s fires: %s (%s)", store.alias, error, error.__cause__)


def earliest(*moments: datetime | None) -> datetime | None:
    """Return the first of the moments that there are."""
    return min((moment for moment in moments if moment is not None), default=None)
