"""A real server of four processes whose every secret is marked, and clients that keep what secrets they are given."""

import secrets
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import redis
import requests

from tests.e2e.conftest import Servers
from tests.e2e.server import Server
from tests.private_redis import private_redis

WORKERS = 4
MARK = "mArKeD"
"""Stands in every secret that is set or chosen here, and nowhere else."""

SITE = "https://app.example"
REDIS_MODE = "gevent"
"""The mode whose processes remember callers in a Redis."""


def marked(what: str) -> str:
    """Return a fresh secret that is recognised wherever it turns up."""
    return f"{MARK}-{what}-{secrets.token_hex(12)}"


class Secured:
    """Hold a server, and every token and key that it gave out."""

    def __init__(self, server: Server, admin_password: str) -> None:
        """Sign the administrator in."""
        self.server = server
        self.url = server.url
        self.database = server.folder / "application.db"
        self.admin_password = admin_password
        self.given: set[str] = set()
        self.admin = self.sign_in("admin", admin_password)

    def ask(self, method: str, path: str, *, token: str | None = None, **options: Any) -> requests.Response:
        """Send a request on a connection of its own, from an address of its own: any process may take it."""
        headers = {"X-Forwarded-For": f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        headers |= options.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=20, **options)

    def sign_in(self, name: str, password: str) -> dict[str, str]:
        """Return the tokens of a new session."""
        answer = self.ask("POST", "/api/v1/auth/login", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        return self.keep(answer.json()["data"])

    def keep(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """Remember what nobody may find anywhere else."""
        self.given |= {value for name in ("token", "refresh_token", "key") if (value := tokens.get(name))}
        return tokens

    def user(self) -> tuple[str, str, str]:
        """Create a user; return id, name and password."""
        name, password = f"u{secrets.token_hex(6)}", marked("word")
        body = {"name": name, "password": password}
        made = self.ask("POST", "/api/v1/user", token=self.admin["token"], json=body)
        assert made.status_code == 201, made.text
        return made.json()["data"]["id"], name, password

    def member(self) -> dict[str, str]:
        """Return the tokens of a new user."""
        _user_id, name, password = self.user()
        return self.sign_in(name, password)

    def statuses(self, path: str, token: str, times: int = 24) -> list[int]:
        """Ask many times at once, so that every process answers."""
        with ThreadPoolExecutor(12) as clients:
            return list(clients.map(lambda _: self.ask("GET", path, token=token).status_code, range(times)))

    def rows(self) -> dict[str, str]:
        """Return all that stands in the database, as text, by table."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: "\n".join(map(str, connection.execute(f'SELECT * FROM "{name}"'))) for name in names}

    @contextmanager
    def without_table(self, name: str) -> Iterator[None]:
        """Let every statement about a table fail, as after a deploy that forgot to migrate."""
        with closing(sqlite3.connect(self.database, timeout=10, isolation_level=None)) as connection:
            connection.execute(f'ALTER TABLE "{name}" RENAME TO "{name}_away"')
            try:
                yield
            finally:
                connection.execute(f'ALTER TABLE "{name}_away" RENAME TO "{name}"')


@contextmanager
def secured(async_mode: str, folder: Path, migrated_file: Path) -> Iterator[Secured]:
    """Run the server of a mode."""
    with ExitStack() as stack:
        settings: dict[str, Any] = {}
        if async_mode == REDIS_MODE:
            settings["redis_url"] = stack.enter_context(_marked_redis())
            settings["log_format"] = "json"
        password = marked("chief")
        dead = _dead_port()
        servers = Servers(folder, migrated_file)
        stack.callback(servers.end)
        server = servers(
            async_mode=async_mode,
            workers=WORKERS,
            proxy_hops=1,
            ws_open=0,
            cors_origins=SITE,
            admin_password=password,
            secret_key=marked("secret-key"),
            mail_backend="smtp",
            mail_server="127.0.0.1",
            mail_port=dead,
            mail_username="postman",
            mail_password=marked("mail"),
            sms_url=f"http://127.0.0.1:{dead}/send?key={marked('sms')}",
            sms_headers=f'{{"Authorization": "Bearer {marked("header")}"}}',
            sms_body='{"to": "{to}", "text": "{text}"}',
            **settings,
        )
        created = server.manage("create-admin")
        assert created.returncode == 0, created.stderr
        assert MARK not in created.stdout + created.stderr
        yield Secured(server, password)


@contextmanager
def _marked_redis() -> Iterator[str]:
    """Run a Redis that asks for a password; return the URL that has it."""
    with private_redis() as running:
        password = marked("redis")
        with redis.Redis.from_url(running.url) as client:
            client.config_set("requirepass", password)
        yield running.url.replace("//", f"//:{password}@")


def _dead_port() -> int:
    """Return a port of this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
