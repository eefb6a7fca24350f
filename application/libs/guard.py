"""Run a changing handler under what its request asks for: a precondition, or a key that makes repeating harmless.

    one unit of work:     replay, begin, handler, verify, finish, commit
    units of its own:     replay, foresee | handler { first writing unit: begin, …, verify, commit } … | finish

A guard begins in the transaction of the effect, so that neither is there without the other. A handler that opens its
units itself says nothing of it: `guarded()` finds the `Effect` of the request in a context variable, as the unit of
work itself is found, and it lasts as long as the handler runs.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Any, Protocol

from flask import Response

from application.libs.error import Refusal
from application.libs.idempotency import KeyInUse
from application.libs.unit_of_work import Transaction, UnitOfWork


class Guard(Protocol):
    """Stand before the effect of one request and behind it."""

    def replay(self) -> Response | None:
        """Return the answer this request already got, read in a reading unit."""

    def foresee(self) -> None:
        """Refuse what can be refused before a handler does what no rollback undoes, read in a reading unit."""

    def begin(self, unit: UnitOfWork) -> None:
        """Make the unit a writer and do what must come before the handler's first change."""

    def verify(self) -> None:
        """Refuse what the handler has done, before it is committed."""

    def finish(self, response: Response) -> None:
        """Note the answer, in a writing unit."""


FindGuard = Callable[[dict[str, Any]], Guard | None]
"""Return the guard of a request with this path, None for the ordinary request that asks for none."""

Act = Callable[[], Response]
Draw = Callable[[Refusal], Response]


class Both:
    """Stand as two guards at once: a key, and the precondition of a request that gets no answer by it."""

    __slots__ = ("_condition", "_key")

    def __init__(self, key: Guard, condition: Guard) -> None:
        """Take the guard of the key and that of the precondition."""
        self._key = key
        self._condition = condition

    def replay(self) -> Response | None:
        """Return what the key stands for: what was as the precondition wants it once was so."""
        return self._key.replay()

    def foresee(self) -> None:
        """Ask the precondition."""
        self._condition.foresee()

    def begin(self, unit: UnitOfWork) -> None:
        """Reserve the key first, where a request beside this one waits."""
        self._key.begin(unit)
        self._condition.begin(unit)

    def verify(self) -> None:
        """Ask the precondition."""
        self._condition.verify()

    def finish(self, response: Response) -> None:
        """Note the answer under the key."""
        self._key.finish(response)


def run_in_one_unit(guard: Guard, unit: UnitOfWork, act: Act, draw: Draw) -> Response:
    """Run the handler in the unit that is open; `draw` writes a refusal with which it commits."""
    answered = guard.replay()
    if answered is not None:
        return answered
    guard.begin(unit)
    try:
        response = act()
    except Refusal as refusal:
        if refusal.commits:
            guard.finish(draw(refusal))
        raise
    guard.verify()
    guard.finish(response)
    return response


def run_in_its_own_units(guard: Guard, transaction: Transaction, act: Act, draw: Draw) -> Response:
    """Run a handler that opens its units itself; `draw` writes a refusal that comes after its effect.

    The answer is noted in a unit behind them. If the process dies in between, the key is known to have had its effect,
    and repeating is refused.
    """
    try:
        with transaction(write=False):
            answered = guard.replay()
            if answered is not None:
                return answered
            guard.foresee()
        return _run(Effect(guard), transaction, act, draw)
    except KeyInUse:  # who was faster by a moment may have an answer by now
        with transaction(write=False):
            answered = guard.replay()
        if answered is None:
            raise
        return answered


def _run(effect: "Effect", transaction: Transaction, act: Act, draw: Draw) -> Response:
    token = _effect.set(effect)
    try:
        response = act()
    except Refusal as refusal:
        if effect.stage is Stage.COMMITTED and (refusal.commits or refusal.status < 500):
            with transaction(write=True):
                effect.guard.finish(draw(refusal))
        raise
    finally:
        _effect.reset(token)
    with effect.within(transaction(write=True)):
        effect.guard.finish(response)
    return response


class Stage(Enum):
    """Say how far the effect of a handler is that opens its units itself."""

    WAITING = "no unit has begun to write"
    BEGUN = "a unit has begun under the guard, and may still be rolled back"
    COMMITTED = "a unit has committed, and what the guard does in it"


class Effect:
    """Bring a guard into the first unit that commits a handler's changes; those behind it run without."""

    __slots__ = ("_unit", "guard", "stage")

    _unit: UnitOfWork

    def __init__(self, guard: Guard) -> None:
        """Wait for that unit."""
        self.guard = guard
        self.stage = Stage.WAITING

    @contextmanager
    def within(self, block: AbstractContextManager[UnitOfWork]) -> Iterator[UnitOfWork]:
        """Run a writing unit, under the guard unless it joins one that is, or an earlier one has committed."""
        with block as unit:
            if self.stage is Stage.COMMITTED or (self.stage is Stage.BEGUN and unit is self._unit):
                yield unit
                return
            self.stage, self._unit = Stage.BEGUN, unit
            unit.after_commit.append(self._commit)
            self.guard.begin(unit)
            yield unit
            self.guard.verify()

    def _commit(self) -> None:
        self.stage = Stage.COMMITTED


_effect: ContextVar[Effect | None] = ContextVar("redprint_effect", default=None)
"""The effect of the handler that is running, if it opens its units itself and its request is guarded."""


def guarded(block: AbstractContextManager[UnitOfWork]) -> AbstractContextManager[UnitOfWork]:
    """Return a writing unit of the running handler under the guard of its request, if that asks for one."""
    effect = _effect.get()
    return block if effect is None else effect.within(block)
