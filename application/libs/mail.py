"""Write mail (RFC 5322) and give it to a sender: a server, the console in development, memory in tests."""

import sys
from collections import deque
from datetime import datetime
from email import policy
from email.errors import HeaderParseError
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from typing import Any, Protocol, cast

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

MAX_ADDRESS = 254
"""How long an address is at most: what SMTP's path of 256 leaves (RFC 5321 §4.5.3.1.3)."""


class MailSender(Protocol):
    """Take one message, or raise `TemporaryFailure` or `PermanentFailure`."""

    def send(self, message: EmailMessage) -> str:
        """Send the message, and return what is to be remembered of it."""


class ConsoleMail:
    """Show mail to whoever develops, as text, and send nothing."""

    def send(self, message: EmailMessage) -> str:
        """Write the headers and the text to the standard error."""
        body = message.get_body(("plain",))
        head = "\n".join(f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Message-ID"))
        text = body.get_content() if body is not None else ""
        sys.stderr.write(f"--- mail (not sent) ---\n{head}\n\n{text}---\n")
        return "shown on the console, not sent"


class MemoryMail:
    """Keep mail for tests, and send nothing."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.sent: deque[EmailMessage] = deque(maxlen=1000)

    def send(self, message: EmailMessage) -> str:
        """Keep the message."""
        self.sent.append(message)
        return "kept in memory, not sent"


def mail_address(text: str) -> str:
    """Return one address without a name, in its normal form; raise ValueError that says what is wrong.

    No server is asked. A domain of this network (`host`, `host.lan`) is taken; quotes and address literals are not.
    """
    try:
        return _validated(text).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def is_like_address(text: str) -> bool:
    """Tell whether a text is meant as a mail address or a telephone number, rather than as a name."""
    return "@" in text or text.lstrip().startswith("+")


def deliverable(address: str) -> str:
    """Return an address from `mail_address` as servers know it: its domain in ASCII (IDNA, RFC 5891)."""
    found = _validated(address)
    return f"{found.local_part}@{found.ascii_domain}"


def read_sender(text: str) -> str:
    """Return what a From header may say, `Name <address>` or an address; raise ValueError that says what is wrong.

    The domain may be one of this machine alone (`localhost`), from which a server on it takes mail.
    """
    header = _address_header(text)
    if len(header.addresses) != 1:
        raise ValueError("it is not one address")
    if not header.addresses[0].username or not header.addresses[0].domain:
        raise ValueError("it has no part before or behind the @")
    return text.strip()


def compose(
    *,
    message_id: str,
    sender: str,
    to: str,
    subject: str,
    text: str,
    html: str | None,
    language: str,
    at: datetime,
) -> EmailMessage:
    """Return a message; `message_id` makes its Message-ID, the same for each attempt: doubles are recognised."""
    message = EmailMessage(policy=policy.SMTP)
    domain = _address_header(sender).addresses[0].domain
    message["From"] = sender
    message["To"] = deliverable(to)
    message["Subject"] = subject
    message["Date"] = at
    message["Message-ID"] = f"<{message_id}@{domain.encode('idna').decode()}>"
    message["Auto-Submitted"] = "auto-generated"  # so that no robot answers (RFC 3834)
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    message["Content-Language"] = language  # last, for what sets a content takes such headers out
    return message


def _address_header(text: str) -> AddressHeader:
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = text  # refuses line breaks
        header: Any = message["From"]
        faulty = header.defects
    except (HeaderParseError, IndexError, ValueError) as error:
        raise ValueError("it cannot be read") from error
    if faulty:
        raise ValueError("it cannot be read")
    return cast(AddressHeader, header)


def _validated(text: str) -> ValidatedEmail:
    return validate_email(
        text, check_deliverability=False, globally_deliverable=False, test_environment=True, strict=True
    )
