"""Work on keys that nobody waits for."""

from application.modules.key import business


def prune_expired_keys() -> int:
    """Delete the keys that expired a month ago; return how many."""
    return business.prune_expired()
