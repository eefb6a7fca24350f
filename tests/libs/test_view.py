"""Running a handler: once, again when it met another change, and in units of its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from application.database import SerializationFailure, after_commit, change, execute, transaction
from application.database.unit import OutsideUnit
from application.libs.auth import current_identity
from application.libs.error import Conflict
from application.libs.ok import Envelope
from application.libs.redprint import Redprint, Surface, unit_of_work
from application.libs.schema import Name, Schema, Upload
from application.libs.view import MAX_RETRIES
from tests.contract import specimen
from tests.contract.specimen import keep
from tests.contract.specimen_table import TABLE

ROW = {
    "name": "a",
    "story": "",
    "small": 1,
    "large": 0,
    "ratio": 0.0,
    "flag": False,
    "colour": "red",
    "extra": {},
    "maybe": None,
}


class CountOut(Schema):
    count: int


class NameIn(Schema):
    name: Name


class FileIn(Schema):
    file: Upload


class Taken(Conflict):
    """It is taken."""


class Counted(Conflict):
    """It was counted."""

    commits = True


Serve = Callable[[Redprint], Flask]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that serves a redprint with the specimen's table."""
    opened: list[Any] = []

    def build(redprint: Redprint) -> Flask:
        surface = Surface("s", __name__, url_prefix="/s", dialect=Envelope())
        surface.register_blueprint(redprint)
        serving = specimen.serving(f"sqlite:///{tmp_path / 'view.db'}", surfaces=[surface])
        opened.append(serving)
        return serving.__enter__()

    yield build
    for serving in opened:
        serving.__exit__(None, None, None)


def store() -> None:
    """Store a row."""
    keep(ROW | {"moment": datetime(2030, 1, 1, tzinfo=UTC)})


def stored(app: Flask) -> int:
    """Count the rows."""
    with app.app_context(), transaction(write=False):
        return len(execute(TABLE.select()).all())


class TestRetry:
    @pytest.mark.parametrize(("failures", "status"), [(0, 200), (1, 200), (MAX_RETRIES, 200), (MAX_RETRIES + 1, 503)])
    def test_runs_again_when_two_changes_met(self, serve: Serve, failures: int, status: int) -> None:
        calls: list[str] = []
        redprint = Redprint("thing", __name__)

        @redprint.post("", public=True)
        def create(body: NameIn) -> CountOut:
            """Store a row, after some failures."""
            calls.append(body.name)
            store()
            if len(calls) <= failures:
                raise SerializationFailure(headers={"Retry-After": "1"})
            return CountOut(count=len(calls))

        app = serve(redprint)
        response = app.test_client().post("/s/thing", json={"name": "again"})
        assert response.status_code == status
        assert calls == ["again"] * min(failures + 1, MAX_RETRIES + 1)
        assert stored(app) == (1 if status == 200 else 0)
        assert response.headers.get("Retry-After") == (None if status == 200 else "1")

    def test_gives_a_file_whole_again(self, serve: Serve) -> None:
        sizes: list[int] = []
        redprint = Redprint("thing", __name__)

        @redprint.post("", public=True)
        def create(files: FileIn) -> CountOut:
            """Read a file, twice."""
            sizes.append(len(files.file.read()))
            if len(sizes) == 1:
                raise SerializationFailure
            return CountOut(count=sum(sizes))

        response = serve(redprint).test_client().post("/s/thing", data={"file": (BytesIO(b"123"), "a")})
        assert response.get_json()["data"] == {"count": 6}

    def test_is_not_for_handlers_with_units_of_their_own(self, serve: Serve) -> None:
        redprint = Redprint("thing", __name__)

        @redprint.post("", public=True, transaction=False)
        def create(body: NameIn) -> CountOut:
            """Store a row in one unit, fail in the next."""
            with unit_of_work():
                store()
            with unit_of_work(write=False):
                raise SerializationFailure

        app = serve(redprint)
        assert app.test_client().post("/s/thing", json={"name": "a"}).status_code == 503
        assert stored(app) == 1


class TestUnit:
    def test_rolls_back_on_a_refusal(self, serve: Serve) -> None:
        redprint = Redprint("thing", __name__)

        @redprint.post("", public=True, errors=[Taken])
        def create() -> None:
            """Store, then refuse."""
            store()
            raise Taken

        app = serve(redprint)
        assert app.test_client().post("/s/thing").status_code == 409
        assert stored(app) == 0

    def test_commits_on_a_refusal_that_says_so(self, serve: Serve) -> None:
        redprint, rung = Redprint("thing", __name__), []

        @redprint.post("", public=True, errors=[Counted])
        def create() -> None:
            """Store, then refuse."""
            store()
            after_commit(lambda: rung.append("bell"))
            raise Counted

        app = serve(redprint)
        assert app.test_client().post("/s/thing").status_code == 409
        assert (stored(app), rung) == (1, ["bell"])

    def test_rolls_back_when_the_answer_cannot_be_written(self, serve: Serve) -> None:
        redprint = Redprint("thing", __name__)

        @redprint.post("", public=True)
        def create() -> CountOut:
            """Store, then give what is no answer."""
            store()
            nothing: Any = None
            wrong: CountOut = nothing
            return wrong

        app = serve(redprint)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        assert app.test_client().post("/s/thing").status_code == 500
        assert stored(app) == 0

    def test_of_a_reading_method_may_not_change(self, serve: Serve) -> None:
        redprint = Redprint("thing", __name__)

        @redprint.get("", public=True)
        def show() -> CountOut:
            """Try to change."""
            with pytest.raises(OutsideUnit):
                change(TABLE.delete())
            return CountOut(count=0)

        assert serve(redprint).test_client().get("/s/thing").status_code == 200

    def test_is_not_promoted_for_a_refused_caller_or_an_invalid_body(self, serve: Serve) -> None:
        ran: list[str] = []
        redprint = Redprint("thing", __name__)

        @redprint.post("", permission="specimen:write")
        def create(body: NameIn) -> None:
            """Never run."""
            ran.append(current_identity().name)

        client = serve(redprint).test_client()
        for name, given, status in (
            ("nobody", "a", 401),
            ("reader", "a", 403),
            ("writer", "", 422),
            ("writer", "a", 204),
        ):
            response = client.post("/s/thing", json={"name": given}, headers={"Authorization": f"Bearer {name}"})
            assert response.status_code == status
        assert ran == ["writer"]

    def test_leaves_the_callers_name_for_the_access_line(self, serve: Serve) -> None:
        redprint = Redprint("thing", __name__)

        @redprint.get("")
        def show() -> CountOut:
            """Look at the environment."""
            assert request.environ["redprint.user"] == "reader"
            return CountOut(count=1)

        app = serve(redprint)
        with app.test_client().get("/s/thing", headers={"Authorization": "Bearer reader"}) as response:
            assert response.status_code == 200
        assert b"user=reader" in app.extensions["access_lines"][0]
