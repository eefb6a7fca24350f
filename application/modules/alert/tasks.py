"""Post alerts to another server in the background, again and again for some hours."""

from application.libs.delivery import TemporaryFailure
from application.libs.error import Unavailable
from application.libs.task import task
from application.modules.alert import business

post_alert = task(
    business.post_alert,
    retries=14,  # with these pauses some nine hours at most; an older alert is news to nobody
    retry_on=(TemporaryFailure, Unavailable),
    backoff_seconds=5,
    backoff_max_seconds=7200,
    transaction=False,
)
