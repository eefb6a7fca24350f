"""What a first start prepares."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from flask import Flask

from application.cli import start
from application.config.scheduler import SCHEDULER_JOBS
from application.config.setting import ROOT, Environment, Settings, load_settings
from application.database import db, execute, transaction
from application.factory import create_app
from application.libs.secret import verify_password
from application.modules.auth import business as auth_business
from application.modules.blog.models import Blog
from application.modules.scheduler.models import Job, Lease
from application.modules.user import business as user_business
from application.modules.user.models import User
from tests.e2e.server import PASSWORD
from tests.services import DATABASES, fresh_database


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def settings(**given: object) -> Settings:
    return load_settings(environment=Environment.TESTING, _env_file=None, **given)


def names() -> list[str]:
    with transaction(write=False):
        return list(execute(sa.select(User.name)).scalars())


@pytest.mark.usefixtures("context")
class TestFill:
    def test_creates_an_administrator_with_a_random_password_said_once(self) -> None:
        (line,) = start.fill(settings(), "en")
        with transaction(write=False):
            account = auth_business.find_account("admin")
        assert account is not None
        assert account.roles == ("admin", "user")
        password = line.partition("password ")[2].partition(" ")[0]
        assert len(password) == 16
        assert verify_password(password, account.password_hash)
        assert start.fill(settings(), "en") == []

    def test_takes_the_password_that_is_set_and_does_not_show_it(self) -> None:
        (line,) = start.fill(settings(admin_password="a good long one"), "zh")
        with transaction(write=False):
            account = auth_business.find_account("admin")
        assert account is not None
        assert verify_password("a good long one", account.password_hash)
        assert "a good long one" not in line
        assert "管理员" in line

    def test_loads_the_sample_into_an_empty_database(self) -> None:
        _, line = start.fill(settings(sample_data=True), "en")
        assert "9 blogs" in line
        with transaction(write=False):
            assert execute(sa.select(sa.func.count()).select_from(Blog)).scalar_one() == 9
            statuses = set(execute(sa.select(Blog.status)).scalars())
            hashes = execute(sa.select(User.password_hash).where(User.name != "admin")).scalars().all()
        assert statuses == {"draft", "published"}
        assert set(hashes) == {None}, "nobody can sign in as a sample user"

    def test_says_in_chinese_what_is_loaded(self) -> None:
        _, line = start.fill(settings(sample_data=True), "zh")
        assert line == "已载入示例数据：3 位用户、5 个标签、9 篇博客（SAMPLE_DATA=0 则不载入）。"

    def test_loads_no_sample_where_somebody_is(self) -> None:
        with transaction():
            user_business.create(name="ada", password_hash=None)
        start.fill(settings(sample_data=True), "en")
        assert sorted(names()) == ["ada", "admin"]

    def test_leaves_a_user_called_admin_alone(self) -> None:
        with transaction():
            user_business.create(name="admin", password_hash=None)
        with pytest.raises(click.ClickException, match="create-admin --name admin --existing"):
            start.fill(settings(), "en")

    def test_refuses_a_short_password(self) -> None:
        with pytest.raises(click.ClickException, match="ADMIN_PASSWORD cannot be used"):
            start.fill(settings(admin_password="short"), "en")
        assert names() == []


class TestPrepare:
    def test_says_what_is_where(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        chosen = settings(database_url=f"sqlite:///{tmp_path / 'a.db'}", log_directory=tmp_path, port=5099, host="::1")
        start.prepare(chosen, builds=False)
        said = capsys.readouterr().out
        assert "http://[::1]:5099/docs " in said
        assert "http://[::1]:5099/api/v1/openapi.json" in said
        assert "http://[::1]:5099/scheduler" in said
        start.prepare(chosen, builds=False)
        assert "administrator is" not in capsys.readouterr().out

    def test_stores_the_declared_jobs_before_anybody_asks_for_them(self, tmp_path: Path) -> None:
        chosen = settings(
            database_url=f"sqlite:///{tmp_path / 'a.db'}", log_directory=tmp_path, admin_password=PASSWORD
        )
        start.prepare(chosen, builds=False)
        app = create_app(chosen)
        answer = app.test_client().post("/scheduler/jobs/prune-expired-sessions/run", auth=("admin", PASSWORD))
        assert answer.status_code == 200, answer.text
        with app.app_context():
            db.engine.dispose()

    def test_by_four_processes_at_once_prepares_one_database(self, tmp_path: Path) -> None:
        with fresh_database(DATABASES[-1], tmp_path) as url:
            environment = {
                **os.environ,
                "ENVIRONMENT": "development",
                "DATABASE_URL": url,
                "LOG_DIRECTORY": str(tmp_path),
                "ADMIN_PASSWORD": PASSWORD,
            }
            code = "from application.cli.start import prepare; from application.config.setting import load_settings; "
            command = [sys.executable, "-c", f"{code}prepare(load_settings(), builds=False)"]
            started = [
                subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                for _process in range(4)
            ]
            said = [process.communicate(timeout=120)[0].decode() for process in started]
            assert [process.returncode for process in started] == [0] * 4, said
            assert sum("The first administrator is admin" in each for each in said) == 1
            engine = sa.create_engine(url)
            with engine.connect() as connection:
                counted = [
                    connection.execute(sa.select(sa.func.count()).select_from(each)).scalar() for each in (Job, Lease)
                ]
                versions = set(connection.execute(sa.select(Job.version)).scalars())
            engine.dispose()
        assert (counted, versions) == ([len(SCHEDULER_JOBS), 1], {1})

    def test_says_how_to_cure_a_database_that_is_away(self, tmp_path: Path) -> None:
        away = settings(database_url="postgresql://redprint:hidden@127.0.0.1:1/x", log_directory=tmp_path)
        with pytest.raises(click.ClickException, match="cannot be reached: start it, or set DATABASE_URL") as raised:
            start.prepare(away, builds=False)
        assert "hidden" not in raised.value.message


class TestPreferredLanguage:
    @pytest.mark.parametrize(
        ("environment", "language"),
        [
            ({}, "en"),
            ({"LANG": "zh_CN.UTF-8"}, "zh"),
            ({"LANG": "de_DE.UTF-8"}, "en"),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
            ({"LANG": "C", "LC_MESSAGES": "zh_TW"}, "zh"),
            ({"LC_ALL": "", "LANG": "zh"}, "zh"),
        ],
    )
    def test_follows_the_terminal(self, environment: dict[str, str], language: str) -> None:
        assert start.preferred_language(environment) == language
