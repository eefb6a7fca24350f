"""What was done, over HTTP: how it is found, and what other modules write down."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.database import transaction
from application.libs.remote import SOMEBODY
from application.libs.secret import hash_password
from application.modules.auth import business as auth_business
from application.modules.auth.business.signing_in import let_in
from application.modules.message import business as message_business
from application.modules.session import business as sessions
from application.modules.user import business as user_business
from tests.conftest import Caller, SignIn
from tests.links import next_url
from tests.tables import count_rows

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
PASSWORD = "correct horse"
JOB = {"id": "mine", "func": "prune-expired-sessions", "trigger": "interval", "hours": 1}


class Trail:
    """Read what was done since one began to look."""

    def __init__(self, admin: Caller) -> None:
        """Begin to look."""
        self._client = admin.client
        self._url = "/api/v1/audit?sort=at&limit=100"
        seen = self._client.get("/api/v1/audit?limit=1").get_json()["data"]
        self._last = seen[0]["id"]

    def rows(self) -> list[dict[str, Any]]:
        """Return it, the oldest first."""
        response = self._client.get(self._url)
        assert response.status_code == 200, response.text
        rows: list[dict[str, Any]] = response.get_json()["data"]
        place = next(index for index, row in enumerate(rows) if row["id"] == self._last)
        return rows[place + 1 :]

    def said(self) -> list[tuple[str, Any]]:
        """Return action and name of the subject of each."""
        return [(row["action"], row["subject_name"]) for row in self.rows()]


@pytest.fixture
def trail(admin: Caller) -> Trail:
    """Begin to look once the admin is there."""
    return Trail(admin)


def made(client: FlaskClient, path: str, json: object) -> str:
    response = client.post(path, json=json)
    assert response.status_code in (200, 201, 202), response.text
    body = response.get_json()
    identifier: str = body.get("data", body)["id"]
    return identifier


class TestIndex:
    def test_pages_by_the_link_without_gap_or_overlap(self, admin: Caller, sign_in: SignIn) -> None:
        for name in ("a", "b", "c", "d"):
            sign_in(name)
        seen: list[str] = []
        url = "/api/v1/audit?limit=2&count=true"
        while url:
            response = admin.client.get(url)
            assert response.get_json()["page"]["total"] == 5
            seen += [row["subject_name"] for row in response.get_json()["data"]]
            url = next_url(response)
        assert seen == ["d", "c", "b", "a", "root"]

    def test_finds_by_who_what_and_when(self, admin: Caller, ada: Caller) -> None:
        admin.client.patch(f"/api/v1/user/{ada.id}", json={"name": "lovelace"})
        moment = admin.client.get("/api/v1/audit?limit=1").get_json()["data"][0]["at"]

        def count(**query: str) -> int:
            page = admin.client.get("/api/v1/audit", query_string=query | {"count": "true"}).get_json()["page"]
            total: int = page["total"]
            return total

        assert count() == 3
        assert (count(actor=admin.id), count(actor=ada.id), count(actor_name="root")) == (1, 0, 1)
        assert (count(action="user.update"), count(subject_kind="user"), count(subject=ada.id)) == (1, 3, 2)
        assert (count(q="LOVE"), count(q="roo"), count(subject_name__startswith="ad")) == (1, 2, 1)
        assert (count(at__gte=moment), count(at__lt=moment), count(address="127.0.0.1")) == (1, 2, 1)

    def test_changes_nothing_and_takes_no_change(self, app: Flask, admin: Caller) -> None:
        row = admin.client.get("/api/v1/audit").get_json()["data"][0]
        assert admin.client.get(f"/api/v1/audit/{row['id']}").get_json()["data"] == row
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert admin.client.open(f"/api/v1/audit/{row['id']}", method=method, json={}).status_code == 405
        assert count_rows(app, "audit") == 1


class TestShow:
    def test_finds_nothing_that_was_not_done(self, admin: Caller) -> None:
        response = admin.client.get(f"/api/v1/audit/{UNKNOWN}")
        assert (response.status_code, response.get_json()["code"]) == (404, "audit_not_found")


class TestUsers:
    def test_are_written_down_from_the_first_to_the_last(self, admin: Caller, trail: Trail) -> None:
        user_id = made(admin.client, "/api/v1/user", {"name": "ada", "password": PASSWORD})
        url = f"/api/v1/user/{user_id}"
        headers = {"X-Request-ID": "of-this-request"}
        admin.client.patch(url, json={"roles": ["admin"], "password": PASSWORD}, headers=headers)
        admin.client.patch(url, json={})
        admin.client.patch(url, json={"name": "root"})
        admin.client.delete(url)
        created, changed, password, deleted = trail.rows()
        assert (created["action"], created["before"], created["after"]["roles"]) == ("user.create", None, ["user"])
        assert (changed["before"], changed["after"]) == ({"roles": ["user"]}, {"roles": ["admin"]})
        assert (password["action"], password["before"], password["after"]) == ("user.change_password", None, None)
        assert (deleted["action"], deleted["before"]["name"], deleted["after"]) == ("user.delete", "ada", None)
        for row in (created, changed, password, deleted):
            assert (row["actor_id"], row["actor_name"], row["address"]) == (admin.id, "root", "127.0.0.1")
            assert (row["subject_kind"], row["subject_id"], row["subject_name"]) == ("user", user_id, "ada")
        assert changed["request_id"] == password["request_id"] == "of-this-request"


class TestSignIn:
    def sign_in(self, client: FlaskClient, name: str, password: str) -> Any:
        body = {"name": name, "password": password}
        return client.post("/api/v1/auth/login", json=body, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})

    def test_is_written_down_as_are_its_end_and_its_refusal(
        self, app: Flask, client: FlaskClient, trail: Trail
    ) -> None:
        with app.app_context(), transaction():
            user_id = user_business.create(name="ada", password_hash=hash_password(PASSWORD)).id
        assert self.sign_in(client, "ada", "wrong").status_code == 401
        assert self.sign_in(client, "my secret password", PASSWORD).status_code == 401
        token = self.sign_in(client, "ada", PASSWORD).get_json()["data"]["token"]
        client.post("/api/v1/auth/logout", headers={"Authorization": f"Bearer {token}"})
        _created, wrong, unknown, entered, left = trail.rows()
        assert (wrong["action"], wrong["actor_name"]) == ("user.refuse_sign_in", "anonymous")
        assert (wrong["subject_id"], wrong["subject_name"], wrong["address"]) == (user_id, "ada", "192.0.2.7")
        assert (unknown["action"], unknown["subject_id"], unknown["subject_name"]) == (
            "user.refuse_sign_in",
            None,
            None,
        )
        assert (entered["action"], entered["actor_id"], entered["actor_name"]) == ("user.sign_in", user_id, "ada")
        assert (left["action"], left["actor_id"], left["subject_id"]) == ("user.sign_out", user_id, user_id)

    def test_is_refused_in_writing_where_the_password_was_changed_meanwhile(self, app: Flask, ada: Caller) -> None:
        old = auth_business.AccountRow(ada.id, "ada", "an old hash", ())
        with app.app_context(), pytest.raises(auth_business.WrongPassword), transaction():
            let_in(old, begin=sessions.begin, client=SOMEBODY)
        assert count_rows(app, "audit", action="user.refuse_sign_in", subject_id=ada.id) == 1


class TestOthers:
    def test_write_tags_down(self, admin: Caller, trail: Trail) -> None:
        tag_id = made(admin.client, "/api/v1/tag", {"name": "python"})
        for name in ("flask", "flask"):
            admin.client.put(f"/api/v1/tag/{tag_id}", json={"name": name})
        admin.client.delete(f"/api/v1/tag/{tag_id}")
        changed, deleted = trail.rows()
        assert (changed["action"], changed["before"], changed["after"]) == (
            "tag.update",
            {"name": "python"},
            {"name": "flask"},
        )
        assert (deleted["action"], deleted["before"], deleted["after"]) == ("tag.delete", {"name": "flask"}, None)

    def test_write_roles_down(self, admin: Caller, trail: Trail) -> None:
        role_id = made(admin.client, "/api/v1/role", {"name": "editor", "permissions": ["tag:manage"]})
        for permissions in (["tag:create"], ["tag:create"]):
            admin.client.patch(f"/api/v1/role/{role_id}", json={"permissions": permissions})
        admin.client.delete(f"/api/v1/role/{role_id}")
        assert trail.said() == [("role.create", "editor"), ("role.update", "editor"), ("role.delete", "editor")]
        changed = trail.rows()[1]
        assert changed["before"] == {"permissions": ["tag:manage"]}
        assert changed["after"] == {"permissions": ["tag:create"]}

    def test_write_jobs_down(self, admin: Caller, trail: Trail) -> None:
        client, url = admin.client, "/scheduler/jobs/mine"
        client.post("/scheduler/jobs", json=JOB | {"name": "Mine"})
        client.patch(url, json={"trigger": "interval", "hours": 2, "next_run_time": None})
        for action in ("pause", "resume", "pause", "run", "revert/1"):
            client.post(f"{url}/{action}")
        client.post("/scheduler/bulk/pause", json={"ids": ["mine", "gone"]})
        client.post("/scheduler/bulk/resume", json={"ids": ["mine", "gone"]})
        client.delete(url)
        assert trail.said() == [
            ("job.create", "Mine"),
            ("job.update", "Mine"),
            ("job.resume", "Mine"),
            ("job.pause", "Mine"),
            ("job.run", "Mine"),
            ("job.revert", "Mine"),
            ("job.resume", "Mine"),
            ("job.delete", "Mine"),
        ]
        changed = trail.rows()[1]
        assert changed["subject_id"] == "mine"
        assert changed["after"]["trigger"]["hours"] == 2
        assert (changed["before"]["state"], changed["after"]["state"]) == ("scheduled", "paused")

    def test_write_down_what_managers_do_to_tasks_and_messages(self, app: Flask, admin: Caller, trail: Trail) -> None:
        start = {"name": "demo.count_slowly", "kwargs": {"steps": 1, "pause_seconds": 0}}
        task_id = made(admin.client, "/api/v1/task", start)
        for action in ("cancel", "retry"):
            assert admin.client.post(f"/api/v1/task/{task_id}/{action}").status_code == 200
        with app.app_context(), transaction():
            message_id = message_business.send_mail(to="ada@example.org", template="test", language="en")
        with app.app_context():
            message_business.deliver(message_id, is_last=True)
        bounced = admin.client.post(f"/api/v1/message/{message_id}/bounce", json={"reason": "550 no"})
        retried = admin.client.post(f"/api/v1/message/{message_id}/retry")
        assert (bounced.status_code, retried.status_code) == (200, 200)
        assert trail.said() == [
            ("task.cancel", "demo.count_slowly"),
            ("task.retry", "demo.count_slowly"),
            ("message.bounce", "ada@example.org"),
            ("message.retry", "ada@example.org"),
        ]

    def test_write_files_down_that_are_not_ones_own(self, admin: Caller, ada: Caller, trail: Trail) -> None:
        announced = {"name": "a.txt", "size": 5, "media_type": "text/plain"}
        files = [made(ada.client, "/api/v1/file/authorisation", announced) for _ in range(2)]
        assert ada.client.delete(f"/api/v1/file/{files[0]}").status_code == 204
        assert admin.client.delete(f"/api/v1/file/{files[1]}").status_code == 204
        assert trail.said() == [("file.delete", "a.txt")]
