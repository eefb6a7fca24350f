"""Tell the time, aware and in UTC; a test may set it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _machine() -> datetime:
    return datetime.now(UTC)


_sources: list[Callable[[], datetime]] = [_machine]


def now() -> datetime:
    """Return the present instant."""
    return _sources[-1]()


@contextmanager
def ruled_by(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `source` tell the time to the whole process while the block runs; for tests, which wait for no clock."""
    _sources.append(source)
    try:
        yield
    finally:
        _sources.remove(source)
