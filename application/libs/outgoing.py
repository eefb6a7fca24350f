"""Hold what sends mail and short messages for an application."""

from dataclasses import dataclass

from flask import Flask, current_app

from application.libs.mail import MailSender
from application.libs.sms import SmsSender


@dataclass(frozen=True)
class Outgoing:
    """Hold both senders, and whom mail is from."""

    mail: MailSender
    sms: SmsSender
    mail_from: str


def init_app(app: Flask, outgoing: Outgoing) -> None:
    """Give an application its senders."""
    app.extensions["outgoing"] = outgoing


def outgoing() -> Outgoing:
    """Return the senders of the application this code runs in."""
    held: Outgoing = current_app.extensions["outgoing"]
    return held
