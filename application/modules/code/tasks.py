"""Send codes in the background, and tidy up those that have expired."""

from application.libs.error import Unavailable
from application.libs.task import task
from application.modules.code import business

send = task(business.send, retries=5, retry_on=(Unavailable,), priority=8)


def prune_expired_codes() -> int:
    """Delete the codes that have expired; return how many."""
    return business.prune_expired()
