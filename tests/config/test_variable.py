import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from application.config.setting import ROOT, AsyncMode, LogLevel, SettingsRefused
from tests.config.conftest import CLEAN, KEY, START, WEBHOOK, Start, load


class TestKeyFile:
    def test_is_made_once_for_its_owner_only(self, start: Start, project: Path) -> None:
        program = (
            "from application.config.setting import load_settings as load; print(load().secret_key.get_secret_value())"
        )

        first, second = start(program).stdout, start(program).stdout

        assert first == second
        assert len(first.strip()) == 64
        assert stat.S_IMODE((project / ".secret_key").stat().st_mode) == 0o600
        assert [path.name for path in project.iterdir() if path.name.startswith(".secret")] == [".secret_key"]

    def test_is_the_same_for_processes_that_start_at_once(self, project: Path) -> None:
        program = (
            "import sys; from application.config.setting import load_settings as load; "
            "print('ready', flush=True); sys.stdin.read(); print(load().secret_key.get_secret_value())"
        )
        gate, opener = os.pipe()  # all wait for its end, so all start at once
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program],
                cwd=project,
                env={**CLEAN, "PYTHONPATH": str(project)},
                stdin=gate,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(6)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        os.close(gate)
        os.close(opener)

        keys = {process.communicate(timeout=60)[0] for process in processes}

        assert len(keys) == 1
        assert len(keys.pop().strip()) == 64

    def test_is_closed_to_others_when_it_was_open(self, start: Start, project: Path) -> None:
        (project / ".secret_key").write_text(KEY)
        (project / ".secret_key").chmod(0o644)

        done = start(START)

        assert done.returncode == 0
        assert stat.S_IMODE((project / ".secret_key").stat().st_mode) == 0o600

    def test_is_refused_when_it_holds_no_key(self, start: Start, project: Path) -> None:
        (project / ".secret_key").write_text("")

        done = start(START)

        assert done.returncode == 78
        assert "delete it" in done.stderr

    def test_is_refused_where_it_cannot_be_made(self, start: Start, project: Path) -> None:
        (project / ".secret_key").mkdir()

        done = start(START)

        assert done.returncode == 78
        assert "set SECRET_KEY" in done.stderr

    def test_is_not_needed_in_tests(self) -> None:
        assert load().secret_key != load().secret_key


class TestVariables:
    @pytest.mark.parametrize(
        ("overrides", "reason"),
        [
            ({"port": "http"}, "PORT: input should be a valid integer.*the default is 5000"),
            ({"database_url": "nonsense"}, "DATABASE_URL is no URL"),
            ({"database_url": "oracle://x/y"}, "DATABASE_URL names a database we do not speak"),
            ({"database_url": "mysql://x/y?charset=latin1"}, "leave charset out"),
            ({"redis_url": "http://x"}, "REDIS_URL is not usable"),
            ({"broker_url": "sqla+sqlite:///x"}, "BROKER_URL is not usable"),
            ({"broker_url": "redis://h:port/0"}, "BROKER_URL is not usable"),
            ({"scheduler_timezone": "Mars/Olympus"}, "SCHEDULER_TIMEZONE"),
            ({"scheduler_timezone": "../../etc/passwd"}, "SCHEDULER_TIMEZONE"),
            ({"scheduler_api_prefix": "scheduler"}, "SCHEDULER_API_PREFIX"),
            ({"trusted_hosts": "*"}, "TRUSTED_HOSTS"),
            ({"trusted_hosts": "https://a.example"}, "TRUSTED_HOSTS"),
            ({"trusted_hosts": "a.example:80"}, "TRUSTED_HOSTS"),
            ({"cors_origins": "*"}, "CORS_ORIGINS"),
            ({"cors_origins": "null"}, "CORS_ORIGINS"),
            ({"cors_origins": "https://a.example/"}, "CORS_ORIGINS"),
            ({"cors_origins": "https://*.a.example"}, "CORS_ORIGINS"),
            ({"mail_from": "nobody"}, "MAIL_FROM is no sender, it cannot be read: write Redprint <noreply@"),
            ({"mail_from": "a@b.example\nBcc: c@d.example"}, "MAIL_FROM is no sender"),
            ({"mail_backend": "pigeon"}, "MAIL_BACKEND: input should be 'smtp', 'console' or 'memory'"),
            ({"sms_url": "ftp://s3cr3t/"}, "SMS_URL is no address: write https://"),
            ({"sms_body": "s3cr3t"}, "SMS_BODY is neither JSON nor a form"),
            ({"sms_headers": "s3cr3t"}, "SMS_HEADERS is no JSON object of texts"),
            ({"sms_ok": "("}, "SMS_OK is no regular expression"),
            ({"v1_sunset_at": "2027-01-31T00:00:00"}, "V1_SUNSET_AT: give a time with its offset, such as 2030-"),
            ({"v1_sunset_at": "1800000000"}, "V1_SUNSET_AT: give a time with its offset"),
            ({"v1_deprecated_at": "0001-01-01T00:00:00+14:00"}, "V1_DEPRECATED_AT: the year must lie between"),
        ],
    )
    def test_refuse_what_is_not_valid(self, overrides: dict[str, object], reason: str) -> None:
        with pytest.raises(SettingsRefused, match=reason) as refused:
            load(**{"secret_key": KEY, **overrides})

        assert "\n" not in str(refused.value)
        assert "default factory" not in str(refused.value)
        assert "s3cr3t" not in str(refused.value)

    @pytest.mark.parametrize(
        ("given", "mapped"),
        [
            ("postgres://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
            ("postgresql://u:p@h:1/n?sslmode=require", "postgresql+psycopg://u:p@h:1/n?sslmode=require"),
            ("mysql://u:p%40x@h/n", "mysql+pymysql://u:p%40x@h/n?charset=utf8mb4"),
            ("mariadb://u@h/n", "mysql+pymysql://u@h/n?charset=utf8mb4"),
            ("mysql+pymysql://u@h/n?charset=utf8mb4", "mysql+pymysql://u@h/n?charset=utf8mb4"),
            ("sqlite:///some.db", f"sqlite:///{ROOT}/some.db"),
            ("sqlite:////var/lib/some.db", "sqlite:////var/lib/some.db"),
            ("sqlite:///file:some.db?uri=true", "sqlite:///file:some.db?uri=true"),
            ("sqlite://", "sqlite://"),
        ],
    )
    def test_map_a_database_to_our_driver(self, given: str, mapped: str) -> None:
        assert load(database_url=given).database_url == mapped

    def test_decide_by_environment_what_is_left_out(self) -> None:
        testing = load()
        development = load(environment="development", secret_key=KEY)
        production = load(environment="production", secret_key=KEY, database_url="postgresql://db/x")

        assert (testing.async_mode, development.async_mode) == (AsyncMode.THREADING, AsyncMode.GEVENT)
        assert [s.sample_data for s in (testing, development, production)] == [False, True, False]
        assert [s.console for s in (testing, development, production)] == [False, True, False]
        assert [s.ws_is_open for s in (testing, development, production)] == [False, True, False]
        assert development.trusted_hosts == ("localhost", "127.0.0.1", "::1")
        assert production.trusted_hosts == ()
        assert load(environment="development", secret_key=KEY, host="192.0.2.1").ws_is_open is False
        assert load(log_console=True, ws_open=True).console is True
        assert load(log_console=True, ws_open=True).ws_is_open is True

    def test_split_lists_at_commas(self) -> None:
        settings = load(trusted_hosts=" A.example , .b.example,[::1],bücher.example", error_mail_to=["me@example.org"])

        assert settings.trusted_hosts == ("a.example", ".b.example", "::1", "xn--bcher-kva.example")
        assert settings.error_mail_to == ("me@example.org",)

    def test_take_hosts_that_may_be_called(self) -> None:
        hosts = {"webhook_hosts": ".Example.org,127.0.0.1", "webhook_private_hosts": "hooks.example.org, 127.0.0.1"}
        settings = load(**hosts, webhook_secret=WEBHOOK)

        assert settings.webhook_hosts == (".example.org", "127.0.0.1")
        assert settings.webhook_private_hosts == ("hooks.example.org", "127.0.0.1")
        with pytest.raises(SettingsRefused, match="WEBHOOK_HOSTS https://a.example are not all .* to call none"):
            load(webhook_hosts="https://a.example")

    @pytest.mark.parametrize("secret", ["short", "whsec_short", "x" * 40])
    def test_refuse_what_cannot_sign_without_showing_it(self, secret: str) -> None:
        with pytest.raises(SettingsRefused, match="WEBHOOK_SECRET cannot sign: set it to the output of `echo") as said:
            load(webhook_secret=secret)
        assert secret not in str(said.value)

    def test_take_who_hears_of_alerts(self) -> None:
        hosts = {"webhook_hosts": "hooks.example.org", "webhook_secret": WEBHOOK}
        settings = load(
            **hosts,
            scheduler_alert_mail="a@example.org, b@example.org",
            scheduler_alert_webhook="https://hooks.example.org/key",
            scheduler_alert_language="zh",
        )

        assert settings.scheduler_alert_mail == ("a@example.org", "b@example.org")
        with pytest.raises(SettingsRefused, match="SCHEDULER_ALERT_MAIL names somebody who can get no mail: "):
            load(scheduler_alert_mail="nobody")
        assert "key" not in repr(settings.scheduler_alert_webhook)
        assert "https://hooks.example.org/key" in settings.secrets()

    def test_take_a_level_in_any_case(self) -> None:
        assert load(log_level="warning").log_level is LogLevel.WARNING

    def test_take_other_sites_as_browsers_name_them(self) -> None:
        settings = load(cors_origins="https://App.example:443, http://[::1]:5173,https://bücher.example")

        assert settings.cors_origins == ("https://app.example", "http://[::1]:5173", "https://xn--bcher-kva.example")
        assert load().cors_origins == ()

    def test_take_times_with_their_zone(self) -> None:
        settings = load(v1_deprecated_at="2027-01-31T00:00:00Z")

        assert settings.v1_deprecated_at == datetime(2027, 1, 31, tzinfo=UTC)
        assert settings.v1_sunset_at is None
        assert load(v1_sunset_at="2027-01-31T02:00:00+02:00").v1_sunset_at == settings.v1_deprecated_at
