"""A task that the real server's runner does, watched over a socket, in each async mode."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from jsonschema import Draft7Validator

from tests.e2e.server import PASSWORD, Server
from tests.e2e.viewer import Viewer
from tests.waiting import wait_until


@pytest.fixture
def session(served: Server) -> Iterator[requests.Session]:
    """Return a client that is signed in as the administrator; the server's runner is there."""
    served.await_runner()
    with requests.Session() as session:
        answer = session.post(
            f"{served.url}/api/v1/auth/login", json={"name": "admin", "password": PASSWORD}, timeout=10
        )
        session.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"
        yield session


def start(served: Server, session: requests.Session, steps: int, pause_seconds: float) -> str:
    body = {"name": "demo.count_slowly", "kwargs": {"steps": steps, "pause_seconds": pause_seconds}}
    answer = session.post(f"{served.url}/api/v1/task", json=body, timeout=10)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["data"]["id"])


class TestWatchTask:
    def test_tells_the_steps_and_the_end_as_the_document_says(self, served: Server, session: requests.Session) -> None:
        document = requests.get(f"{served.url}/api/asyncapi.json", timeout=10).json()

        def check(message: str, payload: Any) -> None:
            schema = {**document["components"]["messages"][message]["payload"], "components": document["components"]}
            Draft7Validator(schema).validate(payload)

        told: list[dict[str, Any]] = []
        token = str(session.headers["Authorization"]).removeprefix("Bearer ")
        with Viewer(served, auth={"token": token}) as viewer:
            viewer.client.on("task_progress", told.append, namespace="/ws")
            task_id = start(served, session, steps=10, pause_seconds=0.3)
            said = viewer.client.call("watch_task", {"id": task_id}, namespace="/ws", timeout=10)
            check("task", said)
            assert said["id"] == task_id
            wait_until(lambda: told and told[-1]["finished_at"] is not None, 30, lambda: f"told {told}")
            for one in told:
                check("task_progress", one)
            assert len({one["current"] for one in told}) >= 4
            last = session.get(f"{served.url}/api/v1/task/{task_id}", timeout=10).json()["data"]
            assert told[-1] == last
            assert (last["state"], last["result"]) == ("done", 10)
            again = viewer.client.call("watch_task", {"id": task_id}, namespace="/ws", timeout=10)
            assert again == last
            refused = viewer.client.call("watch_task", {"id": task_id[:-1]}, namespace="/ws", timeout=10)
            check("task_refusal", refused)
