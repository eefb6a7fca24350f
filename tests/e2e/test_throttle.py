"""Wrong passwords before a real server of several processes: they count together, in every async mode."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import requests

from tests.e2e.conftest import ASYNC_MODES, Serve
from tests.e2e.server import Server

WORKERS = 4


def guess(served: Server, name: str) -> requests.Response:
    """Show a wrong password, on a connection of its own: any of the processes may take it."""
    body = {"name": name, "password": "wrong"}
    return requests.post(f"{served.url}/api/v1/auth/login", json=body, timeout=20)


def statuses(answers: Sequence[requests.Response]) -> tuple[int, int]:
    """Return how many were looked at and how many refused; those say when to come back."""
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all(1 <= int(answer.headers["Retry-After"]) <= 300 for answer in refused)
    return sum(answer.status_code == 401 for answer in answers), len(refused)


@pytest.mark.parametrize("async_mode", ASYNC_MODES)
class TestLogin:
    def test_has_one_limit_however_many_processes_there_are(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode, workers=WORKERS)
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(partial(guess, served), ["admin"] * 20))
            assert statuses(answers) == (5, 15)
            basic = requests.get(f"{served.url}/scheduler", auth=("admin", "another"), timeout=20)
            assert statuses([basic]) == (0, 1)
            answers = list(clients.map(partial(guess, served), [f"n{number}" for number in range(100)]))
            assert statuses(answers) == (25, 75)
