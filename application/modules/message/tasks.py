"""Deliver messages in the background, and keep their table short."""

from application.config.current import current_settings
from application.libs.delivery import TemporaryFailure
from application.libs.error import Unavailable
from application.libs.task import task
from application.modules.message import business

deliver = task(
    business.deliver,
    retries=2 * business.MOST_ATTEMPTS,  # the rule counts, too, and ends first; an absent database is not counted there
    retry_on=(TemporaryFailure, Unavailable),
    backoff_seconds=2,
    transaction=False,
)


def settle_messages() -> int:
    """Give up the messages whose task has ended without a word; return how many."""
    return business.settle()


def prune_messages() -> int:
    """Delete the messages that are kept no longer; return how many."""
    return business.prune(keep_days=current_settings().messages_keep_days)
