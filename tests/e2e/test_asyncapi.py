"""The document of the sockets: valid AsyncAPI, and what a real client gets fits it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
import socketio
from jsonschema import Draft7Validator

from tests.e2e.conftest import Serve
from tests.e2e.node import MODULES, tools
from tests.e2e.server import Server
from tests.waiting import wait_until

Json = dict[str, Any]


@pytest.fixture
def served(server: Serve) -> Server:
    """Serve with sockets for those only who show a token."""
    return server(async_mode="threading", ws_open="false")


@pytest.fixture
def document(served: Server) -> Json:
    answer = requests.get(f"{served.url}/api/asyncapi.json", timeout=5)
    assert answer.headers["Cache-Control"] == "no-store"
    found: Json = answer.json()
    return found


@pytest.fixture
def listen(served: Server) -> Callable[..., list[tuple[str, Any]]]:
    """Return a function that connects to /ws with a payload and collects what comes until it has so many events."""

    def collect(auth: object, number: int) -> list[tuple[str, Any]]:
        got: list[tuple[str, Any]] = []
        client = socketio.Client(reconnection=False)
        client.on("*", lambda event, *arguments: got.append((event, *arguments)), namespace="/ws")
        client.on("connect_error", lambda refusal: got.append(("connect_error", refusal)), namespace="/ws")
        client.connect(served.url, auth=auth, namespaces=["/ws"], transports=["websocket"], wait=False)
        wait_until(lambda: len(got) >= number, 15, lambda: f"got {got}")
        engine = client.eio
        client.disconnect()
        engine.queue.put(None)  # else its writer waits for a ping that will not come
        for task in (engine.read_loop_task, engine.write_loop_task):
            if task is not None:
                task.join(10)
        return got

    return collect


def token(served: Server) -> str:
    made = served.manage("create-admin", "--name", "root", "--password", "correct horse battery")
    assert made.returncode == 0, made.stderr
    credentials = {"name": "root", "password": "correct horse battery"}
    answer = requests.post(f"{served.url}/api/v1/auth/login", json=credentials, timeout=10)
    value: str = answer.json()["data"]["token"]
    return value


class TestDocument:
    def test_is_valid(self, document: Json) -> None:
        tools()
        specification = MODULES / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
        validator = Draft7Validator(json.loads(specification.read_text(encoding="utf-8")))
        assert [error.message for error in validator.iter_errors(document)] == []
        assert not validator.is_valid({**document, "channels": {"ws": {"address": 1}}})

    def test_describes_what_a_client_gets(
        self, served: Server, document: Json, listen: Callable[..., list[tuple[str, Any]]]
    ) -> None:
        got = [*listen({"token": token(served)}, 3), *listen({"token": "wrong"}, 1)]
        messages = document["components"]["messages"]
        assert {name for name, _payload in got} == {"connected", "server_response", "scheduler_event", "connect_error"}
        for name, payload in got:
            schema = {**messages[name]["payload"], "components": document["components"]}
            Draft7Validator(schema).validate(payload)

    def test_would_notice_another_payload(self, document: Json) -> None:
        schema = {
            **document["components"]["messages"]["server_response"]["payload"],
            "components": document["components"],
        }
        assert not Draft7Validator(schema).is_valid({"data": {"total": 1}})
