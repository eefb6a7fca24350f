"""Use every way by which a secret comes in or goes out of a server, rightly and wrongly."""

from base64 import b64encode

import pytest
import socketio

from tests.e2e.secured import Secured, marked
from tests.e2e.viewer import Viewer
from tests.waiting import wait_until

LOGIN = "/api/v1/auth/login"
ME = "/api/v1/auth/me"


def go_everywhere(attacked: Secured) -> None:
    """Sign in, act, and fail, with secrets that are recognised wherever they turn up."""
    user_id, name, password = attacked.user()
    tokens = attacked.sign_in(name, password)
    _show_secrets_wrongly(attacked, name, password, tokens["token"])
    body = {"refresh_token": tokens["refresh_token"]}
    refreshed = attacked.ask("POST", "/api/v1/auth/refresh", json=body)
    mine = attacked.keep(refreshed.json()["data"])["token"]
    _act(attacked, name, mine)
    patched = {"password": marked("patched")}
    answer = attacked.ask("PATCH", f"/api/v1/user/{user_id}", token=attacked.admin["token"], json=patched)
    assert answer.status_code == 200
    with attacked.without_table("tag"):
        headers = {"Idempotency-Key": "broken"}
        broken = attacked.ask(
            "POST", "/api/v1/tag", token=attacked.admin["token"], json={"name": name}, headers=headers
        )
    assert broken.status_code == 500
    _send_messages(attacked)


def _show_secrets_wrongly(attacked: Secured, name: str, password: str, token: str) -> None:
    basic = b64encode(f"{name}:{password}".encode()).decode()
    attacked.given.add(basic)
    attacked.ask("GET", "/scheduler", headers={"Authorization": f"Basic {basic}"})
    attacked.ask("POST", LOGIN, json={"name": name, "password": marked("wrong")})
    attacked.ask("POST", LOGIN, json={"name": marked("misplaced"), "passwort": marked("wrong")})
    attacked.ask("POST", LOGIN, data=f'{{"password": "{marked("broken")}"')
    attacked.ask("GET", f"{ME}?token={token}&password={marked('query')}")
    attacked.ask("GET", ME, headers={"Authorization": f"Bearer {marked('bearer')}"})
    attacked.ask("GET", ME, headers={"Authorization": f"Basic {marked('basic')}", "Cookie": f"redprint={token}"})
    with pytest.raises(socketio.exceptions.ConnectionError):
        Viewer(attacked.server, auth={"token": marked("socket")})


def _act(attacked: Secured, name: str, token: str) -> None:
    body = {"name": "import", "permissions": ["tag:create"]}
    made = attacked.ask("POST", "/api/v1/key", token=token, json=body, headers={"Idempotency-Key": "once"})
    key = attacked.keep(made.json()["data"])
    assert attacked.ask("POST", "/api/v1/tag", token=key["key"], json={"name": name}).status_code == 201
    task = {"name": "demo.count_slowly", "kwargs": {"steps": 1, "pause_seconds": 0}}
    assert attacked.ask("POST", "/api/v1/task", token=token, json=task).status_code == 202
    with Viewer(attacked.server, auth={"token": token}) as viewer:
        viewer.await_samples(1)


def _send_messages(attacked: Secured) -> None:
    """Let messages be tried at servers that are not there, whose passwords are known."""
    for channel, to in (("mail", "ada@example.org"), ("sms", "+4915112345678")):
        message = {"channel": channel, "to": to}
        answer = attacked.ask("POST", "/api/v1/message/test", token=attacked.admin["token"], json=message)
        assert answer.status_code == 201, answer.text

    def tried() -> int:
        listed = attacked.ask("GET", "/api/v1/message", token=attacked.admin["token"]).json()["data"]
        return sum(message["attempts"] > 0 for message in listed)

    wait_until(lambda: tried() == 2, 30, lambda: attacked.rows()["message"])
