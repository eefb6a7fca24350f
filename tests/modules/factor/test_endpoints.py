"""Second factors over HTTP: setting one up, signing in with it, and what nobody may without one."""

import base64
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.database import transaction
from application.modules.code.business import Purpose
from application.modules.user import business as user_business
from application.permissions import Role
from tests.conftest import Caller
from tests.modules.factor.conftest import HASH, PASSWORD, Enrol, Phone
from tests.moments import at
from tests.parallel import at_once
from tests.post import give_contact, put_code
from tests.tables import count_rows

LOGIN = "/api/v1/auth/login"
FACTOR = "/api/v1/factor"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with at():
        yield


@pytest.fixture
def ada(app: Flask) -> FlaskClient:
    """Sign a user in who has a password and no second factor."""
    with app.app_context(), transaction():
        user_business.create(name="ada", password_hash=HASH)
    return signed_in(app, "ada")


def log_in(client: FlaskClient, name: str, password: str = PASSWORD, code: str | None = None) -> TestResponse:
    return client.post(LOGIN, json={"name": name, "password": password} | ({} if code is None else {"code": code}))


def signed_in(app: Flask, name: str, code: str | None = None) -> FlaskClient:
    """Return a client with a session of its own."""
    client = app.test_client()
    answer = log_in(client, name, code=code)
    assert answer.status_code == 200, answer.text
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer.get_json()['data']['token']}"
    return client


def refused(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def proof(code: str) -> dict[str, str]:
    return {"current_password": PASSWORD, "code": code}


def enrolled(client: FlaskClient, name: str, code: str | None = None) -> Phone:
    """Set a second factor up as clients do."""
    offer = client.post(FACTOR, json={"current_password": PASSWORD} | ({} if code is None else {"code": code}))
    assert offer.status_code == 200, offer.text
    phone = Phone("", name, offer.get_json()["data"]["secret"], [])
    given = client.post(f"{FACTOR}/confirm", json={"code": phone.code()})
    assert given.status_code == 200, given.text
    phone.recovery_codes = given.get_json()["data"]["recovery_codes"]
    return phone


class TestLogin:
    def test_wants_a_code_after_the_right_password_only(self, app: Flask, client: FlaskClient, eve: Phone) -> None:
        answer = log_in(client, "eve")
        assert refused(answer) == (401, "second_factor_needed")
        for password, code in (("wrong", None), ("wrong", eve.code()), ("wrong", "123456")):
            assert refused(log_in(client, "eve", password, code)) == (401, "wrong_password")
        assert count_rows(app, "session") == 0

    def test_lets_in_with_a_code_once(self, client: FlaskClient, eve: Phone) -> None:
        code = eve.code()
        assert log_in(client, "eve", code=f"{code[:3]} {code[3:]}").status_code == 200
        assert refused(log_in(client, "eve", code=code)) == (401, "wrong_factor_code")
        with at(seconds=30):
            assert log_in(client, "eve", code=eve.code()).status_code == 200

    def test_lets_in_with_a_recovery_code_once(self, client: FlaskClient, eve: Phone) -> None:
        assert log_in(client, "eve", code=eve.recovery_codes[3]).status_code == 200
        assert refused(log_in(client, "eve", code=eve.recovery_codes[3])) == (401, "wrong_factor_code")

    def test_lets_one_of_four_at_once_in(self, app: Flask, eve: Phone) -> None:
        code = eve.code()
        answers = at_once([lambda: log_in(app.test_client(), "eve", code=code)] * 4)
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
        assert count_rows(app, "session") == 1

    def test_is_refused_at_the_sixth_wrong_code_even_with_the_right_one(self, client: FlaskClient, eve: Phone) -> None:
        answers = [refused(log_in(client, "eve", code=eve.wrong())) for _time in range(6)]
        assert answers == [(401, "wrong_factor_code")] * 5 + [(429, "throttled")]
        answer = log_in(client, "eve", code=eve.code())
        assert answer.status_code == 429
        assert 295 <= int(answer.headers["Retry-After"]) <= 300
        assert refused(log_in(client, "eve")) == (401, "second_factor_needed")
        assert log_in(client, "eve", code=eve.recovery_codes[0]).status_code == 200

    def test_counts_no_right_password_without_a_code(self, client: FlaskClient, eve: Phone) -> None:
        answers = {refused(log_in(client, "eve")) for _time in range(12)}
        assert answers == {(401, "second_factor_needed")}

    def test_looks_at_no_code_of_who_has_no_second_factor(self, client: FlaskClient, ada: FlaskClient) -> None:
        assert log_in(client, "ada", code="123456").status_code == 200

    def test_is_written_down(self, app: Flask, client: FlaskClient, eve: Phone, admin: Caller) -> None:
        log_in(client, "eve", code=eve.wrong())
        log_in(client, "eve", code=eve.recovery_codes[0])
        found = admin.client.get("/api/v1/audit?subject=" + eve.user_id).get_json()["data"]
        assert [one["action"] for one in found][:3] == [
            "user.sign_in",
            "user.use_recovery_code",
            "user.refuse_sign_in",
        ]
        assert not any(code in str(found) for code in eve.recovery_codes)


class TestLoginByCode:
    def test_asks_for_the_second_factor_beside_the_code(self, app: Flask, client: FlaskClient, eve: Phone) -> None:
        to, code = "eve@example.org", "204816"
        give_contact(app, eve.user_id, to)
        put_code(app, Purpose.SIGN_IN, to, code)
        body = {"to": to, "code": code}
        answers = [
            client.post("/api/v1/auth/login-by-code", json=body | more)
            for more in ({}, {"factor_code": "wrong"}, {"factor_code": eve.recovery_codes[0]})
        ]
        assert [answer.get_json()["code"] for answer in answers] == ["second_factor_needed", "wrong_factor_code", 0]
        spent = client.post("/api/v1/auth/login-by-code", json=body | {"factor_code": eve.recovery_codes[1]})
        assert refused(spent) == (422, "wrong_code")


class TestBasic:
    def test_lets_nobody_in_by_a_password_alone(self, app: Flask, client: FlaskClient, enrol: Enrol) -> None:
        enrol("root", Role.ADMIN)
        with app.app_context(), transaction():
            user_business.create(name="ops", password_hash=HASH, roles=[Role.ADMIN])
        statuses = {}
        for name in ("root", "ops"):
            headers = {"Authorization": "Basic " + base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()}
            statuses[name] = client.get("/scheduler", headers=headers).status_code
        assert statuses == {"root": 401, "ops": 200}


class TestOffer:
    def test_wants_the_password(self, ada: FlaskClient) -> None:
        answer = ada.post(FACTOR, json={"current_password": "wrong"})
        assert refused(answer) == (422, "wrong_current_password")
        assert answer.get_json()["errors"][0]["loc"] == ["body", "current_password"]

    def test_counts_wrong_passwords_as_signing_in_does(self, client: FlaskClient, ada: FlaskClient) -> None:
        answers = [ada.post(FACTOR, json={"current_password": "wrong"}).status_code for _time in range(6)]
        assert answers == [422] * 5 + [429]
        assert log_in(client, "ada").status_code == 429

    def test_wants_a_code_too_where_one_is_on(self, app: Flask, eve: Phone) -> None:
        client = signed_in(app, "eve", eve.code())
        for body in ({"current_password": PASSWORD}, proof(eve.code())):  # none, and the one that was used
            answer = client.post(FACTOR, json=body)
            assert refused(answer) == (422, "wrong_current_code")
            assert answer.get_json()["errors"][0]["loc"] == ["body", "code"]
        with at(minutes=1):
            new = enrolled(client, "eve", eve.code())
        with at(minutes=2):
            assert refused(log_in(client, "eve", code=eve.code())) == (401, "wrong_factor_code")
            assert log_in(client, "eve", code=new.code()).status_code == 200

    def test_keeps_no_answer_under_a_key(self, ada: FlaskClient) -> None:
        headers = {"Idempotency-Key": '"once"'}
        secrets = {
            ada.post(FACTOR, json={"current_password": PASSWORD}, headers=headers).get_json()["data"]["secret"]
            for _time in range(2)
        }
        assert len(secrets) == 2


class TestConfirm:
    def test_turns_it_on_and_ends_the_other_sessions(self, app: Flask, client: FlaskClient, ada: FlaskClient) -> None:
        other = signed_in(app, "ada")
        assert ada.get(FACTOR).get_json()["data"] == {
            "is_on": False,
            "is_required": False,
            "confirmed_at": None,
            "recovery_codes_left": 0,
        }
        phone = enrolled(ada, "ada")
        assert len(phone.recovery_codes) == 10
        state = ada.get(FACTOR).get_json()["data"]
        assert (state["is_on"], state["recovery_codes_left"]) == (True, 10)
        assert state["confirmed_at"] is not None
        assert other.get(FACTOR).status_code == 401
        assert refused(log_in(client, "ada")) == (401, "second_factor_needed")
        with at(minutes=1):
            assert log_in(client, "ada", code=phone.code()).status_code == 200

    def test_takes_no_wrong_code(self, ada: FlaskClient) -> None:
        assert refused(ada.post(f"{FACTOR}/confirm", json={"code": "123456"})) == (409, "nothing_offered")
        ada.post(FACTOR, json={"current_password": PASSWORD})
        assert refused(ada.post(f"{FACTOR}/confirm", json={"code": "x"})) == (422, "wrong_current_code")
        assert not ada.get(FACTOR).get_json()["data"]["is_on"]

    def test_lets_nobody_in_beside_it(self, app: Flask, ada: FlaskClient) -> None:
        """Whoever signs in by the password while it is turned on has no session afterwards, or was too late."""
        phone = Phone("", "ada", ada.post(FACTOR, json={"current_password": PASSWORD}).get_json()["data"]["secret"], [])

        def confirm() -> TestResponse:
            return ada.post(f"{FACTOR}/confirm", json={"code": phone.code()})

        answers = at_once([*[lambda: log_in(app.test_client(), "ada")] * 3, confirm])
        assert answers[-1].status_code == 200
        assert count_rows(app, "session") == 1


class TestRenewCodes:
    def test_gives_others(self, app: Flask, eve: Phone) -> None:
        client = signed_in(app, "eve", eve.recovery_codes[0])
        wrong = client.post(f"{FACTOR}/recovery-codes", json={"current_password": "wrong", "code": eve.code()})
        assert refused(wrong) == (422, "wrong_current_password")
        answer = client.post(f"{FACTOR}/recovery-codes", json=proof(eve.code()))
        assert answer.status_code == 200
        fresh = answer.get_json()["data"]["recovery_codes"]
        assert refused(log_in(client, "eve", code=eve.recovery_codes[1])) == (401, "wrong_factor_code")
        assert log_in(client, "eve", code=fresh[1]).status_code == 200


class TestTurnOff:
    def test_lets_in_by_the_password_alone(self, app: Flask, client: FlaskClient, eve: Phone) -> None:
        here = signed_in(app, "eve", eve.recovery_codes[0])
        assert refused(here.post(f"{FACTOR}/turn-off", json=proof(eve.wrong()))) == (422, "wrong_current_code")
        assert here.post(f"{FACTOR}/turn-off", json=proof(eve.code())).status_code == 204
        assert log_in(client, "eve").status_code == 200
        assert refused(here.post(f"{FACTOR}/turn-off", json=proof("x"))) == (409, "factor_off")


class TestReset:
    def test_is_what_admins_do_for_who_has_lost_theirs(
        self, app: Flask, admin: Caller, ada: FlaskClient, eve: Phone
    ) -> None:
        here = signed_in(app, "eve", eve.code())
        assert ada.delete(f"/api/v1/user/{eve.user_id}/factor").status_code == 403
        assert admin.client.delete(f"/api/v1/user/{eve.user_id}/factor").status_code == 204
        assert here.get(FACTOR).status_code == 401
        assert log_in(app.test_client(), "eve").status_code == 200
        assert refused(admin.client.delete(f"/api/v1/user/{eve.user_id}/factor")) == (409, "factor_off")

    def test_is_not_for_oneself_or_nobody(self, admin: Caller) -> None:
        assert refused(admin.client.delete(f"/api/v1/user/{admin.id}/factor")) == (409, "own_factor")
        nobody = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
        assert refused(admin.client.delete(f"/api/v1/user/{nobody}/factor")) == (404, "user_not_found")
