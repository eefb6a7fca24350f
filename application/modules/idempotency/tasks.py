"""Work on kept answers that nobody waits for."""

from application.modules.idempotency import business


def prune_expired_idempotency_keys() -> int:
    """Delete the answers whose day is over; return how many."""
    return business.prune_expired()
