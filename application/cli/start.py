"""Prepare a first start: tables, an administrator, a sample, the dashboard; say what is where."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address

import click
from pydantic import ValidationError

from application.cli import database
from application.cli.dashboard import OUTPUT, SOURCES, TOKENS, BuildFailed, build
from application.cli.errors import FAILURES, MANAGER, explain
from application.cli.sample import load_sample
from application.config.setting import AsyncMode, Settings
from application.database import db, transaction
from application.factory import create_app
from application.libs.secret import hash_password
from application.modules.user import business as user_business
from application.modules.user.schemas import UserIn
from application.permissions import Role

ADMIN = "admin"

SUMMARY = {
    "en": """\
Redprint serves on {url}

  Dashboard      {url}/
  API document   {url}/docs   (as JSON: {url}/api/v1/openapi.json)
  Scheduler      {url}{scheduler}   (administrators: a token, or name and password)
  A token        curl {url}/api/v1/auth/login \\
                   -H 'Content-Type: application/json' -d '{{"name": "admin", "password": "PASSWORD"}}'

Ctrl-C stops it.""",
    "zh": """\
Redprint 的地址：{url}

  控制台         {url}/
  API 文档       {url}/docs   （JSON：{url}/api/v1/openapi.json）
  调度器         {url}{scheduler}   （仅限管理员：使用令牌，或用户名和密码）
  获取令牌       curl {url}/api/v1/auth/login \\
                   -H 'Content-Type: application/json' -d '{{"name": "admin", "password": "密码"}}'

按 Ctrl-C 停止。""",
}

SAMPLE = {
    "en": "A sample is loaded: {} users, {} tags, {} blogs (SAMPLE_DATA=0 leaves it out).",
    "zh": "已载入示例数据：{} 位用户、{} 个标签、{} 篇博客（SAMPLE_DATA=0 则不载入）。",
}

CREATED = {
    "en": "The first administrator is {name}, password {password} (shown this once).",
    "zh": "首个管理员：{name}，密码：{password}（仅显示这一次）。",
}

CREATED_AS_SET = {
    "en": "The first administrator is {name}, with the password of ADMIN_PASSWORD.",
    "zh": "首个管理员：{name}，密码取自 ADMIN_PASSWORD。",
}


def prepare(settings: Settings, *, builds: bool = True) -> None:
    """Do what a start needs, whatever of it is still to do, and say what is where; `builds` the dashboard too."""
    app = create_app(settings.model_copy(update={"async_mode": AsyncMode.THREADING}))
    language = preferred_language(os.environ)
    database.init_app(app)
    with app.app_context():
        try:
            database.upgrade_database()
            database.store_declared_jobs()
            with database.alone():  # several first starts at once make one administrator
                said = fill(settings, language)
            for line in said:
                click.echo(line)
        except FAILURES as error:
            raise explain(error, db.engine.url) from None
        finally:
            db.engine.dispose()
    if builds:
        _build()
    click.echo(SUMMARY[language].format(url=_url(settings), scheduler=settings.scheduler_api_prefix))


def _build() -> None:
    try:
        click.echo(build(SOURCES, OUTPUT, also=(TOKENS,)))
    except BuildFailed as reason:
        click.echo(reason.message, err=True)


def fill(settings: Settings, language: str) -> list[str]:
    """Create the first administrator where nobody is one, and the sample where there was nothing at all.

    Return what is to be said about it.
    """
    with transaction(write=False):
        has_admin = user_business.has_admin()
        is_empty = not user_business.search(limit=1, after=None, sort="name", q=None, count=False).items
    if has_admin:
        return []
    password = _first_password(settings)
    password_hash = hash_password(password)
    try:
        with transaction():
            user_business.create(name=ADMIN, password_hash=password_hash, roles=(Role.USER, Role.ADMIN))
            loaded = load_sample() if is_empty and settings.sample_data else None
    except user_business.NameTaken:
        command = f"{MANAGER} create-admin --name {ADMIN} --existing"
        message = f"Nobody is administrator, and a user has the name {ADMIN}: to make them one run `{command}`"
        raise click.ClickException(message) from None
    text = CREATED if settings.admin_password is None else CREATED_AS_SET
    said = [text[language].format(name=ADMIN, password=password)]
    return said if loaded is None else [*said, SAMPLE[language].format(*loaded)]


def _first_password(settings: Settings) -> str:
    given = settings.admin_password
    password = secrets.token_urlsafe(12) if given is None else given.get_secret_value()
    try:
        UserIn(name=ADMIN, password=password)
    except ValidationError as error:
        raise click.ClickException(f"ADMIN_PASSWORD cannot be used: {error.errors()[0]['msg']}") from None
    return password


def preferred_language(environment: Mapping[str, str]) -> str:
    """Return `zh` where the terminal speaks Chinese, else `en`."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(variable)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def _url(settings: Settings) -> str:
    """Return where a browser on this machine finds the server, also one that listens everywhere."""
    host = settings.host
    with suppress(ValueError):  # a name
        listens = ip_address(host)
        if listens.is_unspecified:
            host = "127.0.0.1" if listens.version == 4 else "::1"
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
