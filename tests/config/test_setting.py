import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from application.config.setting import (
    ROOT,
    AsyncMode,
    Environment,
    LogLevel,
    Settings,
    SettingsRefused,
    load_settings,
    settings_or_exit,
)
from tests.config.conftest import CLEAN, Start

START = "from application.config.setting import settings_or_exit; settings_or_exit()"

KEY = "4f1c9d27e0ab83f65d7a2c94b1e8f0637a5d9c2e81b4f603"

PRODUCTION = {"ENVIRONMENT": "production", "SECRET_KEY": KEY, "DATABASE_URL": "postgresql://web:pa55@db/redprint"}


def load(**overrides: object) -> Settings:
    return load_settings(**{"environment": "testing", "_env_file": None, **overrides})


class TestStart:
    """A process starts or says in one line why it does not."""

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
            ({"SECRET_KEY": "k9#vP2!xQ7zL"}, "SECRET_KEY is shorter than 32 characters"),
            ({"SECRET_KEY": "secret!"}, "SECRET_KEY is a known one"),
            ({"SECRET_KEY": "dev"}, "SECRET_KEY is a known one"),
            ({"SECRET_KEY": "changeme-changeme-changeme-changeme"}, "SECRET_KEY is a known one"),
            ({"SECRET_KEY": "ab" * 20}, "SECRET_KEY is easy to guess"),
            ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG"),
            ({"DATABASE_URL": "sqlite:////tmp/application.db"}, "DATABASE_URL names a file in a temporary directory"),
            ({"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL names a database in memory"),
            ({"WORKERS": "2"}, "WORKERS: more than one worker needs the leader-elected scheduler"),
            ({"RUNNER": "inline"}, "RUNNER=inline"),
            ({"ASYNC_MODE": "asyncio"}, "ASYNC_MODE: input should be 'threading', 'gevent' or 'eventlet'"),
            ({"ADMIN_PASSWORD": "admin"}, "ADMIN_PASSWORD"),
            ({"WS_OPEN": "1"}, "WS_OPEN"),
        ],
    )
    def test_refuses_in_production_with_one_line(self, start: Start, change: dict[str, str], reason: str) -> None:
        done = start(START, **{**PRODUCTION, **change})

        assert done.returncode == 78
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert reason in done.stderr

    def test_starts_in_production_with_proper_settings(self, start: Start, project: Path) -> None:
        done = start(START, **PRODUCTION)

        assert (done.returncode, done.stderr) == (0, "")
        assert not (project / ".secret_key").exists()

    def test_refuses_a_project_that_lies_in_a_temporary_directory(self, start: Start, project: Path) -> None:
        temporary = str(project.parent)

        done = start(START, ENVIRONMENT="production", SECRET_KEY=KEY, TMPDIR=temporary)

        assert done.returncode == 78
        assert "DATABASE_URL names a file in a temporary directory" in done.stderr

    def test_never_shows_what_it_refuses(self, start: Start) -> None:
        done = start(START, **{**PRODUCTION, "SECRET_KEY": "k9#vP2!xQ7zL", "DATABASE_URL": "oracle://web:pa55@db/x"})

        assert done.returncode == 78
        assert "k9#vP2!xQ7zL" not in done.stderr
        assert "pa55" not in done.stderr

    def test_reads_the_file_below_the_environment_and_ignores_what_it_does_not_know(
        self, start: Start, project: Path
    ) -> None:
        (project / ".env").write_text("PORT=6001\nHOST=127.0.0.9\nSOMETHING_ELSE=1\n")

        done = start(
            "from application.config.setting import load_settings as load; s = load(); print(s.host, s.port)", PORT="7"
        )

        assert done.stdout == "127.0.0.9 7\n"

    def test_refuses_a_file_it_cannot_read(self, start: Start, project: Path) -> None:
        (project / ".env").write_bytes(b"HOST=\xff\xfe\n")

        done = start(START)

        assert done.returncode == 78
        assert done.stderr.startswith("redprint does not start: .env cannot be read")
        assert done.stderr.count("\n") == 1

    def test_reads_nothing_at_import(self, start: Start, project: Path) -> None:
        (project / ".env").write_bytes(b"HOST=\xff\xfe\n")

        done = start("import application.config.setting", WORKERS="many")

        assert (done.returncode, done.stderr) == (0, "")
        assert not (project / ".secret_key").exists()


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


class TestLoadSettings:
    @pytest.mark.parametrize(
        ("overrides", "reason"),
        [
            ({"port": "http"}, "PORT: input should be a valid integer.*the default is 5000"),
            ({"workers": 2}, "WORKERS: more than one worker"),
            ({"workers": 2, "runner": "inline"}, "RUNNER=inline would fire jobs in every worker"),
            ({"runner": "inline", "async_mode": "gevent"}, "RUNNER=inline runs jobs on threads"),
            ({"environment": "development", "database_url": "sqlite://"}, "a database in memory"),
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
            ({"mail_password": "x"}, "MAIL_PASSWORD stands alone"),
            ({"environment": "development", "host": "192.0.2.1", "ws_open": True}, "WS_OPEN"),
            ({"admin_password": "123456"}, "ADMIN_PASSWORD"),
            ({"admin_password": "Password"}, "ADMIN_PASSWORD"),
            ({"port": "http", "log_level": "loud"}, "PORT.*; LOG_LEVEL"),
        ],
    )
    def test_refuses_what_cannot_work(self, overrides: dict[str, object], reason: str) -> None:
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

    def test_tells_the_programmer_of_a_setting_that_does_not_exist(self) -> None:
        with pytest.raises(TypeError, match="no such setting: prot"):
            load(prot=1)

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
            ("sqlite:///file:some.db?uri=true", "sqlite:///file%3Asome.db?uri=true"),
            ("sqlite://", "sqlite://"),
        ],
    )
    def test_maps_a_database_to_our_driver(self, given: str, mapped: str) -> None:
        assert load(database_url=given).database_url == mapped

    def test_decides_by_environment_what_is_left_out(self) -> None:
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

    def test_splits_lists_at_commas(self) -> None:
        settings = load(trusted_hosts=" A.example , .b.example,[::1],bücher.example", error_mail_to=["me@example.org"])

        assert settings.trusted_hosts == ("a.example", ".b.example", "::1", "xn--bcher-kva.example")
        assert settings.error_mail_to == ("me@example.org",)

    def test_takes_a_level_in_any_case(self) -> None:
        assert load(log_level="warning").log_level is LogLevel.WARNING

    def test_takes_an_empty_variable_for_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REDIS_URL", "")
        monkeypatch.setenv("PORT", "")

        assert (load().redis_url, load().port) == (None, 5000)

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            cast(Any, load()).port = 1


class TestSettingsOrExit:
    def test_ends_the_process_with_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            settings_or_exit(environment="testing", _env_file=None, workers=2)

        assert ended.value.code == 78
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("redprint does not start: WORKERS: more than one worker")

    def test_gives_settings_that_work(self) -> None:
        assert settings_or_exit(environment="testing", _env_file=None, port=7).port == 7

    def test_refuses_a_file_that_is_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "env").write_bytes(b"HOST=\xff")

        with pytest.raises(SystemExit):
            settings_or_exit(_env_file=tmp_path / "env")

    def test_refuses_production_without_a_key(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            settings_or_exit(environment="production", _env_file=None)

        assert "SECRET_KEY is missing" in capsys.readouterr().err

    def test_makes_the_key_file_in_development(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("application.config.setting.KEY_FILE", tmp_path / "key")
        key = settings_or_exit(_env_file=None).secret_key.get_secret_value()
        assert (tmp_path / "key").read_text() == key

        (tmp_path / "key").write_text("")
        with pytest.raises(SystemExit):
            settings_or_exit(_env_file=None)
        assert "delete it" in capsys.readouterr().err


class TestRepr:
    def test_shows_no_secret(self) -> None:
        settings = load(
            secret_key=KEY,
            admin_password="correct-horse",
            database_url="postgresql://web:db%2Fp4ss@h/n",
            redis_url="redis://:r3dis@h/0",
            broker_url="amqp://bunny:r4bbit@h//",
            mail_username="me",
            mail_password="m4il-word",
        )

        for text in (repr(settings), str(settings), f"{settings}"):
            for secret in (KEY, "correct-horse", "db%2Fp4ss", "db/p4ss", "r3dis", "r4bbit", "m4il-word"):
                assert secret not in text
            assert "postgresql+psycopg://web:***@h/n" in text
        assert {KEY, "correct-horse", "db%2Fp4ss", "db/p4ss", "r3dis", "r4bbit", "m4il-word"} == set(settings.secrets())


class TestFlask:
    def test_gives_what_flask_takes(self) -> None:
        config = load(secret_key=KEY, max_content_length=2048).flask()

        assert config["SECRET_KEY"] == KEY
        assert config["TESTING"] is True
        assert config["MAX_CONTENT_LENGTH"] == 2048
        assert config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{ROOT}/application.db"
        assert config["SCHEDULER_API_ENABLED"] is False

    @pytest.mark.parametrize(("environment", "debug"), [("development", True), ("testing", False)])
    def test_debugs_in_development_only(self, environment: str, debug: bool) -> None:
        settings = load(environment=environment, flask_debug=True, secret_key=SecretStr(KEY))

        assert settings.flask()["DEBUG"] is debug
        assert settings.production is False

    def test_keeps_cookies_safe_in_production(self) -> None:
        settings = load(
            environment=Environment.PRODUCTION, secret_key=secrets.token_hex(32), database_url="postgresql://db/x"
        )

        assert settings.flask()["SESSION_COOKIE_SECURE"] is True
        assert settings.flask()["PREFERRED_URL_SCHEME"] == "https"
