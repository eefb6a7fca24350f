"""Say why a message was not taken, and whether another attempt may help."""

from application.libs.strict_json import printable

REPLY_LENGTH = 500
"""How much of what a server said is kept; an SMTP reply may have many lines (RFC 5321 §4.2.1)."""


class DeliveryFailure(Exception):
    """The message was not taken; the text says why, in one line for those who run the system."""


class TemporaryFailure(DeliveryFailure):
    """Another attempt may help: the server is away, busy or does not let us in."""

    def __init__(self, reason: str, *, retry_after_seconds: float | None = None) -> None:
        """Take the reason, and in how many seconds the server wants to be asked again, if it said so."""
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class PermanentFailure(DeliveryFailure):
    """No other attempt will help: the server does not want this message, or this recipient."""


def said(reply: object) -> str:
    """Return what a server said as one short line that any text column takes."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    return printable(" ".join(text.split()))[:REPLY_LENGTH]
