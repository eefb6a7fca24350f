"""Hold the attempts that this process has in hand, from the claim until their end is written down.

waiting for a thread → begun → ended → written down and forgotten
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from application.libs import clock
from application.libs.run_context import Stop
from application.libs.run_output import Output
from application.modules.scheduler.business import ending
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.ending import Ended, Memory

Kill = Callable[[str], None]
HasBegun = Callable[[str], bool]
Piece = tuple[str, int, str]
"""Of which attempt, the how manieth, and the text."""


class Hand:
    """Be one attempt in hand; only `Workload` changes it, under its lock."""

    kill: Kill | None = None
    """Ends its process where it has one of its own; a thread is asked by `stop` alone."""
    has_begun: HasBegun | None = None
    """Tells whether its process has taken it up; its time counts from there. Null once it has."""
    timeout: float | None = None
    executor = ""
    memory: Memory | None = None
    """As its own process has measured it, where it has one."""

    def __init__(self, launch: Launch) -> None:
        """Take it in hand."""
        self.launch = launch
        self.stop = Stop()
        self.output = Output()
        self.begun_at: datetime | None = None
        self.noted = False
        self.pieces: list[Piece] = []
        self.piece_count = 0
        self.began = 0.0
        self.memory_start = 0
        self.memory_peak = 0
        self.ended: Ended | None = None


class Workload:
    """Be shared by the thread that claims, the threads that run, and the one that writes down."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing in hand."""
        self._changed = threading.Condition()
        self._monotonic = monotonic
        self._hands: dict[str, Hand] = {}
        self._closed = False
        self._finished = False
        self.memory = 0
        """Resident memory of this process in bytes, as it was read last."""

    def add(self, launches: Iterable[Launch]) -> None:
        """Take attempts in hand, before anybody runs them."""
        with self._changed:
            self._hands |= {launch.attempt_id: Hand(launch) for launch in launches}

    def prepare(
        self,
        attempt_id: str,
        *,
        executor: str,
        timeout: float | None,
        kill: Kill | None = None,
        has_begun: HasBegun | None = None,
    ) -> None:
        """Say where an attempt runs, how long it may take, how it is killed, and who tells that its process has it."""
        with self._changed:
            hand = self._hands.get(attempt_id)
            if hand is not None:
                hand.executor, hand.timeout, hand.kill, hand.has_begun = executor, timeout, kill, has_begun

    def begin(self, attempt_id: str) -> Hand | None:
        """Begin an attempt and return it; None when it is in hand no more."""
        with self._changed:
            hand = self._hands.get(attempt_id)
            if self._closed or hand is None or hand.ended is not None:
                return None
            hand.begun_at, hand.began = clock.now(), self._monotonic()
            hand.memory_start = hand.memory_peak = self.memory
            return hand

    def end(self, ended: Ended) -> bool:
        """Note how an attempt ended, to be written down; False when this process had given it up."""
        with self._changed:
            hand = self._hands.get(ended.attempt_id)
            if hand is None or hand.ended is not None:
                return False
            self._end(hand, ended)
            return True

    def forget(self, attempt_ids: Iterable[str]) -> None:
        """Let go of attempts whose end is written down."""
        with self._changed:
            for attempt_id in attempt_ids:
                self._hands.pop(attempt_id, None)
            self._changed.notify_all()

    def ids(self) -> frozenset[str]:
        """Return what is in hand: none of it may be given up for lost."""
        with self._changed:
            return frozenset(self._hands)

    def await_ended(self, seconds: float) -> list[Ended]:
        """Return what has ended and is to be written down, as soon as there is any or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._finished or any(self._ends()), seconds)
            return list(self._ends())

    def take_started(self) -> list[tuple[str, datetime]]:
        """Return once what threads have begun and go on with, and since when."""
        with self._changed:
            started = [hand for hand in self._hands.values() if hand.begun_at and not hand.noted and not hand.ended]
            for hand in started:
                hand.noted = True
            return [(hand.launch.attempt_id, hand.begun_at) for hand in started if hand.begun_at]

    def output(self) -> list[Piece]:
        """Return what attempts have written and no database has taken yet."""
        with self._changed:
            for attempt_id, hand in self._hands.items():
                for text in hand.output.take():
                    hand.piece_count += 1
                    hand.pieces.append((attempt_id, hand.piece_count, text))
            return [piece for hand in self._hands.values() for piece in hand.pieces]

    def forget_output(self, pieces: Iterable[Piece]) -> None:
        """Let go of pieces of output that are written down."""
        with self._changed:
            for piece in pieces:
                hand = self._hands.get(piece[0])
                if hand is not None and piece in hand.pieces:
                    hand.pieces.remove(piece)

    def see_memory(self, size: int) -> None:
        """Note how much memory this process has in use."""
        with self._changed:
            self.memory = size
            for hand in self._hands.values():
                hand.memory_peak = max(hand.memory_peak, size)

    def stop_overdue(self) -> list[Hand]:
        """Give up what has taken longer than it may, and return it. A thread may go on, and is asked to end."""
        with self._changed:
            overdue = [hand for hand in self._hands.values() if self._is_overdue(hand)]
            for hand in overdue:
                self._give_up(hand)
            return overdue

    def _is_overdue(self, hand: Hand) -> bool:
        if hand.timeout is None or hand.begun_at is None or hand.ended is not None:
            return False
        if hand.has_begun is not None:
            if not hand.has_begun(hand.launch.attempt_id):
                return False
            hand.has_begun, hand.begun_at, hand.began = None, clock.now(), self._monotonic()
        return self._monotonic() - hand.began >= hand.timeout

    def ask_to_stop(self, reasons: Mapping[str, str]) -> None:
        """Ask attempts to end, each for its reason: what no thread has begun ends here, a process is killed."""
        with self._changed:
            for attempt_id, reason in reasons.items():
                hand = self._hands.get(attempt_id)
                if hand is None or hand.ended is not None or hand.stop.asked:
                    continue
                hand.stop.ask(reason)
                if hand.kill is not None or hand.begun_at is None:
                    ended = ending.cancelled(hand.launch, clock.now(), reason, started_at=hand.begun_at)
                    self._end(hand, ended)
                    self._kill(hand)

    def _give_up(self, hand: Hand) -> None:
        moment, seconds = clock.now(), hand.timeout or 0
        self._end(hand, ending.timed_out(hand.launch, hand.begun_at or moment, moment, seconds))
        hand.stop.ask(f"given up, for it took longer than {seconds:g} s")
        self._kill(hand)

    def _end(self, hand: Hand, ended: Ended) -> None:
        if ended.memory is None and hand.begun_at is not None and self.memory:
            ended = replace(ended, memory=Memory(start=hand.memory_start, peak=hand.memory_peak, shared=True))
        hand.ended = ended
        self._changed.notify_all()

    @staticmethod
    def _kill(hand: Hand) -> None:
        if hand.kill is not None:
            hand.kill(hand.launch.attempt_id)

    def _ends(self) -> Iterable[Ended]:
        return (hand.ended for hand in self._hands.values() if hand.ended is not None)

    def close(self) -> list[Launch]:
        """Begin nothing more; return what was waiting for a thread, which is in hand no longer."""
        with self._changed:
            self._closed = True
            waiting = [hand.launch for hand in self._hands.values() if hand.begun_at is None and hand.ended is None]
        self.forget([launch.attempt_id for launch in waiting])
        return waiting

    def await_end(self, seconds: float) -> bool:
        """Wait until everything has ended and is written down; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._hands, seconds)

    def finish(self) -> None:
        """Let nobody wait any longer for something to write down."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def await_finish(self, seconds: float) -> None:
        """Wait so many seconds, or until nothing more is to be written down."""
        with self._changed:
            self._changed.wait_for(lambda: self._finished, seconds)

    @property
    def finished(self) -> bool:
        """Tell whether nothing more is to be written down."""
        return self._finished

    def give_up(self) -> list[Launch]:
        """Let go of everything, and return what it was."""
        with self._changed:
            left = [hand.launch for hand in self._hands.values()]
            for hand in self._hands.values():
                hand.stop.ask("interrupted: its process stops")
                self._kill(hand)
        self.forget([launch.attempt_id for launch in left])
        return left
