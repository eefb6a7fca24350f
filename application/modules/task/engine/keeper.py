"""Keep what this process has in hand: show that it goes on, say how far it is, and heed who wants it to end.

One thread writes for all tasks of the process.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

from application.libs.run_context import Stop
from application.libs.task import Options, Progress
from application.modules.task.business import attempting
from application.modules.task.business.attempting import Claimed, Superseded

_LOG = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the thread looks after what is in hand; what is said of progress more often is left out."""

BEAT_SECONDS = 1.0
"""How often a task shows that it goes on."""

STOPS = "interrupted: its process stops"
"""Why a task is asked to end, and handed back, that its process cannot wait for."""

Why = Literal["cancelled", "soft limit", "hard limit", "superseded", "stopping"]

Unit = Callable[[], AbstractContextManager[object]]


class Hand:
    """Hold a task that this process has begun; `kill` ends it where it has a process of its own.

    One that is not done here has a keeper there, who shows that it goes on; `has_begun` tells since when.
    """

    def __init__(
        self,
        claimed: Claimed,
        options: Options,
        kill: Callable[[], object] | None,
        has_begun: Callable[[], bool] | None = None,
    ) -> None:
        """Begin to count its time, where it is done here."""
        self.claimed = claimed
        self.options = options
        self.kill = kill
        self.is_here = has_begun is None
        self.has_begun = has_begun
        self.stop = Stop()
        self.began = time.monotonic()
        self.why: Why | None = None
        self.overran = False
        self.progress: Progress | None = None

    def report(self, progress: Progress) -> None:
        """Take in how far it has come; the last one counts."""
        self.progress = progress

    def take_progress(self) -> Progress | None:
        """Return how far it has come, once."""
        step, self.progress = self.progress, None
        return step

    @property
    def attempt(self) -> tuple[str, int]:
        """Return which attempt of which task it is."""
        return self.claimed.id, self.claimed.attempt

    def ask(self, why: Why, reason: str) -> None:
        """Ask it to end; the first reason stays."""
        if self.why is None:
            self.why = why
            self.stop.ask(reason)


class Closed(Exception):
    """This process begins nothing more."""


class Keeper:
    """Be the thread, from the first task on until `stop`."""

    def __init__(self, unit: Unit) -> None:
        """Write in units of work that `unit` opens; start nothing."""
        self._unit = unit
        self._changed = threading.Condition()
        self._hands: dict[str, Hand] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._stopped = False
        self._beat_at = 0.0
        self._failed = False

    def __len__(self) -> int:
        return len(self._hands)

    @property
    def closed(self) -> bool:
        """Tell whether nothing more is begun here."""
        return self._closed

    @property
    def stopped(self) -> bool:
        """Tell whether the process is about to end."""
        return self._stopped

    def ids(self) -> frozenset[str]:
        """Return what is in hand."""
        with self._changed:
            return frozenset(self._hands)

    def add(
        self,
        claimed: Claimed,
        options: Options,
        kill: Callable[[], object] | None = None,
        has_begun: Callable[[], bool] | None = None,
    ) -> Hand:
        """Take a task in hand; raise `Closed` where nothing more is begun."""
        hand = Hand(claimed, options, kill, has_begun)
        with self._changed:
            if self._closed:
                raise Closed
            self._hands[claimed.id] = hand
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="task-keeper", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return hand

    def remove(self, hand: Hand) -> None:
        """Let go of a task that has ended."""
        with self._changed:
            if self._hands.get(hand.claimed.id) is hand:
                del self._hands[hand.claimed.id]
            self._changed.notify_all()

    def close(self) -> None:
        """Begin nothing more here."""
        with self._changed:
            self._closed = True

    def await_end(self, seconds: float) -> bool:
        """Wait until nothing is in hand, so many seconds at most; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._hands, seconds)

    def give_up(self) -> list[Hand]:
        """Ask everything to end because the process stops, and return it; what has its own process is killed."""
        with self._changed:
            left = list(self._hands.values())
        for hand in left:
            hand.ask("stopping", STOPS)
            self._kill(hand)
        return left

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _keep(self) -> None:
        while not self._stopped:
            with self._changed:
                self._changed.wait_for(lambda: self._hands or self._stopped)
                self._changed.wait_for(lambda: self._stopped, LOOK_SECONDS)
                hands = list(self._hands.values())
            try:
                self._look(hands)
                self._failed = False
            except Exception:  # a database that is away; what is in hand goes on
                if not self._failed:
                    _LOG.warning("Tasks cannot show that they go on; it is tried again", exc_info=True)
                self._failed = True

    def _look(self, hands: list[Hand]) -> None:
        now = time.monotonic()
        for hand in hands:
            if hand.has_begun is not None:
                hand.began = now
                hand.has_begun = None if hand.has_begun() else hand.has_begun
            self._hold_to_limits(hand, now - hand.began)
        beats = now - self._beat_at >= BEAT_SECONDS
        steps = {hand.attempt: step for hand in hands if (step := hand.take_progress()) is not None}
        if hands and (beats or steps):
            self._write(hands, steps, beats=beats)
            self._beat_at = now if beats else self._beat_at

    def _write(self, hands: list[Hand], steps: dict[tuple[str, int], Progress], *, beats: bool) -> None:
        with self._unit():
            attempting.note_progress(steps)
            if beats:
                attempting.beat([hand.attempt for hand in hands if hand.is_here])
            marks = attempting.marks([hand.attempt for hand in hands])
        for hand in hands:
            self._heed(hand, marks[hand.claimed.id])

    def _heed(self, hand: Hand, mark: attempting.Mark) -> None:
        if mark.stop_reason is not None and mark.is_ours:
            hand.ask("cancelled", mark.stop_reason)
            if hand.kill is not None:
                self._write_and_kill(hand, lambda: attempting.end_cancelled(hand.claimed, hand.stop.reason))
        elif not mark.is_ours:
            hand.ask("superseded", "given up: another process goes on with it")
            self._kill(hand)

    def _hold_to_limits(self, hand: Hand, seconds: float) -> None:
        soft, hard = hand.options.soft_limit_seconds, hand.options.hard_limit_seconds
        if hard is not None and seconds >= hard and not hand.overran:
            hand.ask("hard limit", f"given up, for it took longer than {hard:g} s")
            self._write_and_kill(hand, lambda: attempting.overrun(hand.claimed, hard))
            hand.overran = True  # only now: a database that is away is asked again
        elif soft is not None and seconds >= soft:
            hand.ask("soft limit", f"asked to end, for it took longer than {soft:g} s")

    def _write_and_kill(self, hand: Hand, write: Callable[[], object]) -> None:
        """Write down how a task ends before its process is killed: nobody can say so afterwards."""
        try:
            with self._unit():
                write()
        except Superseded:
            _LOG.info("Task %s had ended already", hand.claimed.id)
        else:
            self._kill(hand)

    def _kill(self, hand: Hand) -> None:
        """Kill the process of a task, and not that of the next one."""
        with self._changed:
            if hand.kill is not None and self._hands.get(hand.claimed.id) is hand:
                hand.kill()
