"""Hand mail to an SMTP server (RFC 5321), and tell what is worth another attempt.

The standard library's client, because those of Flask-Mailman and Flask-Mail turn STARTTLS on without checking the
server's certificate (docs/adr/0018).
"""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from application.libs.delivery import DeliveryFailure, PermanentFailure, TemporaryFailure, said

IMPLICIT_TLS_PORT = 465  # RFC 8314

TIMEOUT_SECONDS = 10.0

_PERMANENT = 500  # the first of the replies that stay the same however often one asks (RFC 5321 §4.2.1)


class _Connection(smtplib.SMTP):
    """Remember what the server said when it took a message: often the name it queued it under."""

    taken_as = ""

    def data(self, msg: Any) -> Any:
        """Hand in the content."""
        code, reply = super().data(msg)
        self.taken_as = said(f"{code} {reply.decode('utf-8', 'replace')}")
        return code, reply


class _TlsConnection(smtplib.SMTP_SSL, _Connection):
    """Speak TLS from the first byte."""


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Say where mail is handed in; without a username nobody logs in."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    starttls: bool = False
    timeout_seconds: float = TIMEOUT_SECONDS

    def send(self, message: EmailMessage) -> str:
        """Hand in one message and return what the server said to it.

        Raises `TemporaryFailure` or `PermanentFailure`. What goes wrong before the message is offered (no answer, a
        certificate that is not trusted, a login that is refused) says nothing about the message: it is temporary.
        """
        connection = self._reach()
        try:
            connection.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise _judged(error) from error
        finally:
            with suppress(OSError, smtplib.SMTPException):  # the message is taken, or refused, by now
                connection.quit()
            connection.close()
        return connection.taken_as

    def _reach(self) -> _Connection:
        connection: _Connection | None = None
        try:
            connection = self._connect()
            connection.ehlo_or_helo_if_needed()
            if self.starttls and self.port != IMPLICIT_TLS_PORT:
                connection.starttls(context=ssl.create_default_context())
            if self.username is not None:
                connection.login(self.username, self.password or "")
        except (OSError, smtplib.SMTPException) as error:
            if connection is not None:
                connection.close()
            raise TemporaryFailure(f"{self.host}:{self.port} is not reached: {_worded(error)}") from error
        return connection

    def _connect(self) -> _Connection:
        if self.port == IMPLICIT_TLS_PORT:
            context = ssl.create_default_context()
            return _TlsConnection(self.host, self.port, timeout=self.timeout_seconds, context=context)
        return _Connection(self.host, self.port, timeout=self.timeout_seconds)


def _judged(error: OSError | smtplib.SMTPException) -> DeliveryFailure:
    """Return the failure that stands for what happened while a message was offered."""
    permanent = isinstance(error, smtplib.SMTPNotSupportedError) or _code(error) >= _PERMANENT
    return (PermanentFailure if permanent else TemporaryFailure)(_worded(error))


def _code(error: OSError | smtplib.SMTPException) -> int:
    """Return the code of the reply that refused; of several recipients the mildest one, as for it there is hope."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min(code for code, _reply in error.recipients.values())
    return int(error.smtp_code) if isinstance(error, smtplib.SMTPResponseException) else 0


def _worded(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return said("; ".join(f"{code} {said(reply)}" for code, reply in error.recipients.values()))
    if isinstance(error, smtplib.SMTPResponseException):
        return said(f"{error.smtp_code} {said(error.smtp_error)}")
    return said(str(error) or type(error).__name__)
