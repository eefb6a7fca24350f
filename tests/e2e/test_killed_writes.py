"""A worker is killed again and again while clients write: what was repeated under a key had one effect."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Lock
from uuid import uuid4

import pytest
import requests

from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD, Server
from tests.services import fresh_database
from tests.waiting import wait_until

CLIENTS = 4
UNANSWERED = 3
SECONDS = 60
KILLS_EVERY_SECONDS = 1.2


class Clients:
    """Writers of blogs: how many they wrote, and how many of their requests went unanswered."""

    def __init__(self, served: Server, token: str) -> None:
        """Nothing is written yet."""
        self.url, self.headers = f"{served.url}/api/v1/blog", {"Authorization": f"Bearer {token}"}
        self.stop, self.counting = Event(), Lock()
        self.written = self.unanswered = 0

    def write(self) -> None:
        """Write blogs, each again and again under its key until it is answered."""
        while not self.stop.is_set():
            key = str(uuid4())
            while not self.is_written(key):
                pass
            with self.counting:
                self.written += 1

    def is_written(self, key: str) -> bool:
        """Ask once for the blog of this key; tell whether it is written."""
        blog, headers = {"title": key, "content": "Text"}, self.headers | {"Idempotency-Key": key}
        try:
            answer = requests.post(self.url, json=blog, headers=headers, timeout=10)
        except requests.RequestException:
            with self.counting:
                self.unanswered += 1
            time.sleep(0.05)
            return False
        assert answer.status_code in (201, 429, 503), answer.text
        if answer.status_code != 201:
            time.sleep(float(answer.headers.get("Retry-After", "0.1")))
        return answer.status_code == 201


def sign_in(served: Server) -> str:
    """Return the first admin's token."""
    assert served.manage("create-admin").returncode == 0
    answer = requests.post(f"{served.url}/api/v1/auth/login", json={"name": "admin", "password": PASSWORD}, timeout=10)
    token: str = answer.json()["data"]["token"]
    return token


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
class TestRepeatedPost:
    def test_has_one_effect_whenever_the_worker_dies(
        self, server: Serve, kind: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        with fresh_database(kind, tmp_path_factory.mktemp("killed")) as url:
            served = server(database_url=url)
            clients = Clients(served, sign_in(served))
            deadline = time.monotonic() + SECONDS
            with ThreadPoolExecutor(CLIENTS) as pool:
                writing = [pool.submit(clients.write) for _ in range(CLIENTS)]
                while clients.unanswered < UNANSWERED and time.monotonic() < deadline:
                    time.sleep(KILLS_EVERY_SECONDS)
                    with suppress(IndexError):
                        served.workers()[0].kill()
                clients.stop.set()
                for each in writing:
                    each.result()
            wait_until(served.answers, 10, served.said)
            listed = requests.get(f"{served.url}/api/v1/blog?count=true&limit=1", timeout=10).json()
            assert clients.unanswered >= UNANSWERED, "no kill met a request"
            assert listed["page"]["total"] == clients.written
            served.end()
