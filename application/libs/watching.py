"""Tell viewers how the rows that they name change, for as long as anybody watches one."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Lock
from time import monotonic

from flask_socketio import SocketIO

from application.libs.audience import Audience
from application.libs.record import Record

_LOG = logging.getLogger(__name__)


class Sight(Record):
    """Hold what a row is now, as it is sent; what has `ended` changes no more, and is not watched any further."""

    key: str
    message: Mapping[str, object]
    ended: bool


News = Mapping[str, Sequence[Sight]]
"""What is new to whom, by viewers."""


@dataclass(slots=True)
class _Watch:
    seen: object
    since: float


class Watching:
    """Read in one background task a process, once for all, which goes on for as long as anybody watches a row.

    A viewer is sent a row where it differs from what they have seen, so often at most, and a last time when it ends.
    """

    def __init__(
        self,
        socketio: SocketIO,
        read: Callable[[Collection[str]], Mapping[str, Sight]],
        *,
        event: str,
        namespace: str,
        interval_seconds: float,
        admit: Callable[[News], News],
        limit: int,
    ) -> None:
        """Prepare to send what `read` returns of the rows that are watched, `limit` a viewer; start nothing.

        A row that `read` does not return is forgotten. Just before anything is sent `admit` is asked what of it each
        viewer may still see; of the others they are told nothing more.
        """
        self._read = read
        self._interval_seconds = interval_seconds
        self._admit = admit
        self._limit = limit
        self._audience = Audience[None](socketio, self._run, event=event, namespace=namespace)
        self._lock = Lock()
        self._watches: dict[str, dict[str, _Watch]] = {}
        self._failed = False

    @property
    def viewers(self) -> int:
        """Return how many watch anything."""
        return len(self._audience)

    def watch(self, sid: str, sight: Sight) -> bool:
        """Let a viewer watch a row, who has seen this of it; return False where they watch too many.

        They are told nothing of it for one interval, so that an answer with this sight goes first.
        """
        with self._lock:
            watches = self._watches.setdefault(sid, {})
            if sight.key not in watches and len(watches) >= self._limit:
                return False
            watches[sight.key] = _Watch(sight.message, monotonic())
            if len(watches) == 1:
                self._audience.join(sid, None)
        return True

    def unwatch(self, sid: str, key: str) -> None:
        """Watch a row no longer; twice does no harm."""
        with self._lock:
            self._drop(sid, key)

    def leave(self, sid: str) -> None:
        """Take a viewer away; twice does no harm."""
        with self._lock:
            self._forget(sid)

    def _drop(self, sid: str, key: str) -> None:
        watches = self._watches.get(sid, {})
        watches.pop(key, None)
        if not watches:
            self._forget(sid)

    def _forget(self, sid: str) -> None:
        self._watches.pop(sid, None)
        self._audience.leave(sid)

    def _run(self, stopped: Event) -> None:
        while not stopped.wait(self._interval_seconds):
            try:
                self._look()
            except Exception:  # a database that is away; viewers miss nothing, for they are sent what it is then
                if not self._failed:
                    _LOG.exception("Viewers cannot be told how rows change; it is tried again")
                self._failed = True
            else:
                self._failed = False

    def _look(self) -> None:
        standing = self._standing()
        sights = self._read({key for watches in standing.values() for key in watches})
        news: dict[str, list[Sight]] = {}
        for sid, watches in standing.items():
            for key, watch in watches.items():
                sight = sights.get(key)
                if sight is None:
                    self.unwatch(sid, key)
                elif sight.message != watch.seen:
                    news.setdefault(sid, []).append(sight)
        if news:
            self._tell(news, standing)

    def _tell(self, news: News, standing: Mapping[str, Mapping[str, _Watch]]) -> None:
        admitted = self._admit(news)
        for sid, sights in news.items():
            for sight in sights:
                if sight not in admitted.get(sid, ()):
                    self.unwatch(sid, sight.key)
                elif self._note(sid, sight, standing[sid][sight.key]):
                    self._audience.send(sight.message, to=sid)

    def _standing(self) -> dict[str, dict[str, _Watch]]:
        """Return who watches what for an interval or longer."""
        latest = monotonic() - self._interval_seconds
        with self._lock:
            return {
                sid: {key: watch for key, watch in watches.items() if watch.since <= latest}
                for sid, watches in self._watches.items()
            }

    def _note(self, sid: str, sight: Sight, watch: _Watch) -> bool:
        """Remember that a viewer has seen this; return False where they have gone, or began to watch anew."""
        with self._lock:
            if self._watches.get(sid, {}).get(sight.key) is not watch:
                return False
            watch.seen = sight.message
            if sight.ended:
                self._drop(sid, sight.key)
        return True
