"""Work on tokens that nobody waits for."""

from application.modules.auth import business


def prune_expired_tokens() -> int:
    """Delete the tokens that have expired; return how many."""
    return business.prune_expired()
