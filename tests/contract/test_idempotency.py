"""Idempotency-Key: a repeated POST has one effect and one answer."""

from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from application.database import change, execute, transaction
from application.libs.clock import now
from application.modules.idempotency.models import IdempotencyKey
from tests.conftest import Caller
from tests.parallel import at_once

KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
BLOG = {"title": "Once", "content": "Text"}


def titles(client: FlaskClient) -> list[str]:
    """List the blogs there are."""
    return [blog["title"] for blog in client.get("/api/v1/blog").get_json()["data"]]


class TestRepeat:
    def test_gives_the_same_answer_and_has_no_second_effect(self, ada: Caller) -> None:
        first = ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        again = ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.data == first.data
        for name in ("Content-Type", "ETag", "Location"):
            assert again.headers[name] == first.headers[name]
        assert again.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first.headers
        assert titles(ada.client) == ["Once"]

    @pytest.mark.parametrize(("key", "same"), [("abc", '"abc"'), ('"a b"', '"a b"'), (r'"\"\\"', r'"\"\\"')])
    def test_takes_the_key_however_it_is_written(self, ada: Caller, key: str, same: str) -> None:
        first = ada.client.post("/api/v1/blog", json=BLOG, headers={"Idempotency-Key": key})
        again = ada.client.post("/api/v1/blog", json=BLOG, headers={"Idempotency-Key": same})
        assert (first.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
        assert again.data == first.data

    def test_tells_keys_apart_that_differ_in_an_escape(self, ada: Caller) -> None:
        for key in (r'"a\\"', r'"a\""', '"a"', '"' + r"\\" * 255 + '"'):
            answer = ada.client.post("/api/v1/blog", json=BLOG, headers={"Idempotency-Key": key})
            assert "Idempotency-Replayed" not in answer.headers
            assert answer.status_code == 201

    def test_goes_on_after_the_resource_was_deleted(self, ada: Caller) -> None:
        first = ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        ada.client.delete(first.headers["Location"])
        assert ada.client.post("/api/v1/blog", json=BLOG, headers=KEY).data == first.data
        assert titles(ada.client) == []

    def test_works_where_the_handler_opens_its_own_units(self, admin: Caller) -> None:
        body = {"name": "carol", "password": "correct horse"}
        first = admin.client.post("/api/v1/user", json=body, headers=KEY)
        again = admin.client.post("/api/v1/user", json=body, headers=KEY)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.data == first.data

    def test_works_for_an_answer_without_a_body(self, specimen_client: FlaskClient) -> None:
        headers = KEY | {"Authorization": "Bearer reader"}
        answers = [specimen_client.post("/api/v1/specimen/note", headers=headers) for _ in range(2)]
        assert [(answer.status_code, answer.data) for answer in answers] == [(204, b"")] * 2
        assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
        assert "Content-Type" not in answers[1].headers

    def test_works_under_the_scheduler(self, admin: Caller, app: Flask) -> None:
        answers = [admin.client.post("/scheduler/jobs/none/run", headers=KEY) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [404, 404]  # refused twice: nothing had an effect


class TestAnotherRequest:
    @pytest.mark.parametrize("change", [{"title": "Other"}, {"content": ""}])
    def test_under_the_key_is_refused(self, ada: Caller, change: dict[str, Any]) -> None:
        ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        answer = ada.client.post("/api/v1/blog", json=BLOG | change, headers=KEY)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "key_reused")
        assert answer.get_json()["errors"][0]["loc"] == ["headers", "Idempotency-Key"]
        assert titles(ada.client) == ["Once"]

    def test_to_another_address_is_refused(self, admin: Caller) -> None:
        admin.client.post("/api/v1/tag", json={"name": "a"}, headers=KEY)
        answer = admin.client.post("/api/v1/blog", json={"title": "a", "content": ""}, headers=KEY)
        assert answer.status_code == 422

    def test_is_not_what_a_repeat_is_taken_for_after_a_change_of_the_secret(
        self, ada: Caller, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        monkeypatch.setitem(app.config, "SECRET_KEY", "another, as long as it has to be")
        again = ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        assert (again.status_code, again.get_json()["code"]) == (409, "key_unverifiable")
        assert titles(ada.client) == ["Once"]
        assert ada.client.post("/api/v1/blog", json=BLOG, headers={"Idempotency-Key": "new"}).status_code == 201

    def test_of_somebody_else_is_their_own(self, ada: Caller, bob: Caller) -> None:
        for caller in (ada, bob):
            answer = caller.client.post("/api/v1/blog", json=BLOG, headers=KEY)
            assert (answer.status_code, answer.get_json()["data"]["owner"]["id"]) == (201, caller.id)


class TestRefused:
    def test_leaves_the_key_free(self, ada: Caller) -> None:
        unknown = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
        refused = ada.client.post("/api/v1/blog", json=BLOG | {"tags": [unknown]}, headers=KEY)
        assert refused.status_code == 422
        assert ada.client.post("/api/v1/blog", json=BLOG, headers=KEY).status_code == 201

    def test_comes_before_the_key_where_the_caller_is_unknown(self, ada: Caller, client: FlaskClient) -> None:
        ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        assert client.post("/api/v1/blog", json=BLOG, headers=KEY).status_code == 401

    @pytest.mark.parametrize(
        "key",
        [
            "",
            " ",
            '"',
            '""',
            "two words",
            "a" * 256,
            '"' + "a" * 256 + '"',
            'a"b',
            '"a"b"',
            "\\",
            r'"\a"',
            r'"\"',
            "é",
            '"é"',
        ],
    )
    def test_for_a_malformed_key(self, ada: Caller, key: str) -> None:
        answer = ada.client.post("/api/v1/blog", json=BLOG, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_key")
        assert titles(ada.client) == []


class TestConcurrent:
    def test_duplicates_have_one_effect(self, ada: Caller) -> None:
        actions = [partial(ada.client.post, "/api/v1/blog", json=BLOG, headers=KEY) for _ in range(8)]
        answers = at_once(actions)
        assert [answer.status_code for answer in answers] == [201] * 8
        assert len({answer.data for answer in answers}) == 1
        assert titles(ada.client) == ["Once"]

    def test_duplicates_of_what_can_be_only_once_are_not_refused(self, ada: Caller) -> None:
        actions = [partial(ada.client.post, "/api/v1/tag", json={"name": "one"}, headers=KEY) for _ in range(6)]
        assert [answer.status_code for answer in at_once(actions)] == [201] * 6

    def test_duplicates_have_one_effect_in_units_of_their_own(self, admin: Caller) -> None:
        body = {"name": "carol", "password": "correct horse"}
        actions = [partial(admin.client.post, "/api/v1/user", json=body, headers=KEY) for _ in range(4)]
        answers = at_once(actions)
        refused = [answer for answer in answers if answer.status_code != 201]
        assert {answer.get_json()["code"] for answer in refused} <= {"key_in_use"}
        assert {answer.headers["Retry-After"] for answer in refused} <= {"1"}
        assert admin.client.post("/api/v1/user", json=body, headers=KEY).status_code == 201


class TestStored:
    def test_is_no_answer_that_carries_a_secret(self, client: FlaskClient, admin: Caller, app: Flask) -> None:
        body = {"name": "carol", "password": "correct horse"}
        admin.client.post("/api/v1/user", json=body)
        answers = [client.post("/api/v1/auth/login", json=body, headers=KEY) for _ in range(2)]
        assert len({answer.get_json()["data"]["token"] for answer in answers}) == 2
        with app.app_context(), transaction(write=False):
            assert execute(sa.select(sa.func.count()).select_from(IdempotencyKey)).scalar_one() == 0

    def test_is_forgotten_after_a_day(self, ada: Caller, app: Flask) -> None:
        first = ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        with app.app_context(), transaction():
            change(sa.update(IdempotencyKey).values(expires_at=now()))
        again = ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        assert again.status_code == 201
        assert again.data != first.data

    def test_is_refused_while_the_outcome_is_unknown(self, ada: Caller, app: Flask) -> None:
        ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        with app.app_context(), transaction():  # as a process leaves it that was killed before it noted the answer
            change(sa.update(IdempotencyKey).values(status=None, headers=None, body=None))
        again = ada.client.post("/api/v1/blog", json=BLOG, headers=KEY)
        assert (again.status_code, again.get_json()["code"]) == (409, "key_in_use")
        assert again.headers["Retry-After"] == "1"
        assert titles(ada.client) == ["Once"]
