"""Fixtures: what an application has sent, and real servers in the place of the senders of tests."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage

import pytest
from flask import Flask

from application.database import transaction
from application.libs import outgoing
from application.libs.mail import MailSender, MemoryMail
from application.libs.mail_server import MailServer
from application.libs.outgoing import Outgoing
from application.libs.sms import HttpSms, MemorySms, Sms, SmsSender, read_template
from application.modules.message import business
from tests.mail_server import Mailbox, mail_server
from tests.sms_provider import Provider, sms_provider

CODE = {"code": "204816", "minutes": 10}

Accept = Callable[..., str]


@pytest.fixture
def senders(app: Flask) -> Iterator[Outgoing]:
    """Give the application senders that have sent nothing yet."""
    before: Outgoing = app.extensions["outgoing"]
    fresh = replace(before, mail=MemoryMail(), sms=MemorySms(), mail_from="Redprint <noreply@example.org>")
    outgoing.init_app(app, fresh)
    yield fresh
    outgoing.init_app(app, before)


def mails(senders: Outgoing) -> deque[EmailMessage]:
    """Return the mails that were kept in memory."""
    assert isinstance(senders.mail, MemoryMail)
    return senders.mail.sent


def short_messages(senders: Outgoing) -> deque[Sms]:
    """Return the short messages that were kept in memory."""
    assert isinstance(senders.sms, MemorySms)
    return senders.sms.sent


def use(app: Flask, *, mail: MailSender | None = None, sms: SmsSender | None = None) -> None:
    """Let the application send by these."""
    held: Outgoing = app.extensions["outgoing"]
    outgoing.init_app(app, replace(held, mail=mail or held.mail, sms=sms or held.sms))


@pytest.fixture
def mailbox(app: Flask, senders: Outgoing) -> Iterator[Mailbox]:
    """Let the application send by a real SMTP server; return what it receives."""
    box = Mailbox()
    with mail_server(box) as port:
        use(app, mail=MailServer(host="127.0.0.1", port=port))
        yield box


@pytest.fixture
def provider(app: Flask, senders: Outgoing) -> Iterator[Provider]:
    """Let the application send by a real HTTP server; return what it is asked."""
    with sms_provider() as running:
        body = read_template('{"to": "{to}", "text": "{text}", "template": "{template}", "code": "{code}"}')
        use(app, sms=HttpSms(url=running.url, template=body, accepted=r'"sid": "(?P<id>\w+)"', timeout_seconds=1))
        yield running


@pytest.fixture
def accept(app: Flask, senders: Outgoing) -> Accept:
    """Return a function that accepts a message in a unit of work of its own, for a task that nobody runs."""

    def run(to: str = "ada@example.org", template: str = "test", language: str = "en", **parameters: object) -> str:
        send = business.send_sms if to.startswith("+") else business.send_mail
        with app.app_context(), transaction():
            return send(to=to, template=template, language=language, **parameters)

    return run


def row(app: Flask, message_id: str) -> business.MessageRow:
    """Return a message as those see it who look after messages."""
    with app.app_context(), transaction(write=False):
        return business.get(message_id)
