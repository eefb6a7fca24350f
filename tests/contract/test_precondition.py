"""`If-Match` of a change, wherever the GET of its address is declared and whatever it takes (RFC 9110 §13.1.1)."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Response
from flask.testing import FlaskClient

from application.database import change, execute
from application.libs.redprint import Redprint, unit_of_work
from application.libs.schema import Int32, Name, Schema
from tests.contract.specimen_table import TABLE
from tests.libs.test_view import CountOut, Taken, store

STALE = '"0"'

Mount = Callable[..., FlaskClient]


class ScaleIn(Schema):
    scale: Int32 = 1


class ModeIn(Schema):
    x_mode: Name


def read() -> int:
    """Read what every row says; -1 where there are none."""
    found = execute(sa.select(sa.func.max(TABLE.c.small))).scalar_one()
    return -1 if found is None else int(found)


def put(number: int) -> None:
    """Write it into every row."""
    change(sa.update(TABLE).values(small=number))


def show(item: int) -> CountOut:
    """Read what is there."""
    return CountOut(count=read())


def replace(other: int) -> None:
    """Change what is there."""
    put(other)


def fill(client: FlaskClient) -> None:
    """Put one row there."""
    with client.application.app_context(), unit_of_work():
        store()
        put(1)


def statuses(client: FlaskClient, tag: str, address: str = "/s/thing/2", **headers: str) -> list[int]:
    """Put with a stale tag, with the right one, and with that again, which is stale then."""
    return [client.put(address, headers={"If-Match": header, **headers}).status_code for header in (STALE, tag, tag)]


class TestChange:
    def test_is_compared_whatever_the_parameters_are_called(self, mount: Mount) -> None:
        thing = Redprint("thing", __name__)
        thing.put("/<int:other>", public=True)(replace)
        thing.get("/<int:item>", public=True)(show)
        client = mount(thing)
        fill(client)
        tag = client.get("/s/thing/2").headers["ETag"]
        assert statuses(client, tag) == [412, 204, 412]
        assert client.get("/s/thing/2").get_json()["data"] == {"count": 2}

    def test_is_compared_with_what_another_redprint_reads(self, mount: Mount) -> None:
        writing, reading = Redprint("thing", __name__), Redprint("other", __name__, url_prefix="")
        writing.put("/<int:other>", public=True)(replace)
        reading.get("/thing/<int:item>", public=True)(show)
        client = mount(writing, reading)
        fill(client)
        assert statuses(client, client.get("/s/thing/2").headers["ETag"]) == [412, 204, 412]

    def test_is_compared_with_what_its_query_reads(self, mount: Mount) -> None:
        def scaled(item: int, query: ScaleIn) -> CountOut:
            """Read a multiple of what is there."""
            return CountOut(count=read() * query.scale)

        thing = Redprint("thing", __name__)
        thing.get("/<int:item>", public=True)(scaled)
        thing.put("/<int:other>", public=True)(replace)
        client = mount(thing)
        fill(client)
        tag = client.get("/s/thing/2?scale=3").headers["ETag"]
        assert client.put("/s/thing/2", headers={"If-Match": tag}).status_code == 412
        assert statuses(client, tag, "/s/thing/2?scale=3") == [412, 204, 412]
        assert client.put("/s/thing/2?scale=x", headers={"If-Match": tag}).status_code == 412

    def test_is_compared_with_what_its_headers_read(self, mount: Mount) -> None:
        def shown(item: int, headers: ModeIn) -> CountOut:
            """Read what is there as a header says."""
            return CountOut(count=read() + len(headers.x_mode))

        thing = Redprint("thing", __name__)
        thing.get("/<int:item>", public=True)(shown)
        thing.put("/<int:other>", public=True)(replace)
        client = mount(thing)
        fill(client)
        tag = client.get("/s/thing/2", headers={"X-Mode": "fast"}).headers["ETag"]
        assert client.put("/s/thing/2", headers={"If-Match": tag}).status_code == 412
        assert statuses(client, tag, **{"X-Mode": "fast"}) == [412, 204, 412]

    def test_is_compared_with_a_list(self, mount: Mount) -> None:
        def index() -> list[CountOut]:
            """List what is there."""
            return [CountOut(count=read())]

        def clear() -> None:
            """Remove it all."""
            change(TABLE.delete())

        thing = Redprint("thing", __name__)
        thing.get("", public=True)(index)
        thing.delete("", public=True)(clear)
        client = mount(thing)
        fill(client)
        tag = client.get("/s/thing").headers["ETag"]
        found = [client.delete("/s/thing", headers={"If-Match": header}).status_code for header in (STALE, tag, tag)]
        assert found == [412, 204, 412]

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"If-Match": STALE}, 412),
            ({"If-Match": "*"}, 204),
            ({"If-None-Match": "*"}, 412),
            ({"If-None-Match": STALE}, 204),
            ({}, 204),
        ],
    )
    def test_is_refused_where_no_tag_can_be_compared(self, mount: Mount, headers: dict[str, str], status: int) -> None:
        def image(item: int) -> Response:
            """Give bytes."""
            return Response(b"\x89PNG", content_type="image/png")

        alone, beside = Redprint("alone", __name__), Redprint("beside", __name__)
        alone.put("/<int:other>", public=True)(replace)
        beside.put("/<int:other>", public=True)(replace)
        beside.get("/<int:item>", public=True)(image)
        client = mount(alone, beside)
        fill(client)
        for address in ("/s/alone/2", "/s/beside/2"):
            answer = client.put(address, headers=headers)
            assert answer.status_code == status
            assert status == 204 or "without a precondition" in answer.get_json()["detail"]


class TestChangeInItsOwnUnits:
    @pytest.fixture
    def ran(self) -> list[int]:
        """Collect what a handler did that no rollback undoes."""
        return []

    def test_is_refused_before_it_runs(self, mount: Mount, ran: list[int]) -> None:
        def send(other: int) -> None:
            """Do what no database knows."""
            ran.append(other)

        thing = Redprint("thing", __name__)
        thing.get("/<int:item>", public=True)(show)
        thing.put("/<int:other>", public=True, transaction=False)(send)
        client = mount(thing)
        fill(client)
        assert client.put("/s/thing/2", headers={"If-Match": STALE}).status_code == 412
        assert ran == []
        tag = client.get("/s/thing/2").headers["ETag"]
        assert client.put("/s/thing/2", headers={"If-Match": tag}).status_code == 204
        assert ran == [2]

    def test_speaks_first_of_what_is_not_there(self, mount: Mount, ran: list[int]) -> None:
        def shown(item: int) -> CountOut:
            """Read what is there, if it is."""
            if read() < 0:
                raise Taken
            return CountOut(count=read())

        def send(other: int) -> None:
            """Refuse what is not there."""
            ran.append(other)
            with unit_of_work(write=False):
                if read() < 0:
                    raise Taken

        thing = Redprint("thing", __name__)
        thing.get("/<int:item>", public=True, errors=[Taken])(shown)
        thing.put("/<int:other>", public=True, errors=[Taken], transaction=False)(send)
        client = mount(thing)
        answer: Any = client.put("/s/thing/2", headers={"If-Match": STALE})
        assert (answer.status_code, answer.get_json()["code"], ran) == (409, "taken", [2])

    def test_that_creates_what_was_not_there_is_refused(self, mount: Mount) -> None:
        def make(other: int) -> None:
            """Create it."""
            with unit_of_work():
                store()

        def shown(item: int) -> CountOut:
            """Read what is there, if it is."""
            if read() < 0:
                raise Taken
            return CountOut(count=read())

        thing = Redprint("thing", __name__)
        thing.get("/<int:item>", public=True, errors=[Taken])(shown)
        thing.put("/<int:other>", public=True, transaction=False)(make)
        client = mount(thing)
        for header in (STALE, "*"):
            assert client.put("/s/thing/2", headers={"If-Match": header}).status_code == 412
        assert client.get("/s/thing/2").status_code == 409
        for status in (204, 412):
            assert client.put("/s/thing/2", headers={"If-None-Match": "*"}).status_code == status
