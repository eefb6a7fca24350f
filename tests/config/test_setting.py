import secrets
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from application.config.setting import (
    ROOT,
    Environment,
    SettingsRefused,
    settings_or_exit,
)
from tests.config.conftest import KEY, START, WEBHOOK, Start, load

OLDER = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

PRODUCTION = {"ENVIRONMENT": "production", "SECRET_KEY": KEY, "DATABASE_URL": "postgresql://web:pa55@db/redprint"}


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
            ({"WORKERS": "0"}, "WORKERS: input should be greater than or equal to 1"),
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


class TestLoadSettings:
    def test_names_every_fault_in_one_line(self) -> None:
        with pytest.raises(SettingsRefused, match="PORT.*; LOG_LEVEL") as refused:
            load(port="http", log_level="loud")

        assert "\n" not in str(refused.value)
        assert "default factory" not in str(refused.value)

    def test_tells_the_programmer_of_a_setting_that_does_not_exist(self) -> None:
        with pytest.raises(TypeError, match="no such setting: prot"):
            load(prot=1)

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
            settings_or_exit(environment="testing", _env_file=None, workers=0)

        assert ended.value.code == 78
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("redprint does not start: WORKERS: input should be greater")

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
        monkeypatch.setattr("application.config.variable.KEY_FILE", tmp_path / "key")
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
            webhook_secret=f"{WEBHOOK}, {OLDER}",
        )
        known = {KEY, "correct-horse", "db%2Fp4ss", "db/p4ss", "r3dis", "r4bbit", "m4il-word", WEBHOOK, OLDER}

        for text in (repr(settings), str(settings), f"{settings}"):
            for secret in known:
                assert secret not in text
            assert "postgresql+psycopg://web:***@h/n" in text
        assert known == set(settings.secrets()) - {f"{WEBHOOK}, {OLDER}"}


class TestFlask:
    def test_gives_what_flask_takes(self) -> None:
        config = load(secret_key=KEY, max_content_length=2048).flask()

        assert config["SECRET_KEY"] == KEY
        assert config["TESTING"] is True
        assert config["MAX_CONTENT_LENGTH"] == 2048
        assert config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{ROOT}/application.db"

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
