"""Refusals as components of the API document: each written once, under a name that fits all its users."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import Field

from application.libs import openapi
from application.libs.error import Conflict, NotFound
from application.libs.ok import Bare, Envelope
from application.libs.redprint import Redprint, Surface
from application.libs.schema import Name, Schema
from tests.contract import specimen

Json = dict[str, Any]


class NoteNotFound(NotFound):
    """There is no such note."""


Taken = type("Taken", (Conflict,), {"__doc__": "Somebody has the note."})
OtherTaken = type("Taken", (Conflict,), {"__doc__": "Somebody has the page."})


class NoteIn(Schema):
    """Write a note."""

    text: Name = Field(examples=["milk"])


def note() -> Redprint:
    """Return a redprint whose operations share some refusals."""
    made = Redprint("note", __name__)

    @made.post("", public=True, status=201, errors=[Taken], rate_limit="60/minute")
    def create(body: NoteIn) -> NoteIn:
        """Write a note."""
        return body

    @made.put("/<id:note_id>", public=True, errors=[NoteNotFound])
    def replace(note_id: str, body: NoteIn) -> NoteIn:
        """Replace a note."""
        return body

    @made.delete("/<id:note_id>", public=True, errors=[NoteNotFound])
    def delete(note_id: str) -> None:
        """Delete a note."""

    return made


def page() -> Redprint:
    """Return a redprint whose error has the name of another's."""
    made = Redprint("page", __name__)

    @made.post("", public=True, status=201, errors=[OtherTaken])
    def create(body: NoteIn) -> NoteIn:
        """Write a page."""
        return body

    @made.get("/<id:page_id>", public=True)
    def show(page_id: str) -> NoteIn:
        """Read a page."""
        return NoteIn(text="a")

    return made


def written(folder: Path, redprints: Sequence[Redprint]) -> Json:
    """Return the document of two surfaces, each in its dialect."""
    surfaces = [
        Surface("v1", __name__, url_prefix="/v1", dialect=Envelope(), title="A"),
        Surface("machine", __name__, url_prefix="/machine", dialect=Bare(), title="B"),
    ]
    for surface in surfaces:
        for redprint in redprints:
            surface.register_blueprint(redprint)
    with specimen.serving(f"sqlite:///{folder / 'a.db'}", surfaces=surfaces) as app:
        made = openapi.document(app, "v1", "machine", version="1")
    validate(made)
    return made


def responses(document: Json, method: str, path: str) -> dict[str, str]:
    """Return what an operation refers to, by status."""
    entries = document["paths"][path][method]["responses"].items()
    return {status: entry["$ref"].rsplit("/", 1)[-1] for status, entry in entries if "$ref" in entry}


class TestRefusals:
    @pytest.fixture
    def document(self, tmp_path: Path) -> Json:
        return written(tmp_path, [note(), page()])

    def test_of_a_rule_are_called_as_it_calls_them(self, document: Json) -> None:
        for method in ("put", "delete"):
            assert responses(document, method, "/v1/note/{note_id}")["404"] == "NoteNotFound"
        assert responses(document, "get", "/v1/page/{page_id}")["404"] == "NotFound"

    def test_say_in_their_names_what_alone_tells_them_apart(self, document: Json) -> None:
        assert responses(document, "post", "/v1/note")["400"] == "MalformedJsonOrMalformedKeyWithRateLimit"
        assert responses(document, "post", "/v1/page")["400"] == "MalformedJsonOrMalformedKey"
        assert responses(document, "post", "/machine/page")["400"] == "MachineMalformedJsonOrMalformedKey"

    def test_of_one_name_are_told_apart_by_whose_they_are(self, tmp_path: Path) -> None:
        other = Redprint("note", __name__)

        @other.post("", public=True, errors=[Taken])
        def create(body: NoteIn) -> NoteIn:
            """Write a note."""
            return body

        document = written(tmp_path, [other, page()])
        assert responses(document, "post", "/v1/note")["409"] == "TakenOrKeyInUseOrKeyUnverifiableOfNote"
        assert responses(document, "post", "/v1/page")["409"] == "TakenOrKeyInUseOrKeyUnverifiableOfPage"

    def test_are_the_same_in_any_order(self, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        one, other = written(tmp_path, [note(), page()]), written(tmp_path / "other", [page(), note()])
        assert one["components"]["responses"] == other["components"]["responses"]

    def test_show_the_request_where_there_is_one_only(self, document: Json) -> None:
        def request(name: str) -> str:
            content = document["components"]["responses"][name]["content"]["application/problem+json"]
            shown: str = next(iter(content["examples"].values()))["value"]["request"]
            return shown

        assert request("NoteNotFound") == "METHOD /path/of/the/request"
        assert request("NotFound").startswith("GET /v1/page/0198")
