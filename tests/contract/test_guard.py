"""Handlers that open their units of work themselves, under a key or a precondition."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.libs.redprint import Redprint, unit_of_work
from application.libs.schema import Name, Schema
from tests.libs.test_view import Counted, CountOut, FileIn, NameIn, Taken, store, stored


class ModeIn(Schema):
    x_mode: Name


HEADERS = {"Authorization": "Bearer reader", "Idempotency-Key": "k"}


Serve = Callable[..., FlaskClient]


@pytest.fixture
def serve(mount: Callable[..., FlaskClient]) -> Serve:
    """Return a function that serves a handler at POST /s/thing, and a client of it; on every database."""

    def build(handler: Callable[..., Any], **contract: Any) -> FlaskClient:
        redprint = Redprint("thing", __name__)
        redprint.post("", **contract)(handler)
        return mount(redprint)

    return build


def twice(client: FlaskClient) -> list[TestResponse]:
    """Post two times under one key, and return the answers."""
    return [client.post("/s/thing", headers=HEADERS) for _ in range(2)]


class TestKey:
    def test_holds_for_a_second_unit_where_the_first_was_rolled_back(self, serve: Serve) -> None:
        def create() -> CountOut:
            """Fail in a first unit, store in a second."""
            with pytest.raises(Taken), unit_of_work():
                store()
                raise Taken
            with unit_of_work():
                store()
            return CountOut(count=1)

        client = serve(create, transaction=False)
        answers = twice(client)
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[1].headers["Idempotency-Replayed"] == "true"
        assert stored(client.application) == 1

    def test_holds_for_units_within_units(self, serve: Serve) -> None:
        def create() -> CountOut:
            """Store in a unit within a unit."""
            with unit_of_work(), unit_of_work():
                store()
            return CountOut(count=1)

        client = serve(create, transaction=False)
        answers = twice(client)
        assert [answer.status_code for answer in answers] == [200, 200]
        assert stored(client.application) == 1

    def test_keeps_a_refusal_that_comes_after_the_effect(self, serve: Serve) -> None:
        def create() -> None:
            """Store, then refuse."""
            with unit_of_work():
                store()
            raise Taken

        client = serve(create, transaction=False, errors=[Taken])
        answers = twice(client)
        assert [answer.get_json()["code"] for answer in answers] == ["taken", "taken"]
        assert stored(client.application) == 1

    def test_keeps_a_refusal_that_commits_in_the_one_unit(self, serve: Serve) -> None:
        def create() -> None:
            """Store and refuse."""
            store()
            raise Counted

        client = serve(create, errors=[Counted])
        answers = twice(client)
        assert [(answer.status_code, answer.get_json()["code"]) for answer in answers] == [(409, "counted")] * 2
        assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
        assert stored(client.application) == 1

    def test_holds_where_a_unit_was_rolled_back_around_the_writing_one(self, serve: Serve) -> None:
        def create() -> CountOut:
            """Store within a reading unit that fails, then in one that does not."""
            with pytest.raises(Taken), unit_of_work(write=False):
                with unit_of_work():
                    store()
                raise Taken
            with unit_of_work():
                store()
            return CountOut(count=1)

        client = serve(create, transaction=False)
        answers = twice(client)
        assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
        assert stored(client.application) == 1

    def test_keeps_a_refusal_that_commits(self, serve: Serve) -> None:
        def create() -> None:
            """Store and refuse."""
            with unit_of_work():
                store()
                raise Counted

        client = serve(create, transaction=False, errors=[Counted])
        answers = twice(client)
        assert [answer.get_json()["code"] for answer in answers] == ["counted", "counted"]
        assert stored(client.application) == 1

    def test_stays_taken_where_the_handler_broke_after_the_effect(self, serve: Serve) -> None:
        def create() -> CountOut:
            """Store, then give what is no answer."""
            with unit_of_work():
                store()
            nothing: Any = None
            wrong: CountOut = nothing
            return wrong

        client = serve(create, transaction=False)
        client.application.config["PROPAGATE_EXCEPTIONS"] = False
        answers = twice(client)
        assert [answer.status_code for answer in answers] == [500, 409]
        assert stored(client.application) == 1

    def test_is_noted_where_nothing_was_written(self, serve: Serve) -> None:
        def create() -> CountOut:
            """Write nothing."""
            return CountOut(count=0)

        client = serve(create, transaction=False)
        answers = twice(client)
        assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]

    def test_stands_for_the_fields_of_a_form_too(self, serve: Serve) -> None:
        def create(form: NameIn) -> CountOut:
            """Store what a form gives."""
            store()
            return CountOut(count=1)

        client = serve(create)
        answers = [client.post("/s/thing", data={"name": name}, headers=HEADERS) for name in ("a", "a", "b")]
        assert [answer.status_code for answer in answers] == [200, 200, 422]
        assert answers[2].get_json()["code"] == "key_reused"
        assert stored(client.application) == 1

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({}, None),
            ({"file": (b"other", "a.txt", "text/plain")}, "key_reused"),
            ({"file": (b"text", "b.txt", "text/plain")}, "key_reused"),
            ({"file": (b"text", "a.txt", "text/csv")}, "key_reused"),
            ({"name": "b"}, "key_reused"),
        ],
    )
    def test_stands_for_the_parts_of_an_upload(self, serve: Serve, change: dict[str, Any], code: str | None) -> None:
        def create(files: FileIn, form: NameIn) -> CountOut:
            """Store, and read the file to its end."""
            store()
            return CountOut(count=len(files.file.read()))

        client = serve(create)
        answers = []
        for given in ({}, change):
            parts: dict[str, Any] = {"name": "a", "file": (b"text", "a.txt", "text/plain")} | given
            content, *named = parts["file"]
            answers.append(client.post("/s/thing", data=parts | {"file": (BytesIO(content), *named)}, headers=HEADERS))
        boundaries = {answer.request.headers["Content-Type"] for answer in answers}
        assert (len(boundaries), answers[0].get_json()["data"]) == (2, {"count": 4})
        assert answers[1].get_json().get("code", 0) == (code or 0)
        assert answers[1].headers.get("Idempotency-Replayed") == (None if code else "true")
        assert stored(client.application) == 1

    def test_stands_for_the_headers_a_handler_takes(self, serve: Serve) -> None:
        def create(headers: ModeIn) -> CountOut:
            """Store as a header says."""
            store()
            return CountOut(count=1)

        client = serve(create)
        answers = [client.post("/s/thing", headers=HEADERS | {"X-Mode": mode}) for mode in ("a", "a", "b")]
        assert [answer.status_code for answer in answers] == [200, 200, 422]
        assert answers[2].get_json()["code"] == "key_reused"

    def test_is_nothing_for_strangers(self, serve: Serve) -> None:
        def create() -> CountOut:
            """Store a row."""
            store()
            return CountOut(count=1)

        client = serve(create, public=True)
        for _ in range(2):
            answer = client.post("/s/thing", headers={"Idempotency-Key": "k"})
            assert "Idempotency-Replayed" not in answer.headers
        assert stored(client.application) == 2
