"""Work on sessions that nobody waits for."""

from application.database import transaction
from application.libs.background import background
from application.modules.session import business


@background
def note_seen(session_id: str) -> None:
    """Write down that a session is in use."""
    with transaction():
        business.note_seen(session_id)


def prune_expired_sessions() -> int:
    """Delete the sessions that have expired; return how many."""
    return business.prune_expired()
