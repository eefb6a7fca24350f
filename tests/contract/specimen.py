"""A resource with one column and one parameter of every type, on an application of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from flask import Flask, Response
from pydantic import Field, StringConstraints

from application.database import (
    SerializationFailure,
    change,
    db,
    engine_options,
    execute,
    prepare_engine,
    reader_beside,
    stamp_of,
    transaction,
)
from application.database.filter import CHOICE, FLAG, RANGE, TEXT, Filter, Filters, contains
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.libs import failure, openapi, redprint
from application.libs.auth import Credentials, Identity
from application.libs.edge import Edge
from application.libs.error import Conflict, NotFound
from application.libs.ident import new_id
from application.libs.ok import Bare, Envelope
from application.libs.page import Page
from application.libs.record import Record
from application.libs.redprint import Redprint, Surface, unit_of_work
from application.libs.schema import Float64, Ident, Int32, Int64, PageQuery, Schema, Upload, UtcTime
from application.libs.upload import UploadLimit
from application.libs.web_application import WebApplication
from application.modules.idempotency import business as idempotency
from application.modules.idempotency.models import IdempotencyKey
from tests.contract.specimen_query import Colour, SpecimenQuery
from tests.contract.specimen_table import METADATA, TABLE

LONG = 70_000
MAX_BYTES = 1_000_000
MAX_PHOTO = 100
PHOTO_TYPES = ("image/png", "application/octet-stream")


Title = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]


ORDERS = Orders(
    {"name": TABLE.c.name, "small": TABLE.c.small, "moment": TABLE.c.moment, "id": TABLE.c.id}, tie=TABLE.c.id
)
FILTERS = Filters(
    {
        "name": Filter(TABLE.c.name, *TEXT),
        "small": Filter(TABLE.c.small, "eq", "ne", *RANGE),
        "moment": Filter(TABLE.c.moment, *RANGE),
        "colour": Filter(TABLE.c.colour, *CHOICE),
        "maybe": Filter(TABLE.c.maybe, "contains", "ne"),
        "ratio": Filter(TABLE.c.ratio, *RANGE),
        "flag": Filter(TABLE.c.flag, *FLAG),
    }
)


class SpecimenNotFound(NotFound):
    """There is no such specimen."""


class Undeclared(Conflict):
    """Nobody declared this."""


class SpecimenRow(Record):
    id: str
    name: str
    story: str
    small: int
    large: int
    ratio: float
    flag: bool
    moment: datetime
    colour: str
    extra: dict[str, Any]
    maybe: str | None


class SpecimenIn(Schema):
    """One of every type."""

    name: Title
    story: Annotated[str, StringConstraints(max_length=LONG)] = ""
    small: Int32 = 0
    large: Int64 = 0
    ratio: Float64 = 0.0
    flag: bool = False
    moment: UtcTime
    colour: Colour = Colour.RED
    extra: dict[Annotated[str, StringConstraints(max_length=20)], Any] = Field(default_factory=dict, max_length=5)
    maybe: Annotated[str, StringConstraints(max_length=50)] | None = None
    others: list[Ident] = Field(default_factory=list, max_length=3)


class SpecimenOut(Schema):
    """One of every type."""

    id: str
    name: str
    story: str
    small: int
    large: int
    ratio: float
    flag: bool
    moment: datetime
    colour: str
    extra: dict[str, Any]
    maybe: str | None


class Fields(Schema):
    """One of every type that fits a query, headers or a form."""

    text: Annotated[str, StringConstraints(max_length=10)] | None = None
    small: Int32 | None = None
    large: Int64 | None = None
    ratio: Float64 | None = None
    flag: bool | None = None
    moment: UtcTime | None = None
    colour: Colour | None = None
    level: Literal[1, 2] | None = None
    other: Ident | None = None
    many: list[Int32] = Field(default_factory=list, max_length=3)


class Headers(Schema):
    x_small: Int32 | None = None
    x_text: str | None = Field(None, max_length=10)


class Files(Schema):
    photo: Annotated[Upload, UploadLimit(max_bytes=MAX_PHOTO, media_types=PHOTO_TYPES)]
    more: list[Upload] = Field(default_factory=list, max_length=2)


class EchoOut(Schema):
    place: str
    value: dict[str, Any]


class FileOut(Schema):
    names: list[str]
    sizes: list[int]
    text: str | None


_ALL = sa.select(TABLE)
_LIST, _ROWS = Listing(_ALL, ORDERS, FILTERS), each(lambda row: SpecimenRow(*row))
_GET = _ALL.where(TABLE.c.id == sa.bindparam("key"))
_INSERT = sa.insert(TABLE)
_DELETE = sa.delete(TABLE).where(TABLE.c.id == sa.bindparam("key"))

specimen = Redprint("specimen", __name__)


def find(key: str) -> SpecimenRow:
    """Return a specimen."""
    row = execute(_GET, key=key).one_or_none()
    if row is None:
        raise SpecimenNotFound
    return SpecimenRow(*row)


def keep(values: dict[str, Any]) -> SpecimenRow:
    """Store a specimen and read it back."""
    key = new_id()
    change(_INSERT, id=key, **values)
    return find(key)


@specimen.get("", public=True, answer=SpecimenOut, orders=ORDERS, filters=FILTERS, rows_only=True)
def index(query: SpecimenQuery) -> Page[SpecimenRow]:
    """List specimens."""
    chosen = query.model_dump(exclude={"limit", "after", "count", "sort", "q"})
    return _LIST.page(
        _ROWS,
        limit=query.limit,
        after=query.after,
        sort=query.sort,
        count=query.count,
        filters=chosen,
        also=() if query.q is None else [contains(TABLE.c.name, query.q)],
    )


@specimen.post("", public=True, status=201, answer=SpecimenOut, errors=[SpecimenNotFound])
def create(body: SpecimenIn) -> SpecimenRow:
    """Store a specimen."""
    return keep(body.model_dump(exclude={"others"}))


@specimen.get("/<id:key>", public=True, answer=SpecimenOut, errors=[SpecimenNotFound])
def show(key: str) -> SpecimenRow:
    """Read a specimen."""
    return find(key)


@specimen.put("/<id:key>", public=True, answer=SpecimenOut, errors=[SpecimenNotFound])
def replace(key: str, body: SpecimenIn) -> SpecimenRow:
    """Replace a specimen."""
    find(key)
    change(_DELETE, key=key)
    change(_INSERT, id=key, **body.model_dump(exclude={"others"}))
    return find(key)


@specimen.delete("/<id:key>", public=True, errors=[SpecimenNotFound])
def delete(key: str) -> None:
    """Delete a specimen."""
    if change(_DELETE, key=key) == 0:
        raise SpecimenNotFound


@specimen.get("/number/<int:number>", public=True)
def number(number: int) -> EchoOut:
    """Find by an integer column."""
    found = execute(sa.select(TABLE.c.id).where(TABLE.c.small == number)).all()
    return EchoOut(place="path", value={"number": number, "found": len(found)})


@specimen.get("/word/<word>", public=True)
def word(word: str) -> EchoOut:
    """Find by a text column."""
    found = execute(sa.select(TABLE.c.id).where(TABLE.c.name == word)).all()
    return EchoOut(place="path", value={"word": word, "found": len(found)})


@specimen.get("/within/<word>/all", public=True, answer=SpecimenOut)
def within(word: str, query: PageQuery) -> Page[SpecimenRow]:
    """List specimens of one name."""
    return _LIST.page(_ROWS, limit=query.limit, after=query.after, sort="id", also=[TABLE.c.name == word])


@specimen.get("/echo", public=True)
def echo(query: Fields, headers: Headers) -> EchoOut:
    """Say what the query and the headers were read as."""
    return EchoOut(place="query", value=query.model_dump(mode="json") | headers.model_dump())


@specimen.post("/form", public=True)
def form(form: Fields) -> EchoOut:
    """Say what the form was read as."""
    return EchoOut(place="form", value=form.model_dump(mode="json"))


@specimen.post("/file", public=True, transaction=False)
def upload(files: Files, form: Fields) -> FileOut:
    """Measure files."""
    with unit_of_work(write=False):
        execute(sa.select(sa.func.count()).select_from(TABLE)).one()
    given = [files.photo, *files.more]
    return FileOut(
        names=[file.filename or "" for file in given], sizes=[len(file.read()) for file in given], text=form.text
    )


@specimen.post("/files", public=True)
def files(files: Files) -> FileOut:
    """Measure files that come alone."""
    return FileOut(names=[], sizes=[len(file.read()) for file in [files.photo, *files.more]], text=None)


@specimen.get("/colours", public=True)
def colours() -> list[EchoOut]:
    """List what there is to choose from."""
    return [EchoOut(place="list", value={"colour": colour}) for colour in Colour]


@specimen.get("/image", public=True, media_type="image/png")
def image() -> Response:
    """Give bytes that are no JSON."""
    return Response(b"\x89PNG", content_type="image/png")


@specimen.get("/boom", public=True)
def boom() -> EchoOut:
    """Fail in a way nobody foresaw."""
    raise RuntimeError("the password is swordfish")


@specimen.get("/undeclared", public=True)
def undeclared() -> EchoOut:
    """Raise what is not declared."""
    raise Undeclared


@specimen.get("/liar", public=True, answer=SpecimenOut)
def liar() -> SpecimenRow:
    """Answer with what the schema does not allow."""
    wrong: Any = "no number"
    return SpecimenRow(new_id(), "a", "", wrong, 0, 0.0, False, datetime(2030, 1, 1, tzinfo=UTC), "red", {}, None)


@specimen.post("/private", permission="specimen:write")
def private() -> None:
    """Do what few may."""


@specimen.post("/note", public=True)
def note() -> None:
    """Answer with nothing."""


HOLDERS: dict[str, tuple[str, ...]] = {"writer": ("specimen:write",), "reader": ()}
IDS = {name: new_id() for name in HOLDERS}


def identify(credentials: Credentials) -> Identity | None:
    """Know two callers by the value they show."""
    permissions = HOLDERS.get(credentials.value)
    if permissions is None:
        return None
    return Identity(IDS[credentials.value], credentials.value, (), frozenset(permissions))


def page(status: int, request_id: str) -> Response:
    """Draw a failure outside the surfaces."""
    return Response(f"<p>{status} {request_id}</p>", status=status, content_type="text/html")


def build(url: str, *, testing: bool = True, surfaces: Sequence[Surface] | None = None, **config: Any) -> Flask:
    """Return an application that serves the specimen in two dialects."""
    app = WebApplication("specimen", static_folder=None)
    app.config.update(TESTING=testing, MAX_CONTENT_LENGTH=MAX_BYTES, **config)
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url, 3))
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        beside, stamp = reader_beside(db.engine), stamp_of(db.engine)
    redprint.init_app(
        app,
        transaction=transaction,
        identify=identify,
        retry_on=SerializationFailure,
        answers=idempotency,
        beside=beside,
        stamp=stamp,
    )
    for surface in surfaces if surfaces is not None else both_surfaces():
        app.register_blueprint(surface)
        openapi.serve(app, surface, version="1")
    failure.init_app(app, page=page)
    lines: list[bytes] = app.extensions.setdefault("access_lines", [])
    edge = Edge(partial(Flask.wsgi_app, app), write_line=lines.append, error_message_prefix="/bare", propagate=testing)
    vars(app)["wsgi_app"] = edge
    return app


def both_surfaces() -> list[Surface]:
    """Return the specimen in the envelope and bare."""
    wrapped = Surface("wrapped", __name__, url_prefix="/api/v1", dialect=Envelope(), title="Specimen")
    bare = Surface("bare", __name__, url_prefix="/bare", dialect=Bare(), title="Bare specimen")
    for surface in (wrapped, bare):
        surface.register_blueprint(specimen)
    return [wrapped, bare]


@contextmanager
def serving(url: str, **options: Any) -> Iterator[Flask]:
    """Build the application with its table, and let its connections go at the end."""
    app = build(url, **options)
    with app.app_context():
        METADATA.create_all(db.engine)
        IdempotencyKey.metadata.create_all(db.engine, tables=[IdempotencyKey.metadata.tables["idempotency_key"]])
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()
