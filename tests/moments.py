"""Let it be another time for what asks the clock."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from application.libs.clock import ruled_by

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def at(**units: float) -> AbstractContextManager[None]:
    """Let it be so much later than `NOW`."""
    moment = NOW + timedelta(**units)
    return ruled_by(lambda: moment)
