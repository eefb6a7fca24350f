"""Send what happens to the viewers of this process, each from where they stand, for as long as anybody looks."""

import logging
from collections.abc import Callable, Collection
from threading import Event

from flask_socketio import SocketIO

from application.libs.audience import Audience
from application.libs.record import Record

_LOG = logging.getLogger(__name__)


class Batch(Record):
    """Hold a message with what is new, None where nothing is; `last` is the number that it comes to."""

    message: object | None
    last: int
    more: bool
    """Whether more is to be had at once."""


class Feed:
    """Read in one background task a process, which goes on for as long as anybody looks."""

    def __init__(
        self,
        socketio: SocketIO,
        read: Callable[[int | None], Batch],
        *,
        event: str,
        namespace: str,
        interval_seconds: float,
        admit: Callable[[Collection[str]], Collection[str]],
    ) -> None:
        """Prepare to send what `read` returns for a number, None for who has none yet; start nothing.

        Just before a message goes to viewers `admit` is asked who of them may still see it; the others are told
        nothing more.
        """
        self._read = read
        self._interval_seconds = interval_seconds
        self._admit = admit
        self._audience = Audience[int | None](socketio, self._run, event=event, namespace=namespace)
        self._failed = False

    @property
    def viewers(self) -> int:
        """Return how many look."""
        return len(self._audience)

    def join(self, sid: str, after: int | None) -> None:
        """Add a viewer, who has seen everything up to a number, or begins now."""
        self._audience.join(sid, after)

    def leave(self, sid: str) -> None:
        """Take a viewer away; twice does no harm."""
        self._audience.leave(sid)

    def _run(self, stopped: Event) -> None:
        more = True
        while not stopped.wait(0 if more else self._interval_seconds):
            try:
                more = self._send()
            except Exception:  # a database that is away; viewers miss nothing, for they are sent what follows
                if not self._failed:
                    _LOG.exception("Viewers cannot be told what happens; it is tried again")
                self._failed, more = True, False
            else:
                self._failed = False

    def _send(self) -> bool:
        """Bring each viewer one step on: those who stand at one number by one reading; return whether more is there."""
        more = False
        for position, sids in self._audience.standing().items():
            batch = self._read(position)
            more = more or batch.more
            admitted = sids if batch.message is None else self._admit(sids)
            for sid in set(sids) - set(admitted):
                self.leave(sid)
            for sid in admitted:
                if self._audience.move(sid, position, to=batch.last) and batch.message is not None:
                    self._audience.send(batch.message, to=sid)
        return more
