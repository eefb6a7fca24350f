"""Mail what went wrong, without ever holding up what went wrong."""

import logging
import socket
import threading
from email.message import EmailMessage
from time import monotonic

from application.libs.delivery import DeliveryFailure
from application.libs.mail_server import MailServer

LOGGER = logging.getLogger(__name__)

SUBJECT_LENGTH = 120

CLOSE_SECONDS = 3.0
"""How long the end of the process waits for a last mail."""


class ErrorMail(logging.Handler):
    """Mail error records from a thread of its own, one mail in `pause_seconds` at most.

    The first record of a pause is kept and the others are counted, so a storm costs neither memory nor time. The thread
    starts with the first error, hence in the process that has it. Not logging's SMTPHandler: that one sends within the
    caller and does not check the server's certificate.
    """

    def __init__(
        self, *, server: MailServer, sender: str, recipients: tuple[str, ...], pause_seconds: float = 60.0
    ) -> None:
        super().__init__(logging.ERROR)
        self._server = server
        self._sender = sender
        self._recipients = recipients
        self._pause_seconds = pause_seconds
        self._changed = threading.Condition()
        self._waiting: str | None = None
        self._withheld = 0
        self._not_before = 0.0
        self._closing = False
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record over; the thread mails it."""
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        with self._changed:
            self._keep(text, 0)
            if not self._closing and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._run, name="error-mail", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Send what may still be sent, then end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
        super().close()

    def _keep(self, text: str, withheld: int) -> None:
        if self._waiting is None:
            self._waiting = text
        else:
            withheld += 1
        self._withheld += withheld

    def _run(self) -> None:
        while (mail := self._next()) is not None:
            text, withheld = mail
            try:
                self._server.send(self._message(text, withheld))
            except (DeliveryFailure, ValueError) as error:
                LOGGER.warning("An error mail could not be sent, it is tried again: %s", error)
                with self._changed:
                    newer, self._waiting = self._waiting, None
                    self._keep(text, withheld)
                    if newer is not None:
                        self._keep(newer, 0)

    def _next(self) -> tuple[str, int] | None:
        """Wait for a mail that may be sent now; None when the thread is to end."""
        with self._changed:
            while True:
                wait = self._not_before - monotonic()
                if self._waiting is not None and wait <= 0:
                    mail, self._waiting, self._withheld = (self._waiting, self._withheld), None, 0
                    self._not_before = monotonic() + self._pause_seconds
                    return mail
                if self._closing:
                    return None
                self._changed.wait(wait if self._waiting is not None else None)

    def _message(self, text: str, withheld: int) -> EmailMessage:
        message = EmailMessage()
        headline = text.partition("\n")[0].partition(" ")[2]  # without the time, which the mail has itself
        message["Subject"] = f"[redprint] {headline}"[:SUBJECT_LENGTH]
        message["From"] = self._sender
        message["To"] = ", ".join(self._recipients)
        also = f"{withheld} more errors since were withheld; the log has them.\n" if withheld else ""
        message.set_content(f"{text}\n\nOn {socket.gethostname()}.\n{also}")
        return message
