"""The limits that the application declares, over HTTP: headers, refusals, who is counted for whom."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.config.setting import Environment, load_settings
from application.database import db
from application.factory import create_app
from application.permissions import Role
from tests.conftest import SignIn

pytestmark = pytest.mark.one_database

LOGIN = "/api/v1/auth/login"
FAULTY = {"name": "ada"}  # counted like any other; of wrong passwords fewer are let through
ROOM = {"auth_login": (30, 60), "tag_create": (120, 60), "blog_create": (120, 60)}

Build = Callable[..., FlaskClient]


@pytest.fixture
def counting(app: Flask, tmp_path: Path) -> Iterator[Build]:
    """Return a function that builds an application which counts, on the database of `app`."""
    built: list[Flask] = []

    def build(**settings: Any) -> FlaskClient:
        url = app.extensions["settings"].database_url
        common = {"environment": Environment.TESTING, "database_url": url, "log_directory": tmp_path / "logs"}
        other = create_app(load_settings(**{**common, "_env_file": None, **settings}))
        built.append(other)
        return other.test_client()

    yield build
    for other in built:
        with other.app_context():
            db.engine.dispose()


def standing(response: Any, policy: str) -> tuple[int, int]:
    """Return what is left and in how many seconds all of it is back, once the headers are as the draft writes them."""
    quota, window = ROOM[policy]
    assert response.headers["RateLimit-Policy"] == f'"{policy}";q={quota};w={window}'
    match = re.fullmatch(rf'"{policy}";r=(\d+);t=(\d+)', response.headers["RateLimit"])
    assert match is not None
    assert 1 <= int(match[2]) <= window
    return int(match[1]), int(match[2])


class TestLogin:
    def test_is_refused_after_thirty_tries_from_an_address(self, counting: Build) -> None:
        client = counting()
        answers = [client.post(LOGIN, json=FAULTY) for _ in range(31)]
        assert [answer.status_code for answer in answers] == [422] * 30 + [429]
        assert [standing(answer, "auth_login")[0] for answer in answers] == [*range(29, -1, -1), 0]

    def test_is_told_when_to_come_back(self, counting: Build) -> None:
        client = counting()
        refused = [client.post(LOGIN, json=FAULTY) for _ in range(31)][-1]
        assert refused.content_type == "application/problem+json"
        assert refused.get_json()["code"] == "too_often"
        assert refused.headers["Retry-After"] == str(standing(refused, "auth_login")[1])
        assert f"Try again in {refused.headers['Retry-After']} seconds" in refused.get_json()["detail"]

    def test_counts_whatever_is_sent(self, counting: Build) -> None:
        client = counting()
        answers = [client.post(LOGIN, json={"name": 1}), client.post(LOGIN, data=b"{", content_type="application/json")]
        assert [answer.status_code for answer in answers] == [422, 400]
        assert [standing(answer, "auth_login")[0] for answer in answers] == [29, 28]

    def test_counts_each_address_apart_and_believes_no_header(self, counting: Build) -> None:
        client = counting()
        forged = [
            client.post(
                LOGIN, json=FAULTY, headers={"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": "for=192.0.2.1"}
            )
            for number in range(31)
        ]
        assert forged[-1].status_code == 429
        elsewhere = client.post(LOGIN, json=FAULTY, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
        assert standing(elsewhere, "auth_login")[0] == 29

    def test_believes_the_proxies_it_knows(self, counting: Build) -> None:
        client = counting(proxy_hops=1)
        left = [
            standing(client.post(LOGIN, json=FAULTY, headers={"X-Forwarded-For": given}), "auth_login")[0]
            for given in ("192.0.2.1", "192.0.2.2", "10.9.9.9, 192.0.2.1", "192.0.2.1")
        ]
        assert left == [29, 29, 28, 27]  # only what the proxy itself wrote counts, which is the last

    def test_is_no_cheaper_for_who_signs_in_again_and_again(self, counting: Build, sign_in: SignIn) -> None:
        client = counting()
        tokens = [sign_in(name).token for name in ("ada", "bob")]
        left = [
            standing(client.post(LOGIN, json=FAULTY, headers={"Authorization": f"Bearer {token}"}), "auth_login")[0]
            for token in tokens
        ]
        assert left == [29, 28]

    def test_is_counted_over_all_versions(self, counting: Build) -> None:
        client = counting()
        answers = [client.post(LOGIN.replace("v1", version), json=FAULTY) for version in ("v1", "v2", "v1")]
        assert [standing(answer, "auth_login")[0] for answer in answers] == [29, 28, 27]


class TestWrites:
    def test_are_counted_for_each_user(self, counting: Build, sign_in: SignIn) -> None:
        client = counting()
        ada, bob = ({"Authorization": f"Bearer {sign_in(name, Role.ADMIN).token}"} for name in ("ada", "bob"))
        answers = [client.post("/api/v1/tag", json={"name": "red"}, headers=known) for known in (ada, ada, bob)]
        assert [answer.status_code for answer in answers] == [201, 409, 409]
        assert [standing(answer, "tag_create")[0] for answer in answers] == [119, 118, 119]

    @pytest.mark.parametrize("path", ["/api/v1/blog", "/api/v2/blog", "/api/v1/tag", "/api/v1/user"])
    def test_stop_at_the_limit(self, counting: Build, sign_in: SignIn, path: str) -> None:
        client = counting()
        known = {"Authorization": f"Bearer {sign_in('ada', Role.ADMIN).token}"}
        answers = [client.post(path, json={}, headers=known) for _ in range(121)]
        assert [answer.status_code for answer in answers] == [422] * 120 + [429]
        assert answers[-1].get_json()["code"] == "too_often"

    def test_of_one_resource_are_counted_over_all_versions(self, counting: Build, sign_in: SignIn) -> None:
        client = counting()
        known = {"Authorization": f"Bearer {sign_in('ada', Role.ADMIN).token}"}
        paths = ["/api/v1/blog", "/api/v2/blog", "/api/v2/blog"]
        answers = [client.post(path, json={}, headers=known) for path in paths]
        assert [standing(answer, "blog_create")[0] for answer in answers] == [119, 118, 117]
        other = client.post("/api/v2/tag", json={}, headers=known)
        assert standing(other, "tag_create")[0] == 119

    def test_of_strangers_are_not_counted(self, counting: Build) -> None:
        response = counting().post("/api/v1/tag", json={"name": "red"})
        assert response.status_code == 401
        assert "RateLimit" not in response.headers


class TestOthers:
    def test_are_neither_counted_nor_told(self, counting: Build) -> None:
        client = counting()
        answers = [client.get("/api/v1/blog") for _ in range(150)]
        assert {answer.status_code for answer in answers} == {200}
        assert not [name for answer in answers for name, _value in answer.headers if name.startswith("RateLimit")]


class TestDocument:
    def test_names_the_headers_and_the_refusal(self, app: Flask) -> None:
        written = app.test_client().get("/api/v1/openapi.json").get_json()
        responses = written["paths"]["/api/v1/auth/login"]["post"]["responses"]
        refusal = written["components"]["responses"][responses["429"]["$ref"].rsplit("/", 1)[-1]]
        assert {"RateLimit", "RateLimit-Policy"} <= responses["200"]["headers"].keys()
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= refusal["headers"].keys()
        assert "`too_often`" in refusal["description"]
        assert "429" not in written["paths"]["/api/v1/blog"]["get"]["responses"]


class TestSetting:
    def test_can_turn_counting_off(self, counting: Build) -> None:
        client = counting(rate_limits_enabled=False)
        answers = [client.post(LOGIN, json=FAULTY) for _ in range(31)]
        assert {answer.status_code for answer in answers} == {422}
        assert "RateLimit" not in answers[0].headers


class TestSecret:
    def test_answers_are_neither_kept_nor_compressed(self, counting: Build, sign_in: SignIn) -> None:
        client = counting()
        admin = {"Authorization": f"Bearer {sign_in('root', Role.ADMIN).token}"}
        account = {"name": "ada", "password": "correct horse battery staple"}
        created = client.post("/api/v1/user", json={**account, "roles": ["user"]}, headers=admin)
        assert created.status_code == 201, created.text
        signed = client.post(LOGIN, json=account)
        assert (signed.status_code, signed.headers["Cache-Control"]) == (200, "no-store, no-transform")
