"""Fields whose names Python cannot say: one name everywhere on the wire, in the document and in faults."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import pytest
from flask.testing import FlaskClient
from pydantic import Field, computed_field

from application.libs.ok import Envelope
from application.libs.page import Page
from application.libs.record import Record
from application.libs.redprint import Redprint, Surface
from application.libs.schema import Grouped, Int32, PageQuery, Renamed, Schema, Upload
from tests.contract import specimen
from tests.contract.test_input import faults


class TripRow(Record):
    id: str
    from_: str
    town: str


class PlaceOut(Schema):
    class_: Annotated[str, Renamed("town")] = Field(alias="class")


class TripOut(Schema):
    id: str
    from_: str = Field(alias="from")
    to: Annotated[PlaceOut, Grouped()] = Field(alias="to-place")


class SameOut(Schema):
    id: str
    from_: str = Field(alias="from")
    town: str


class Leg(Schema):
    in_: Int32 = Field(alias="in")


class TripIn(Schema):
    from_: str = Field(alias="from", max_length=5)
    legs: list[Leg] = Field(default_factory=list, alias="x-legs", max_length=2)

    @computed_field
    def both(self) -> str:
        return self.from_ * 2


class TripQuery(PageQuery):
    from_: str | None = Field(None, alias="from", max_length=5)


class Headers(Schema):
    source: str | None = Field(None, alias="X-Source", max_length=5)
    x_small: Int32 | None = None


class Form(Schema):
    class_: str = Field(alias="class", max_length=5)


class Files(Schema):
    file_: Upload = Field(alias="import")


class EchoOut(Schema):
    said: list[str | None]


class Allowed:
    def names(self) -> list[str]:
        return ["from_"]


ROW = TripRow("1", "a", "b")
WHOLE = {"id": "1", "from": "a", "to-place": {"class": "b"}}

trip = Redprint("trip", __name__)


@trip.get("/trips", public=True, answer=TripOut, filters=Allowed())
def index(query: TripQuery) -> Page[TripRow]:
    """List trips."""
    return Page(items=[ROW] if query.from_ in (None, "a") else [], limit=query.limit)


@trip.get("/same", public=True, answer=SameOut)
def same() -> TripRow:
    """Read a trip as it is."""
    return ROW


@trip.post("", public=True)
def create(body: TripIn) -> TripIn:
    """Give back what came."""
    return body


@trip.post("/form", public=True)
def form(form: Form, files: Files, headers: Headers) -> EchoOut:
    """Give back what came in a form."""
    return EchoOut(said=[form.class_, files.file_.filename, headers.source])


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder: Path = tmp_path_factory.mktemp("names")
    surface = Surface("s", __name__, url_prefix="/s", dialect=Envelope(), title="S")
    surface.register_blueprint(trip)
    with specimen.serving(f"sqlite:///{folder / 'names.db'}", surfaces=[surface]) as app:
        yield app.test_client()


class TestQuery:
    def test_is_asked_by_its_names_on_the_wire(self, client: FlaskClient) -> None:
        assert len(client.get("/s/trip/trips?from=a").get_json()["data"]) == 1
        assert client.get("/s/trip/trips?from=b").get_json()["data"] == []

    def test_names_them_in_faults(self, client: FlaskClient) -> None:
        given = client.get("/s/trip/trips?from=abcdef&from_=a")
        assert faults(given) == {("query", "from"): "string_too_long", ("query", "from_"): "extra_forbidden"}


class TestBody:
    def test_is_read_and_given_back(self, client: FlaskClient) -> None:
        given = {"from": "a", "x-legs": [{"in": 1}]}
        assert client.post("/s/trip", json=given).get_json()["data"] == given | {"both": "aa"}

    def test_names_them_in_faults(self, client: FlaskClient) -> None:
        given = client.post("/s/trip", json={"from_": "a", "x-legs": [{"in": "1"}, {"in": 2.0, "in_": 2}]})
        assert faults(given) == {
            ("body", "from"): "missing",
            ("body", "from_"): "extra_forbidden",
            ("body", "x-legs", 0, "in"): "int_type",
            ("body", "x-legs", 1, "in_"): "extra_forbidden",
        }


class TestForm:
    def test_is_read_with_headers(self, client: FlaskClient) -> None:
        data = {"class": "a", "import": (BytesIO(b""), "b")}
        answered = client.post("/s/trip/form", data=data, headers={"x-source": "c"})
        assert answered.get_json()["data"] == {"said": ["a", "b", "c"]}

    def test_names_them_in_faults(self, client: FlaskClient) -> None:
        data = {"class_": "a", "import": "b"}
        headers = {"X-Source": "abcdef", "X-Small": "x"}
        answered = client.post("/s/trip/form", data=data, headers=headers, content_type="multipart/form-data")
        assert faults(answered) == {
            ("form", "class"): "missing",
            ("form", "class_"): "extra_forbidden",
            ("files", "import"): "misplaced",
            ("headers", "X-Source"): "string_too_long",
            ("headers", "x-small"): "parsing",
        }


class TestAnswer:
    def test_carries_the_names(self, client: FlaskClient) -> None:
        assert client.get("/s/trip/trips").get_json()["data"] == [WHOLE]
        assert client.get("/s/trip/same").get_json()["data"] == {"id": "1", "from": "a", "town": "b"}

    def test_is_asked_for_some_members_by_them(self, client: FlaskClient) -> None:
        asked = client.get("/s/trip/trips?fields=to-place,from")
        assert asked.get_json()["data"] == [{"from": "a", "to-place": {"class": "b"}}]
        assert faults(client.get("/s/trip/trips?fields=from_")) == {("query", "fields"): "unknown_field"}


class TestDocument:
    def test_says_the_names(self, client: FlaskClient) -> None:
        written: dict[str, Any] = client.get("/s/openapi.json").get_json()
        schemas = written["components"]["schemas"]
        assert set(schemas["TripOut"]["properties"]) == set(WHOLE)
        asked = {item.get("name") for item in written["paths"]["/s/trip/trips"]["get"]["parameters"]}
        assert {"from", "limit", "fields"} <= asked
        sent = {item.get("name") for item in written["paths"]["/s/trip/form"]["post"]["parameters"]}
        assert {"X-Source", "x-small"} <= sent
        content = written["paths"]["/s/trip/form"]["post"]["requestBody"]["content"]["multipart/form-data"]
        form = schemas[content["schema"]["$ref"].rpartition("/")[2]]
        assert (set(form["properties"]), set(form["required"])) == ({"class", "import"}, {"class", "import"})
