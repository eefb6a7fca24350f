"""Hand alerts to jobs on: by mail to who is named in SCHEDULER_ALERT_MAIL, to the URL in SCHEDULER_ALERT_WEBHOOK.

Both hooks run in the unit of work that writes the end of a run, and only write down what is to be sent: an alert is
neither lost, nor sent for what was rolled back. They are two, for what one raises undoes what it wrote itself.
"""

from collections.abc import Mapping

import msgspec

from application.config.current import current_settings
from application.extensions import webhooks
from application.libs.alert import Alert
from application.modules.message.business import send_mail
from application.modules.task.business import enqueue

Scalar = str | int | None


def tell_people(alert: Alert) -> None:
    """Accept a mail to each who is to hear of an alert."""
    settings = current_settings()
    for address in settings.scheduler_alert_mail:
        send_mail(
            to=address,
            template="job_alert",
            language=settings.scheduler_alert_language,
            job_id=alert.job_id,
            name=alert.name,
            kind=alert.kind,
            status=alert.status,
            count=alert.count,
            error=": ".join(filter(None, (alert.error_type, alert.error_message))) or None,
            link=None,
        )


def tell_server(alert: Alert) -> None:
    """Enqueue the post of an alert, if a server is to hear of it."""
    if current_settings().scheduler_alert_webhook is not None:
        fields: dict[str, Scalar] = msgspec.to_builtins(alert)
        enqueue(post_alert, kind=alert.kind, at=str(fields.pop("at")), alert=fields)


def post_alert(kind: str, at: str, alert: Mapping[str, Scalar]) -> str:
    """Post an alert to the URL of the settings, which may have changed since; return what came of it."""
    url = current_settings().scheduler_alert_webhook
    if url is None:
        return "nobody is to hear of it any more"
    payload = {"type": f"job.{kind}", "timestamp": at, "data": alert}
    answer = webhooks.post_json(url.get_secret_value(), payload, event_id=f"{alert['run_id']}-{kind}")
    return f"answered {answer.status}"
