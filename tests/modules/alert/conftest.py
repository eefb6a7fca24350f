"""Fixtures: an application that tells of alerts, and who hears of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from application.extensions import webhooks
from application.libs import outgoing
from application.libs.mail_server import MailServer
from application.libs.outbound import Outbound
from tests.http_receiver import Receiver, receiver
from tests.mail_server import Mailbox, mail_server
from tests.modules.scheduler.conftest import ledger, node
from tests.modules.task.conftest import engine, make_engine, rows

__all__ = ["engine", "ledger", "make_engine", "node", "rows"]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Configure = Callable[..., None]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def listening() -> Iterator[Receiver]:
    """Return a server that is told of alerts."""
    with receiver() as server:
        yield server


@pytest.fixture
def configure(app: Flask, mailbox: Mailbox, listening: Receiver) -> Iterator[Configure]:
    """Return a function that changes the settings; mail goes to the mailbox, and this machine may be called."""
    kept = {name: app.extensions[name] for name in ("settings", "outgoing", "webhooks")}

    def change(*, mail: tuple[str, ...] = (), url: str | None = None, **more: Any) -> None:
        secret = None if url is None else SecretStr(url)
        changed = {"scheduler_alert_mail": mail, "scheduler_alert_webhook": secret, **more}
        app.extensions["settings"] = kept["settings"].model_copy(update=changed)

    with mail_server(mailbox) as port:
        outgoing.init_app(app, replace(kept["outgoing"], mail=MailServer(host="127.0.0.1", port=port)))
        webhooks.init_app(app, Outbound(["127.0.0.1"], ["127.0.0.1"]), SECRET)
        yield change
        app.extensions.update(kept)
