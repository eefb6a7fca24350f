import pytest

from application.config.setting import SettingsRefused
from tests.config.conftest import KEY, WEBHOOK, load


class TestRefusals:
    @pytest.mark.parametrize(
        ("overrides", "reason"),
        [
            ({"workers": 2, "runner": "inline"}, "RUNNER=inline would fire jobs in every worker"),
            ({"runner": "inline", "async_mode": "gevent"}, "RUNNER=inline runs jobs on threads"),
            ({"environment": "development", "database_url": "sqlite://"}, "a database in memory"),
            ({"mail_password": "x"}, "MAIL_PASSWORD stands alone"),
            ({"webhook_hosts": "hooks.example.org"}, "set WEBHOOK_SECRET to the output of `echo"),
            (
                {"webhook_hosts": ".example.org", "webhook_secret": WEBHOOK, "webhook_private_hosts": "127.0.0.1"},
                "WEBHOOK_PRIVATE_HOSTS names hosts that WEBHOOK_HOSTS does not",
            ),
            (
                {"scheduler_alert_webhook": "https://hooks.example.org/x"},
                "SCHEDULER_ALERT_WEBHOOK may not be called. Its host is not among those .* WEBHOOK_HOSTS lists the",
            ),
            (
                {
                    "webhook_hosts": "hooks.example.org",
                    "webhook_secret": WEBHOOK,
                    "scheduler_alert_webhook": "http://hooks.example.org/x",
                },
                "SCHEDULER_ALERT_WEBHOOK may not be called. Give a URL that begins with https",
            ),
            ({"sms_url": "https://sms.example"}, "SMS_URL stands alone: set SMS_BODY too"),
            ({"sms_body": "to={to}&text={text}"}, "SMS_BODY and SMS_HEADERS go nowhere: set SMS_URL too"),
            ({"sms_headers": "{}"}, "SMS_BODY and SMS_HEADERS go nowhere: set SMS_URL too"),
            ({"environment": "development", "host": "192.0.2.1", "ws_open": True}, "WS_OPEN"),
            ({"admin_password": "123456"}, "ADMIN_PASSWORD"),
            ({"admin_password": "Password"}, "ADMIN_PASSWORD"),
            (
                {"v1_deprecated_at": "2027-02-01T00:00:00Z", "v1_sunset_at": "2027-02-01T00:59:59+01:00"},
                "V1_SUNSET_AT lies before V1_DEPRECATED_AT: .* name a later time",
            ),
        ],
    )
    def test_refuses_what_cannot_work_together(self, overrides: dict[str, object], reason: str) -> None:
        with pytest.raises(SettingsRefused, match=reason) as refused:
            load(**{"secret_key": KEY, **overrides})

        assert "\n" not in str(refused.value)
        assert "default factory" not in str(refused.value)

    def test_refuses_to_send_a_mail_password_in_clear(self) -> None:
        mail = {"mail_server": "mail.example.org", "mail_username": "me", "mail_password": "s3cr3t"}
        production = {"environment": "production", "secret_key": KEY, "database_url": "postgresql://db/x"}

        with pytest.raises(SettingsRefused, match="MAIL_USE_TLS=1"):
            load(**production, **mail)

        assert load(**production, **mail, mail_use_tls=True).mail_server == "mail.example.org"

    def test_refuses_to_send_codes_in_clear(self) -> None:
        production = {"environment": "production", "secret_key": KEY, "database_url": "postgresql://db/x"}
        body = {"sms_body": "to={to}&text={text}"}

        with pytest.raises(SettingsRefused, match="SMS_URL would send codes across the network in clear"):
            load(**production, **body, sms_url="http://sms.example/t0k3n")

        assert load(**production, **body, sms_url="http://127.0.0.1:8080/").sms_url is not None

    @pytest.mark.parametrize("name", ["redis_url", "broker_url"])
    def test_refuses_a_broker_that_asks_nobody_for_a_password(self, name: str) -> None:
        production = {"environment": "production", "secret_key": KEY, "database_url": "postgresql://db/x"}

        for url in ("redis://cache.example/0", "redis://name@10.0.0.7"):
            with pytest.raises(SettingsRefused, match=f"{name.upper()} names a server on another machine without"):
                load(**production, **{name: url})

        for url in ("redis://:s3cr3t@cache.example", "redis://127.0.0.1/0", "rediss://cache.example?ssl_certfile=c"):
            assert getattr(load(**production, **{name: url}), name) == url
        assert getattr(load(environment="development", **{name: "redis://cache"}), name) == "redis://cache"
