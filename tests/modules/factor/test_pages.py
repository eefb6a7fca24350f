"""The pages where one sets a second factor up, and signs in with it."""

import html
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.database import transaction
from application.modules.user import business as user_business
from tests.modules.factor.conftest import HASH, PASSWORD, Phone
from tests.modules.factor.test_endpoints import log_in
from tests.moments import at
from tests.tables import count_rows

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
PAGE = "/second-factor"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with at():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser, which says that the pages it sends from are this site's."""
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return client


@pytest.fixture
def ada(app: Flask, client: FlaskClient) -> FlaskClient:
    """Sign a user in by a browser."""
    with app.app_context(), transaction():
        user_business.create(name="ada", password_hash=HASH)
    assert enter(client, name="ada", password=PASSWORD).status_code == 303
    return client


def enter(client: FlaskClient, **fields: str) -> TestResponse:
    return client.post("/sign-in", data=fields)


def field(answer: TestResponse, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found is not None, answer.text
    return html.unescape(found[1])


def press(client: FlaskClient, act: str, **fields: str) -> TestResponse:
    """Press a button of the page."""
    csrf = field(client.get(PAGE), "csrf")
    return client.post(PAGE, data={"csrf": csrf, "act": act, **fields})


def problem(answer: TestResponse) -> str:
    found = re.search(r'role="alert">([^<]*)<', answer.text)
    return html.unescape(found[1]) if found else ""


def set_up(client: FlaskClient) -> Phone:
    offered = press(client, "offer", password=PASSWORD)
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", offered.text)
    assert secret is not None, offered.text
    phone = Phone("", "ada", secret[1], [])
    assert f"secret={phone.secret}" in html.unescape(offered.text)
    assert 'src="data:image/svg+xml' in offered.text
    confirmed = press(client, "confirm", code=phone.code())
    shown = re.search(r"<pre><code>([^<]*)</code></pre>", confirmed.text)
    assert shown is not None, confirmed.text
    phone.recovery_codes = shown[1].split()
    return phone


class TestEnter:
    def test_asks_for_a_code_without_the_password_again(self, app: Flask, client: FlaskClient, eve: Phone) -> None:
        asked = enter(client, name="eve", password=PASSWORD, next="/tasks")
        assert asked.status_code == 200
        assert "Set-Cookie" not in asked.headers
        assert asked.headers["Cache-Control"] == "no-store"
        assert 'autocomplete="one-time-code"' in asked.text
        assert PASSWORD not in asked.text
        pending, wanted = field(asked, "pending"), field(asked, "next")
        assert count_rows(app, "session") == 0
        wrong = enter(client, pending=pending, code=eve.wrong(), next=wanted)
        assert (wrong.status_code, problem(wrong)) == (401, "The code is wrong, or was used before.")
        let_in = enter(client, pending=field(wrong, "pending"), code=eve.code(), next=wanted)
        assert (let_in.status_code, let_in.headers["Location"]) == (303, "/tasks")
        assert client.get("/dashboard/session.json").get_json()["name"] == "eve"

    def test_says_after_the_right_password_only_that_one_is_on(self, client: FlaskClient, eve: Phone) -> None:
        answer = enter(client, name="eve", password="wrong")
        assert (answer.status_code, problem(answer)) == (401, "The name or the password is wrong.")
        assert "pending" not in answer.text

    def test_forgets_the_password_after_five_minutes(self, client: FlaskClient, eve: Phone) -> None:
        pending = field(enter(client, name="eve", password=PASSWORD), "pending")
        with at(seconds=300):
            assert enter(client, pending=pending, code=eve.wrong()).status_code == 401
            assert "pending" in enter(client, pending=pending, code=eve.wrong()).text
        with at(seconds=302):
            answer = enter(client, pending=pending, code=eve.code())
            assert (answer.status_code, problem(answer)) == (401, "It took too long. Sign in again.")
            assert "pending" not in answer.text

    def test_forgets_it_when_it_is_changed(self, app: Flask, client: FlaskClient, eve: Phone) -> None:
        pending = field(enter(client, name="eve", password=PASSWORD), "pending")
        with app.app_context(), transaction():
            user_business.update(eve.user_id, password_hash="another")
        assert enter(client, pending=pending, code=eve.code()).status_code == 401
        assert count_rows(app, "session") == 0

    def test_believes_nothing_that_we_did_not_sign(self, client: FlaskClient, eve: Phone) -> None:
        pending = field(enter(client, name="eve", password=PASSWORD), "pending")
        for forged in ("x", pending[:-1], f"x{pending}", pending.swapcase(), "é"):
            answer = enter(client, pending=forged, code=eve.code())
            assert (answer.status_code, problem(answer)) == (401, "It took too long. Sign in again.")

    def test_is_held_back_at_the_sixth_wrong_code(self, client: FlaskClient, eve: Phone) -> None:
        pending = field(enter(client, name="eve", password=PASSWORD), "pending")
        statuses = [enter(client, pending=pending, code=eve.wrong()).status_code for _time in range(5)]
        assert statuses == [401] * 5
        answer = enter(client, pending=pending, code=eve.code())
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] in problem(answer)
        assert enter(client, pending=field(answer, "pending"), code=eve.recovery_codes[0]).status_code == 303

    def test_speaks_chinese(self, client: FlaskClient, eve: Phone) -> None:
        answer = client.post("/sign-in", data={"name": "eve", "password": PASSWORD}, headers=CHINESE)
        assert "第二步" in answer.text
        assert '<html lang="zh-CN">' in answer.text


class TestForm:
    def test_is_for_who_is_signed_in(self, client: FlaskClient) -> None:
        answer = client.get(f"{PAGE}?next=/jobs")
        assert (answer.status_code, answer.headers["Location"]) == (
            303,
            "/sign-in?next=%2Fsecond-factor%3Fnext%3D%2Fjobs",
        )
        assert client.post(PAGE, data={"act": "offer"}).status_code == 303

    def test_speaks_chinese(self, ada: FlaskClient) -> None:
        assert "第二因素" in ada.get(PAGE, headers=CHINESE).text


class TestChange:
    def test_sets_one_up(self, app: Flask, ada: FlaskClient) -> None:
        assert "Set up" in ada.get(PAGE).text
        phone = set_up(ada)
        assert len(phone.recovery_codes) == 10
        page = ada.get(PAGE)
        assert "10 recovery codes left" in page.text
        assert page.headers["Cache-Control"] == "no-store"
        with at(minutes=1):
            assert log_in(app.test_client(), "ada", code=phone.code()).status_code == 200

    def test_says_what_is_wrong_and_shows_no_secret_again(self, ada: FlaskClient) -> None:
        answer = press(ada, "offer", password="wrong")
        assert (answer.status_code, problem(answer)) == (422, "The password is wrong.")
        answer = press(ada, "confirm", code="123456")
        assert (answer.status_code, problem(answer)) == (422, "It took too long. Begin again.")
        press(ada, "offer", password=PASSWORD)
        answer = press(ada, "confirm", code="x")
        assert (answer.status_code, problem(answer)) == (422, "The code is wrong, or was used before.")
        assert not re.search(r"[A-Z2-7]{32}", answer.text)

    def test_is_held_back_after_five_wrong_passwords(self, ada: FlaskClient) -> None:
        assert [press(ada, "offer", password="wrong").status_code for _time in range(6)] == [422] * 5 + [429]

    def test_renews_moves_and_turns_off(self, app: Flask, ada: FlaskClient) -> None:
        phone = set_up(ada)
        renewed = press(ada, "renew", password=PASSWORD, code=phone.recovery_codes[0])
        assert renewed.status_code == 200
        assert phone.recovery_codes[1] not in renewed.text
        with at(minutes=1):
            assert "<code>" in press(ada, "offer", password=PASSWORD, code=phone.code()).text
        with at(minutes=2):
            off = press(ada, "off", password=PASSWORD, code=phone.code())
            assert "The second factor is off." in off.text
        assert count_rows(app, "factor") == 0
        assert problem(press(ada, "renew", password=PASSWORD, code="x")) == "The second factor is off."

    def test_is_for_pages_of_this_site_only(self, ada: FlaskClient) -> None:
        csrf = field(ada.get(PAGE), "csrf")
        data = {"csrf": csrf, "act": "offer", "password": PASSWORD}
        statuses = [
            ada.post(PAGE, data={**data, "csrf": "x"}).status_code,
            ada.post(PAGE, data=data, headers={"Sec-Fetch-Site": "same-site"}).status_code,
            ada.post(PAGE, data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code,
            ada.post(PAGE, json=data).status_code,
            ada.post(PAGE, data={**data, "act": "x"}).status_code,
        ]
        assert statuses == [403, 403, 403, 415, 400]
