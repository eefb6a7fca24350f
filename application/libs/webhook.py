"""Tell others what has happened: JSON that is signed and posted to their URL.

from application.extensions import webhooks

webhooks.check_url(url)  # when it is configured; raises `Refused`, a ValueError
webhooks.post_json(url, {"type": "blog.published", "timestamp": now(), "data": {"id": blog_id}}, event_id=event_id)

A call waits for another server, so let a task make it, outside a unit of work, and repeat it on `TemporaryFailure`.
"""

import msgspec
from flask import Flask, current_app

from application.libs.clock import now
from application.libs.outbound import Answer, Outbound, Refused
from application.libs.webhook_signature import headers_of, keys_of

TIMEOUT_SECONDS = 5.0


class Webhooks:
    """Post signed JSON for the current application."""

    def init_app(self, app: Flask, outbound: Outbound, secret: str) -> None:
        """Say who may be called, and what signs; `secret` may hold two by a comma, while one replaces the other."""
        app.extensions["webhooks"] = (outbound, keys_of(secret))

    def check_url(self, url: str) -> str:
        """Return a URL that may be called, or raise `Refused`, which is a ValueError; connect to nobody."""
        outbound, _keys = _of(current_app)
        return outbound.check_url(url)

    def post_json(
        self, url: str, payload: object, *, event_id: str, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> Answer:
        """Send a payload; give every attempt to tell of one event the same id.

        Raises `Refused`, or `TemporaryFailure` for what is to be tried again.
        """
        outbound, keys = _of(current_app)
        if not keys:
            raise Refused("Nothing signs what is sent; set WEBHOOK_SECRET")
        body = msgspec.json.encode(payload)
        headers = {"Content-Type": "application/json", "User-Agent": "redprint"}
        headers |= headers_of(keys, event_id, now(), body)
        return outbound.post(url, body, headers, timeout_seconds=timeout_seconds)


def _of(app: Flask) -> tuple[Outbound, tuple[bytes, ...]]:
    found: tuple[Outbound, tuple[bytes, ...]] = app.extensions["webhooks"]
    return found
