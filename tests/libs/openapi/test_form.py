"""What the API document says of forms and files."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from openapi_spec_validator import validate
from pydantic import Field, StringConstraints

from application.libs import openapi
from application.libs.ok import Envelope
from application.libs.redprint import Redprint, Surface
from application.libs.schema import Name, Schema, Upload
from tests.contract import specimen

Json = dict[str, Any]
Caption = Annotated[str, StringConstraints(max_length=10)]


class NoteForm(Schema):
    """Describe a picture."""

    caption: Caption | None = Field(None, examples=["the lake"])


class NoteFiles(Schema):
    """Bring pictures."""

    picture: Upload
    more: list[Upload] = Field(default_factory=list, max_length=2)


class Label(Schema):
    """Name something, in JSON or by a form."""

    name: Name = Field(examples=["milk"])
    caption: Caption | None = None


@pytest.fixture
def document(tmp_path: Path) -> Json:
    """Write the document of operations that take forms."""
    note = Redprint("note", __name__)

    @note.post("/picture", public=True)
    def draw(form: NoteForm, files: NoteFiles) -> None:
        """Draw with a caption."""

    @note.post("/file", public=True)
    def attach(files: NoteFiles) -> None:
        """Attach pictures."""

    @note.post("/form", public=True)
    def fill(form: Label) -> None:
        """Fill in a form."""

    @note.post("/json", public=True)
    def name(body: Label) -> None:
        """Send the same as JSON."""

    surface = Surface("v1", __name__, url_prefix="/v1", dialect=Envelope(), title="A")
    surface.register_blueprint(note)
    with specimen.serving(f"sqlite:///{tmp_path / 'a.db'}", surfaces=[surface]) as app:
        made = openapi.document(app, "v1", version="1")
    validate(made)
    return made


def content(document: Json, path: str, media_type: str = "multipart/form-data") -> Json:
    found: Json = document["paths"][path]["post"]["requestBody"]["content"][media_type]
    return found


class TestForms:
    def test_are_components_under_the_names_of_their_schemas(self, document: Json) -> None:
        for path, name in (("picture", "NoteFormAndNoteFiles"), ("file", "NoteFiles"), ("form", "LabelForm")):
            assert content(document, f"/v1/note/{path}")["schema"] == {"$ref": f"#/components/schemas/{name}"}
        assert "NoteForm" not in document["components"]["schemas"]  # nobody refers to it alone

    def test_show_an_example(self, document: Json) -> None:
        assert content(document, "/v1/note/picture")["example"] == {"caption": "the lake", "picture": ""}
        for media_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
            assert content(document, "/v1/note/form", media_type)["example"] == {"name": "milk"}

    def test_say_how_files_are_sent(self, document: Json) -> None:
        octets = {"contentType": "application/octet-stream"}
        assert content(document, "/v1/note/picture")["encoding"] == {"picture": octets, "more": octets}
        assert "encoding" not in content(document, "/v1/note/form")
        picture = document["components"]["schemas"]["NoteFiles"]["properties"]["picture"]
        assert picture == {
            "type": "string",
            "format": "binary",
            "contentMediaType": "application/octet-stream",
        }

    def test_hold_no_null_as_bodies_may(self, document: Json) -> None:
        schemas = document["components"]["schemas"]
        assert "anyOf" not in schemas["LabelForm"]["properties"]["caption"]
        assert {"type": "null"} in schemas["Label"]["properties"]["caption"]["anyOf"]

    def test_of_files_cannot_be_sent_as_text(self, document: Json) -> None:
        assert document["paths"]["/v1/note/file"]["post"]["requestBody"]["content"].keys() == {"multipart/form-data"}
