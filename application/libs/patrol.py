"""Show out whoever may look no longer: what let a viewer in may end while they look."""

import logging
from collections.abc import Callable, Collection
from threading import Event

from flask_socketio import SocketIO

from application.libs.audience import Audience

_LOG = logging.getLogger(__name__)


class Patrol:
    """Look in one background task a process, which goes on for as long as anybody is here who was let in by a pass."""

    def __init__(
        self,
        socketio: SocketIO,
        valid: Callable[[Collection[str]], Collection[str]],
        *,
        namespace: str,
        interval_seconds: float,
    ) -> None:
        """Prepare to disconnect who holds none of the passes that `valid` returns of those it is given."""
        self._valid = valid
        self._interval_seconds = interval_seconds
        self._audience = Audience[str](socketio, self._run, namespace=namespace)
        self._failed = False

    def join(self, sid: str, let_in_by: str) -> None:
        """Look after a viewer."""
        self._audience.join(sid, let_in_by)

    def leave(self, sid: str) -> None:
        """Look after a viewer no longer; twice does no harm."""
        self._audience.leave(sid)

    def passes(self, sids: Collection[str]) -> dict[str, str]:
        """Return by what each of these viewers was let in, without those who have left."""
        wanted, standing = set(sids), self._audience.standing()
        return {sid: let_in_by for let_in_by, holders in standing.items() for sid in holders if sid in wanted}

    def _run(self, stopped: Event) -> None:
        while not stopped.wait(self._interval_seconds):
            try:
                self._look()
            except Exception:  # a database that is away says nothing about anybody
                if not self._failed:
                    _LOG.exception("Who looks cannot be checked; it is tried again")
                self._failed = True
            else:
                self._failed = False

    def _look(self) -> None:
        standing = self._audience.standing()
        valid = self._valid(standing.keys())
        for let_in_by, sids in standing.items():
            for sid in sids if let_in_by not in valid else ():
                self._audience.dismiss(sid)
