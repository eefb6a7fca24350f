"""Fire what is due: in one unit of work that the lease fences, claim it, begin what waits, give up what is lost."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from application.libs.scheduling import Setup
from application.libs.unit_of_work import Transaction
from application.libs.watch import Watch
from application.modules.scheduler.business import attempt, event, handed, held, lease
from application.modules.scheduler.business.attempt import Launch, Running
from application.modules.scheduler.business.ledger import Claim
from application.modules.scheduler.business.room import Occupant, Room
from application.modules.scheduler.engine.due import DueJobs, Sight, earliest
from application.modules.scheduler.engine.workload import Workload

_PRUNE_SECONDS = 10

_LONG_WAIT_SECONDS = 1.0  # for another's lock; a beat is due as often


class Firing:
    """Be what a leader does at each tick, from one start of the scheduler to its end."""

    def __init__(
        self,
        setup: Setup,
        due: DueJobs,
        workload: Workload,
        unit: Transaction,
        holder: lease.Holder,
        *,
        ttl_seconds: float,
        hold_below_mb: float,
        available_mb: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """Fire in units of work that `unit` opens, as `holder`; `workload` is what this process has in hand.

        While `available_mb` gives less than `hold_below_mb`, nothing is begun; 0 is never.
        """
        self._setup = setup
        self._due = due
        self._workload = workload
        self._unit = unit
        self._holder = holder
        self._hold_below_mb = hold_below_mb
        self._available_mb = available_mb
        self._monotonic = monotonic
        self._watch = Watch(ttl_seconds, monotonic)
        self._pruned_at = monotonic()
        self._holds = True  # another leader may have
        self.waiting: frozenset[str] = frozenset()
        """The jobs of which a run waits for one that goes on."""
        self.next: datetime | None = None
        """When something falls due next, as the last tick saw it."""

    def begin_to_lead(self) -> None:
        """Look anew: another has led until now, and this one may run newer code."""
        self.forget_silence()
        self._holds = True

    def release_quarantine(self) -> None:
        """Try again what could not be restored under the old leader."""
        for store in self._setup.stores:
            store.release_quarantine()

    def forget_silence(self) -> None:
        """Begin anew to measure who is silent: who could not look does not know who was."""
        self._watch.clear()

    def tick(self, token: int, moment: datetime) -> tuple[list[Launch], bool]:
        """Fire what is due as the leader of this token; return what this process is to run, and whether more is due.

        Raises `LeaseLost` where another leads.
        """
        seen = self._due.look(moment, partial(self._unit, write=False))
        began = self._monotonic()
        with self._unit():
            lease.beat(token, moment)
            self._due.forget_settled(seen)
            if self._monotonic() - began > _LONG_WAIT_SECONDS:
                self._watch.clear()  # whoever was to raise a beat had to wait as well
            room = self._room(attempt.running(), moment)
            launches, more = self._begin_or_hold(token, room, moment, seen)
            waiting = attempt.waiting(room, moment)
            following = self._due.next_here(moment)
            self._number_events(moment)
        self.next = earliest(following, self._due.next_elsewhere(moment))
        self.waiting = waiting
        return launches, more

    def known(self) -> frozenset[str]:
        """Return the functions that jobs may have here."""
        return frozenset(entry.reference for entry in self._setup.functions)

    def _room(self, running: Sequence[Running], moment: datetime) -> Room:
        """Give up what is lost, settle what a worker ended without a word, and count what goes on."""
        ended = handed.settle(running, moment)
        for lost in attempt.silent(running, self._watch, ours=self._workload.ids()):
            attempt.lose(lost, moment)
            ended.add(lost.id)
        return Room(
            Occupant(one.job_id, one.definition, one.run_id, one.since) for one in running if one.id not in ended
        )

    def _begin_or_hold(
        self, token: int, room: Room, moment: datetime, seen: Sequence[Sight]
    ) -> tuple[list[Launch], bool]:
        """Begin what waits and what is due, or hold it; return what begins, and whether more is due at once."""
        pause, shortage = lease.pause(), self._shortage()
        elsewhere = [row for sight in seen for row in sight.rows]
        if shortage is not None:
            held.hold(shortage, moment, schedule=not pause.paused, foreign=elsewhere)
            self._holds = True
            return [], False
        if self._holds:
            self._holds = held.release(moment, elsewhere)
        launches, more = attempt.begin_queued(token, self._holder, room, moment), False
        if not pause.paused:
            claim = Claim(token, self._holder, room, self.known(), moment, pause)
            due, more = self._due.claim(claim, seen)
            launches += due
        return launches, more

    def _shortage(self) -> held.Shortage | None:
        """Say how much memory is missing, as far as anybody wants to know."""
        if not self._hold_below_mb:
            return None
        free_mb = self._available_mb()
        return held.Shortage(free_mb, self._hold_below_mb) if free_mb < self._hold_below_mb else None

    def _number_events(self, moment: datetime) -> None:
        event.number()
        if self._monotonic() - self._pruned_at >= _PRUNE_SECONDS:
            self._pruned_at = self._monotonic()
            event.prune(moment)
