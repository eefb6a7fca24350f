"""Tasks behind a real server: done by its runner, begun anew when that is killed, handed back when it stops."""

import sqlite3
import time
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD, Server
from tests.waiting import wait_until

pytestmark = pytest.mark.timed

KILLED_SECONDS = 9
"""Sooner than a lease ends: the next runner knows which one was before it. An interpreter starts meanwhile."""


class Client:
    """Start the task that takes its time, and ask how far it is."""

    def __init__(self, served: Server) -> None:
        self._url = served.url
        self._base = f"{served.url}/api/v1"
        assert served.manage("create-admin").returncode == 0
        answer = requests.post(f"{self._base}/auth/login", json={"name": "admin", "password": PASSWORD}, timeout=10)
        self._headers = {"Authorization": f"Bearer {answer.json()['data']['token']}"}

    def start(self, steps: int, pause_seconds: float) -> str:
        kwargs = {"steps": steps, "pause_seconds": pause_seconds}
        answer = self.send("POST", "", {"name": "demo.count_slowly", "kwargs": kwargs})
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"].endswith(answer.json()["data"]["id"])
        task_id: str = answer.json()["data"]["id"]
        return task_id

    def show(self, task_id: str) -> dict[str, Any]:
        data: dict[str, Any] = self.send("GET", f"/{task_id}").json()["data"]
        return data

    def send(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(method, f"{self._base}/task{path}", json=body, headers=self._headers, timeout=10)

    def ask_scheduler(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(method, f"{self._url}/scheduler{path}", json=body, auth=("admin", PASSWORD), timeout=10)

    def await_state(self, task_id: str, state: str, seconds: float = 20) -> dict[str, Any]:
        wait_until(lambda: self.show(task_id)["state"] == state, seconds, lambda: str(self.show(task_id)))
        return self.show(task_id)


@pytest.mark.parametrize("async_mode", ["gevent", "threading", "eventlet"])
def test_is_done_by_the_runner(server: Serve, async_mode: str) -> None:
    served = server(async_mode=async_mode)
    runner = served.await_runner()
    client = Client(served)
    started = time.monotonic()
    task_id = client.start(5, 0.05)
    done = client.await_state(task_id, "done")
    assert time.monotonic() - started < 5
    assert (done["process"], done["current"], done["total"], done["result"]) == (runner.pid, 5, 5, 5)


def test_begins_anew_soon_after_the_runner_was_killed(server: Serve) -> None:
    served = server(async_mode="gevent")
    runner = served.await_runner()
    client = Client(served)
    task_id = client.start(1000, 0.05)
    client.await_state(task_id, "running")
    runner.kill()
    killed = time.monotonic()
    wait_until(lambda: client.show(task_id)["attempt"] == 2, 30, lambda: str(client.show(task_id)))
    assert time.monotonic() - killed < KILLED_SECONDS
    assert client.show(task_id)["losses"] == 1
    assert client.send("POST", f"/{task_id}/cancel").status_code == 200
    assert client.await_state(task_id, "cancelled")["status"] == "Cancelled by admin"


def test_is_handed_back_when_the_server_stops(server: Serve) -> None:
    served = server(async_mode="gevent", graceful_timeout_seconds=4)
    served.await_runner()
    client = Client(served)
    task_id = client.start(1000, 0.05)
    client.await_state(task_id, "running")
    served.stop()
    with sqlite3.connect(served.folder / "application.db") as connection:
        row = connection.execute("SELECT state, losses, message FROM task WHERE id = ?", (task_id,)).fetchone()
    connection.close()
    assert row == ("queued", 0, "interrupted: its process stops")


def test_is_what_a_job_on_the_executor_celery_is_handed_to(server: Serve) -> None:
    served = server(async_mode="gevent")
    served.await_leader()
    client = Client(served)
    func = "application.modules.session.tasks:prune_expired_sessions"
    job = {"id": "far", "func": func, "trigger": "interval", "hours": 1, "executor": "celery"}
    assert client.ask_scheduler("POST", "/jobs", job).status_code == 200
    run_id = client.ask_scheduler("POST", "/jobs/far/run").json()["run_id"]
    wait_until(
        lambda: client.ask_scheduler("GET", f"/runs/{run_id}").json()["status"] == "succeeded",
        30,
        lambda: client.ask_scheduler("GET", f"/runs/{run_id}").text,
    )
    (attempt,) = client.ask_scheduler("GET", f"/runs/{run_id}").json()["history"]
    task = client.show(attempt["task_id"])
    assert (task["name"], task["state"], task["unique_key"]) == ("scheduler.run", "done", f"run:{run_id}:1")
    assert attempt["process"] == task["process"] == served.await_runner().pid
