"""Work on sessions that nobody waits for."""

from application.modules.session import business


def prune_expired_sessions() -> int:
    """Delete the sessions that have expired; return how many."""
    return business.prune_expired()
