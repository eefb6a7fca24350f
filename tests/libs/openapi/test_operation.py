"""The entry of an operation in the API document."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from flask import Response
from openapi_spec_validator import validate
from pydantic import Field

from application.libs import openapi
from application.libs.error import Conflict, Forbidden
from application.libs.filter import AtOrAfter
from application.libs.ok import Bare, Envelope
from application.libs.redprint import Redprint, Surface
from application.libs.schema import Name, Schema
from tests.contract import specimen

Json = dict[str, Any]
Word = Annotated[str, Field(description="A word.", examples=["hello"])]


class Taken(Conflict):
    """Somebody has it."""


class Away(Forbidden):
    """Come from here."""


class WordIn(Schema):
    """Give a word."""

    name: Name = Field(examples=["bee"])


class WordQuery(Schema):
    """Choose words."""

    limit: int = Field(20, ge=1, le=100)
    made_at__gte: AtOrAfter = None


@pytest.fixture
def written(tmp_path: Path) -> Json:
    """Write the document of one operation, on two surfaces."""
    word = Redprint("word", __name__, tag="book")

    @word.put("/<word>", errors=[Taken])
    def replace(word: Word, body: WordIn) -> WordIn:
        """Replace a word.

        In all books.
        """
        return body

    @word.delete("/<word>", permission="word:delete")
    def delete(word: Word) -> None:
        """Delete a word."""

    @word.get("", public=True)
    def index(query: WordQuery) -> list[WordIn]:
        """List words."""
        return []

    surfaces = [
        Surface("a", __name__, url_prefix="/a", dialect=Envelope(), title="A"),
        Surface("b", __name__, url_prefix="/b", dialect=Bare(), title="B"),
    ]
    surfaces[1].refusals = (Away,)
    for surface in surfaces:
        surface.register_blueprint(word)
    with specimen.serving(f"sqlite:///{tmp_path / 'a.db'}", surfaces=surfaces) as app:
        made = openapi.document(app, "a", "b", version="1")
    validate(made)
    return made


def entry(written: Json, prefix: str = "/a") -> Json:
    found: Json = written["paths"][f"{prefix}/word/{{word}}"]["put"]
    return found


def answer(written: Json, status: str, prefix: str = "/a") -> Json:
    name = entry(written, prefix)["responses"][status]["$ref"].rsplit("/", 1)[-1]
    found: Json = written["components"]["responses"][name]
    return found


class TestOperation:
    def test_describes_the_path(self, written: Json) -> None:
        (parameter,) = entry(written)["parameters"]
        assert (parameter["description"], parameter["example"]) == ("A word.", "hello")

    def test_shows_what_comes_and_goes(self, written: Json) -> None:
        assert entry(written)["requestBody"]["content"]["application/json"]["example"] == {"name": "bee"}
        given = entry(written)["responses"]["200"]["content"]["application/json"]["example"]
        assert given == {"code": 0, "status": "succeed", "data": {"name": "bee"}}

    def test_shows_every_error(self, written: Json) -> None:
        conflict = answer(written, "409")
        assert conflict["description"] == "- `taken`: Somebody has it."
        content = conflict["content"]["application/problem+json"]
        assert content["examples"]["taken"]["value"]["title"] == "Somebody has it."
        assert content["schema"]["properties"] == {"code": {"enum": ["taken"]}}
        invalid = answer(written, "422")["content"]["application/problem+json"]["examples"]["invalid"]["value"]
        assert invalid["errors"] == [{"loc": ["body", "name"], "msg": "Field required", "type": "missing"}]

    def test_shows_no_request_where_several_operations_share_an_error(self, written: Json) -> None:
        def shown(status: str) -> list[str]:
            values = answer(written, status)["content"]["application/problem+json"]["examples"].values()
            return [example["value"]["request"] for example in values]

        assert shown("409") == ["PUT /a/word/hello"]
        assert shown("401") == ["METHOD /path/of/the/request"]

    def test_says_who_may_call(self, written: Json) -> None:
        assert entry(written)["description"] == "In all books.\n\nFor every signed-in caller."
        assert written["paths"]["/a/word"]["get"]["description"] == "Open to everybody."
        assert written["paths"]["/a/word/{word}"]["delete"]["description"] == "Needs the permission `word:delete`."

    def test_shows_what_can_be_wrong_where_nothing_is_required(self, written: Json) -> None:
        name = written["paths"]["/a/word"]["get"]["responses"]["422"]["$ref"].rsplit("/", 1)[-1]
        examples = written["components"]["responses"][name]["content"]["application/problem+json"]["examples"]
        (fault,) = examples["invalid"]["value"]["errors"]
        assert (fault["loc"], fault["type"]) == (["query", "limit"], "greater_than_equal")

    def test_says_of_which_column_a_filter_is(self, written: Json) -> None:
        parameters = {item["name"]: item for item in written["paths"]["/a/word"]["get"]["parameters"] if "name" in item}
        assert parameters["made_at__gte"]["description"] == "Only what has this `made_at` or a later one."
        assert parameters["made_at__gte"]["schema"]["examples"]

    def test_stands_under_the_tag_of_its_redprint(self, written: Json) -> None:
        assert entry(written)["tags"] == ["book"]
        assert [tag["name"] for tag in written["tags"]] == ["book"]

    def test_names_no_codes_where_a_server_has_its_own(self, written: Json) -> None:
        for status in ("400", "413", "503"):
            schema = answer(written, status)["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}

    def test_knows_that_an_address_may_be_none(self, written: Json) -> None:
        assert "not_found" in answer(written, "404")["content"]["application/problem+json"]["examples"]

    def test_shares_answers_within_a_dialect_only(self, written: Json) -> None:
        names = [entry(written, prefix)["responses"]["409"]["$ref"].rsplit("/", 1)[-1] for prefix in ("/a", "/b")]
        assert names[0] != names[1]
        assert answer(written, "409", "/b")["content"]["application/json"]["examples"]["taken"]["value"]["errors"] == []

    @pytest.mark.parametrize(
        ("media_type", "schema"),
        [
            ("image/png", {"type": "string", "format": "binary", "contentMediaType": "image/png"}),
            ("text/csv", {"type": "string"}),
        ],
    )
    def test_says_what_a_file_is(self, tmp_path: Path, media_type: str, schema: Json) -> None:
        picture = Redprint("picture", __name__)

        @picture.get("", public=True, media_type=media_type)
        def show() -> Response:
            """Send a picture."""
            return Response(b"", content_type=media_type)

        surface = Surface("a", __name__, url_prefix="/a", dialect=Envelope(), title="A")
        surface.register_blueprint(picture)
        with specimen.serving(f"sqlite:///{tmp_path / 'b.db'}", surfaces=[surface]) as app:
            made = openapi.document(app, "a", version="1")
        validate(made)
        assert made["paths"]["/a/picture"]["get"]["responses"]["200"]["content"] == {media_type: {"schema": schema}}

    def test_knows_what_hooks_of_the_surface_refuse(self, written: Json) -> None:
        assert "`away`" not in answer(written, "403")["description"]
        assert "`away`" in answer(written, "403", "/b")["description"]

    def test_refers_to_headers(self, written: Json) -> None:
        assert answer(written, "503")["headers"].keys() == {"X-Request-ID", "Retry-After"}
        assert answer(written, "415")["headers"].keys() == {"X-Request-ID", "Accept", "Accept-Encoding"}
        assert answer(written, "415", "/b")["headers"].keys() == {"X-Request-ID", "Accept-Encoding"}
        assert {"X-Request-ID", "Retry-After", "WWW-Authenticate"} <= written["components"]["headers"].keys()
