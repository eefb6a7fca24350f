from pathlib import Path

import pytest
from flask import Flask

from application.config.sender import mail_server, outgoing
from application.libs.mail import ConsoleMail, MemoryMail
from application.libs.mail_server import MailServer
from application.libs.outgoing import outgoing as held
from application.libs.sms import ConsoleSms, HttpSms, MemorySms, NoSms
from tests.config.conftest import KEY, load

PRODUCTION = {"environment": "production", "secret_key": KEY, "database_url": "postgresql://db/x"}
PROVIDER = {"sms_url": "https://sms.example/send", "sms_body": "to={to}&text={text}"}


class TestOutgoing:
    @pytest.mark.parametrize(
        ("settings", "mail", "sms"),
        [
            ({}, MemoryMail, MemorySms),
            ({"environment": "development", "secret_key": KEY}, ConsoleMail, ConsoleSms),
            (PRODUCTION, MailServer, NoSms),
            ({**PRODUCTION, **PROVIDER}, MailServer, HttpSms),
            ({"mail_backend": "smtp", **PROVIDER}, MailServer, HttpSms),
            ({**PRODUCTION, "mail_backend": "console"}, ConsoleMail, NoSms),
        ],
    )
    def test_is_chosen_by_the_settings(self, settings: dict[str, object], mail: type, sms: type) -> None:
        chosen = outgoing(load(**settings))
        assert (type(chosen.mail), type(chosen.sms)) == (mail, sms)
        assert chosen.mail_from == "redprint@localhost"

    def test_takes_over_what_is_said_of_the_provider(self) -> None:
        settings = load(**PROVIDER, sms_method="GET", sms_headers='{"Authorization": "Bearer k3y"}', sms_ok="OK")
        sender = outgoing(settings).sms
        assert isinstance(sender, HttpSms)
        assert (sender.url, sender.method, sender.accepted) == ("https://sms.example/send", "GET", "OK")
        assert sender.headers == {"Authorization": "Bearer k3y"}

    def test_is_held_by_the_application(self, app: Flask) -> None:
        with app.app_context():
            assert isinstance(held().mail, MemoryMail)


class TestMailServer:
    def test_takes_over_what_is_said_of_the_server(self) -> None:
        settings = load(
            mail_server="mail.example.org", mail_port=587, mail_username="me", mail_password="s3cr3t", mail_use_tls=True
        )
        assert mail_server(settings) == MailServer(
            host="mail.example.org", port=587, username="me", password="s3cr3t", starttls=True
        )
        assert mail_server(load()).password is None


class TestSecrets:
    def test_of_the_provider_are_kept_out_of_sight(self, tmp_path: Path) -> None:
        settings = load(
            sms_url="https://sms.example/send/t0k3n",
            sms_headers='{"Authorization": "Bearer k3y"}',
            sms_body='{"to": "{to}", "text": "{text}", "key": "0123456789abcdef"}',
        )
        assert {"https://sms.example/send/t0k3n", "Bearer k3y", "0123456789abcdef"} <= set(settings.secrets())
        shown = repr(settings)
        assert not any(secret in shown for secret in ("t0k3n", "k3y", "0123456789abcdef"))
