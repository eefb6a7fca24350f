"""How limits do, and what they do to those who guess, over HTTP."""

import base64
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.database import transaction
from application.libs.clock import now, ruled_by
from application.libs.secret import hash_password
from application.modules.user import business as user_business
from application.permissions import Role
from tests.conftest import Caller
from tests.parallel import at_once
from tests.tables import count_rows

PASSWORD = "correct horse battery staple"
HASH = hash_password(PASSWORD)
WRONG = "wrong"
LOGIN = "/api/v1/auth/login"


@pytest.fixture
def eve(app: Flask) -> str:
    """Create an administrator with a password; return the name."""
    with app.app_context(), transaction():
        return user_business.create(name="eve", password_hash=HASH, roles=[Role.ADMIN]).name


def log_in(client: FlaskClient, name: str = "eve", password: str = WRONG, remote: str = "192.0.2.1") -> TestResponse:
    body = {"name": name, "password": password}
    return client.post(LOGIN, json=body, environ_overrides={"REMOTE_ADDR": remote})


def look(client: FlaskClient, name: str = "eve", password: str = WRONG, remote: str = "192.0.2.1") -> TestResponse:
    """Ask the scheduler by HTTP Basic."""
    headers = {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
    return client.get("/scheduler", headers=headers, environ_overrides={"REMOTE_ADDR": remote})


def at(moment: datetime) -> AbstractContextManager[None]:
    return ruled_by(lambda: moment)


def statuses(answers: list[TestResponse]) -> list[int]:
    return [answer.status_code for answer in answers]


class TestLogin:
    def test_is_refused_at_the_sixth_wrong_password_even_with_the_right_one(
        self, client: FlaskClient, eve: str
    ) -> None:
        answers = [log_in(client, remote=f"192.0.2.{number}") for number in range(6)]
        assert statuses(answers) == [401] * 5 + [429]
        refused = log_in(client, password=PASSWORD, remote="198.51.100.1")
        assert refused.status_code == 429
        assert refused.content_type == "application/problem+json"
        assert refused.get_json()["code"] == "throttled"
        assert 295 <= int(refused.headers["Retry-After"]) <= 300

    def test_is_open_again_when_the_time_is_over(self, client: FlaskClient, eve: str) -> None:
        began = now()
        for seconds, password, status in ((0, WRONG, 401), (299, PASSWORD, 429), (301, PASSWORD, 200)):
            moment = began + timedelta(seconds=seconds)
            with at(moment):
                answers = [log_in(client, password=password) for _ in range(5 if status == 401 else 1)]
                assert set(statuses(answers)) == {status}
        assert statuses([log_in(client) for _ in range(6)]) == [401] * 5 + [429]

    def test_says_no_more_of_a_name_that_is_known(self, client: FlaskClient, eve: str) -> None:
        answers: dict[str, list[tuple[object, ...]]] = {"eve": [], "nobody": []}
        moment = now()
        with at(moment):
            for name, seen in answers.items():
                for _ in range(7):
                    answer = log_in(client, name)
                    problem = answer.get_json()
                    del problem["request_id"]
                    seen.append((answer.status_code, problem, answer.headers.get("Retry-After")))
        assert answers["eve"] == answers["nobody"]

    def test_forgets_wrong_passwords_after_a_right_one(self, client: FlaskClient, eve: str) -> None:
        for _ in range(3):
            assert statuses([log_in(client) for _ in range(4)]) == [401] * 4
            assert log_in(client, password=PASSWORD).status_code == 200
        assert statuses([log_in(client) for _ in range(6)]) == [401] * 5 + [429]

    def test_is_refused_to_an_address_after_thirty_wrong_passwords(self, client: FlaskClient, eve: str) -> None:
        for _ in range(10):
            assert log_in(client, password=PASSWORD).status_code == 200  # counts nothing
        answers = [log_in(client, f"n{number}") for number in range(32)]
        assert statuses(answers) == [401] * 30 + [429] * 2
        assert log_in(client, password=PASSWORD).status_code == 429
        assert log_in(client, password=PASSWORD, remote="192.0.2.2").status_code == 200

    def test_looks_at_five_passwords_of_many_at_once(self, app: Flask, eve: str) -> None:
        answers = at_once([lambda: log_in(app.test_client())] * 12)
        assert sorted(statuses(answers)) == [401] * 5 + [429] * 7

    def test_leaves_no_count_behind(self, app: Flask, client: FlaskClient, eve: str) -> None:
        assert log_in(client, password=PASSWORD).status_code == 200
        assert count_rows(app, "throttle", scope="login-account") == 0
        assert count_rows(app, "throttle", taken=0) == 1


class TestBasic:
    def test_is_refused_at_the_sixth_wrong_password_however_it_came(self, client: FlaskClient, eve: str) -> None:
        answers = [look(client), log_in(client), look(client), look(client), log_in(client), look(client)]
        assert statuses(answers) == [401] * 5 + [429]
        for answer in (look(client, password=PASSWORD), log_in(client, password=PASSWORD)):
            assert answer.status_code == 429
            assert 295 <= int(answer.headers["Retry-After"]) <= 300
        assert "Try again in" in look(client).get_json()["error_message"]
        with at(now() + timedelta(seconds=301)):
            assert look(client, password=PASSWORD).status_code == 200

    def test_of_an_address_is_refused_after_thirty(self, client: FlaskClient, eve: str) -> None:
        assert statuses([look(client, f"n{number}") for number in range(31)]) == [401] * 30 + [429]
        assert look(client, password=PASSWORD).status_code == 429
        assert look(client, password=PASSWORD, remote="192.0.2.2").status_code == 200

    def test_that_is_right_is_never_counted(self, app: Flask, client: FlaskClient, eve: str) -> None:
        assert {look(client, password=PASSWORD).status_code for _ in range(12)} == {200}
        assert count_rows(app, "throttle") == 0

    def test_that_is_right_frees_nobody_who_guesses(self, client: FlaskClient, eve: str) -> None:
        for _ in range(5):
            assert look(client, password=PASSWORD, remote="192.0.2.2").status_code == 200
            assert look(client).status_code == 401
        assert look(client).status_code == 429

    def test_is_counted_where_changes_are_asked_for(self, app: Flask, client: FlaskClient, eve: str) -> None:
        headers = {"Authorization": "Basic " + base64.b64encode(b"eve:wrong").decode()}
        answers = [client.post("/scheduler/jobs/x/run", headers=headers) for _ in range(6)]
        assert statuses(answers) == [401] * 5 + [429]

    @pytest.mark.one_database
    def test_is_documented(self, client: FlaskClient) -> None:
        document = client.get("/api/v1/openapi.json").get_json()
        for method, path in (("get", "/scheduler"), ("post", "/scheduler/jobs"), ("post", "/api/v1/auth/login")):
            reference = document["paths"][path][method]["responses"]["429"]["$ref"]
            refusal = document["components"]["responses"][reference.rsplit("/", 1)[-1]]
            assert "`throttled`" in refusal["description"]
            assert "Retry-After" in refusal["headers"]


class TestIndex:
    def test_shows_how_the_limits_do(self, client: FlaskClient, admin: Caller, eve: str) -> None:
        for _ in range(8):
            log_in(client)
        log_in(client, "bob")
        account, address, *_others = admin.client.get("/api/v1/throttle").get_json()["data"]
        assert now() - datetime.fromisoformat(account.pop("since")) < timedelta(minutes=1)
        assert account == {
            "scope": "login-account",
            "most": 5,
            "per_seconds": 300,
            "counted": 2,
            "held_back": 1,
            "refused": 3,
        }
        assert (address["counted"], address["held_back"], address["refused"]) == (1, 0, 0)
        assert address["since"] is None
