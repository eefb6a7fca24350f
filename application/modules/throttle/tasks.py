"""Work on counts that nobody waits for."""

from application.modules.throttle import business


def prune_throttle() -> int:
    """Delete the counts whose time is over; return how many."""
    return business.prune()
