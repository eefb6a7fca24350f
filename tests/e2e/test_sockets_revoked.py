"""Viewers of the real server whose session or role is taken away while they look, in each async mode."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.e2e.server import PASSWORD, Server
from tests.e2e.viewer import Viewer
from tests.waiting import wait_until

JOB = "prune-expired-sessions"

MOST_SECONDS = 2.0
"""After which nobody is connected by a session that has ended: one, and as much again for a busy machine."""


class Account:
    """Be an administrator of a server, signed in."""

    def __init__(self, server: Server, name: str = "admin") -> None:
        """Sign in."""
        self.name = name
        self.server = server
        given = {"name": name, "password": PASSWORD}
        self.token = self.ask("POST", "/api/v1/auth/login", json=given)["data"]["token"]

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask the server, with the token if there is one."""
        token = vars(self).get("token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.request(method, self.server.url + path, headers=headers, timeout=10, **options)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def look(self) -> Viewer:
        """Watch over a socket, from what happens next on."""
        viewer = Viewer(self.server, auth={"token": self.token})
        wait_until(lambda: viewer.messages, 10, lambda: "the scheduler says nothing")
        return viewer

    def pause_and_resume(self) -> None:
        """Let something happen that viewers are told."""
        for verb in ("pause", "resume"):
            self.ask("POST", f"/scheduler/jobs/{JOB}/{verb}")

    def id(self) -> str:
        """Return the account's id."""
        return str(self.ask("GET", "/api/v1/auth/me")["data"]["id"])

    def session_id(self) -> str:
        """Return the id of the session it is signed in by."""
        sessions = self.ask("GET", "/api/v1/session")["data"]
        return next(str(session["id"]) for session in sessions if session["is_current"])


def sign_out(_admin: Account, eve: Account) -> None:
    """Let them sign out themselves."""
    eve.ask("POST", "/api/v1/auth/logout")


def revoke_session(admin: Account, eve: Account) -> None:
    """Let an administrator end the session."""
    admin.ask("DELETE", f"/api/v1/session/{eve.session_id()}")


def change_password(admin: Account, eve: Account) -> None:
    """Let an administrator choose another password."""
    admin.ask("PATCH", f"/api/v1/user/{eve.id()}", json={"password": secrets.token_hex()})


ENDS = (sign_out, revoke_session, change_password)


def await_pauses(viewer: Viewer, count: int) -> None:
    """Wait until a viewer was told so many pauses and resumptions."""
    wait_until(lambda: told(viewer) >= count, 20, lambda: str(viewer.messages))


def told(viewer: Viewer) -> int:
    events = [event for message in viewer.messages for event in message["events"]]
    return sum(event["kind"] in ("paused", "resumed") for event in events)


@pytest.fixture
def admin(served: Server) -> Account:
    """Return the first administrator of the server; its jobs fire, so that events are numbered."""
    served.await_runner()
    return Account(served)


@pytest.fixture
def eve(admin: Account, served: Server) -> Account:
    """Return another administrator."""
    name = f"eve-{secrets.token_hex(4)}"
    admin.ask("POST", "/api/v1/user", json={"name": name, "password": PASSWORD, "roles": ["admin"]})
    return Account(served, name)


class TestRevoked:
    @pytest.mark.parametrize("end", ENDS)
    def test_session_ends_the_events_at_once_and_the_connection_within_a_second(
        self, admin: Account, eve: Account, end: Callable[[Account, Account], None]
    ) -> None:
        with admin.look() as staying, eve.look() as going:
            admin.pause_and_resume()
            for viewer in (staying, going):
                await_pauses(viewer, 2)
            end(admin, eve)
            ended_at = time.monotonic()
            admin.pause_and_resume()
            assert going.left.wait(max(0, ended_at + MOST_SECONDS - time.monotonic()))
            await_pauses(staying, 4)
            assert told(going) == 2
            assert not staying.left.is_set()

    def test_key_ends_the_connection_soon(self, admin: Account, served: Server) -> None:
        body = {"name": "screen", "permissions": ["monitor:view", "scheduler:manage"]}
        made = admin.ask("POST", "/api/v1/key", json=body)["data"]
        with Viewer(served, auth={"token": made["key"]}) as going:
            wait_until(lambda: going.messages, 10, lambda: "the scheduler says nothing")
            admin.ask("DELETE", f"/api/v1/key/{made['id']}")
            assert going.left.wait(MOST_SECONDS)

    def test_role_ends_the_events_at_once_and_nothing_else(self, admin: Account, eve: Account) -> None:
        with admin.look() as staying, eve.look() as going:
            admin.pause_and_resume()
            for viewer in (staying, going):
                await_pauses(viewer, 2)
            admin.ask("PATCH", f"/api/v1/user/{eve.id()}", json={"roles": ["user"]})
            admin.pause_and_resume()
            await_pauses(staying, 4)
            samples = len(going.samples)
            going.await_samples(samples + 3)
            assert told(going) == 2
            assert not going.left.is_set()
