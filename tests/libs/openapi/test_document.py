"""The API document: valid, complete, and true about schemas that share a name."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate
from pydantic import Field, computed_field

from application.libs import openapi
from application.libs.declaration import DeclarationError
from application.libs.ok import Bare, Dialect, Envelope
from application.libs.redprint import Redprint, Surface
from application.libs.schema import Int32, Name, Schema
from tests.contract import specimen

Json = dict[str, Any]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'openapi.db'}"


@pytest.fixture
def specimen_app(url: str) -> Iterator[Flask]:
    with specimen.serving(url) as app:
        yield app


def surface(*redprints: Redprint, dialect: Dialect | None = None) -> Surface:
    """Return a surface named `s` that serves the redprints."""
    made = Surface("s", __name__, url_prefix="/s", dialect=dialect or Envelope(), title="S")
    for redprint in redprints:
        made.register_blueprint(redprint)
    return made


def document(url: str, *redprints: Redprint, dialect: Dialect | None = None) -> Json:
    """Return the valid document of a surface that serves the redprints."""
    with specimen.serving(url, surfaces=[surface(*redprints, dialect=dialect)]) as app:
        written = openapi.document(app, "s", version="1")
    validate(written)
    return written


def resolve(written: Json, schema: Json) -> Json:
    """Follow a reference."""
    found: Json = written
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


class TestDocument:
    @pytest.mark.parametrize("prefix", ["/api/v1", "/bare"])
    def test_is_valid(self, specimen_app: Flask, prefix: str) -> None:
        response = specimen_app.test_client().get(f"{prefix}/openapi.json")
        assert response.content_type == "application/json"
        validate(response.get_json())

    def test_has_every_operation(self, specimen_app: Flask) -> None:
        paths = openapi.document(specimen_app, "wrapped", version="1")["paths"]
        written = {(path, method) for path, entry in paths.items() for method in entry}
        served = {
            (
                rule.rule.replace("<id:key>", "{key}").replace("<int:number>", "{number}").replace("<word>", "{word}"),
                method,
            )
            for rule in specimen_app.url_map.iter_rules()
            if rule.rule.startswith("/api/v1/specimen")
            for method in map(str.lower, rule.methods or ())
            if method not in ("head", "options")
        }
        assert written == served

    def test_says_what_an_operation_promises(self, specimen_app: Flask) -> None:
        written = openapi.document(specimen_app, "wrapped", version="1")
        entry = written["paths"]["/api/v1/specimen/{key}"]["put"]
        assert entry["operationId"] == "specimen_replace"
        assert entry["summary"] == "Replace a specimen"
        assert set(entry["responses"]) == {
            "200",
            "400",
            "401",
            "403",
            "404",
            "406",
            "412",
            "413",
            "414",
            "415",
            "422",
            "503",
        }
        assert entry["parameters"] == [
            {
                "name": "key",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "format": "uuid"},
                "example": "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
            },
            {"$ref": "#/components/parameters/If-Match"},
            {"$ref": "#/components/parameters/If-None-Match"},
        ]
        assert entry["security"] == [{}, {"bearer": []}]
        private = written["paths"]["/api/v1/specimen/private"]["post"]
        assert private["security"] == [{"bearer": []}]
        assert private["x-permission"] == "specimen:write"
        assert set(private["responses"]["204"]) == {"description", "headers"}

    def test_writes_parameters_out(self, specimen_app: Flask) -> None:
        entry = openapi.document(specimen_app, "wrapped", version="1")["paths"]["/api/v1/specimen/echo"]["get"]
        parameters = {(item["in"], item["name"]): item for item in entry["parameters"] if "in" in item}
        assert parameters["header", "x-small"]["schema"]["maximum"] == 2**31 - 1
        assert parameters["query", "colour"]["schema"]["enum"] == ["red", "blue"]
        assert parameters["query", "many"]["schema"]["items"]["type"] == "integer"

    def test_merges_a_form_and_its_files(self, specimen_app: Flask) -> None:
        entry = openapi.document(specimen_app, "wrapped", version="1")["paths"]["/api/v1/specimen/file"]["post"]
        ((media_type, content),) = entry["requestBody"]["content"].items()
        assert media_type == "multipart/form-data"
        schema = resolve(openapi.document(specimen_app, "wrapped", version="1"), content["schema"])
        assert schema["properties"]["photo"]["format"] == "binary"
        assert "text" in schema["properties"]
        assert schema["required"] == ["photo"]

    def test_gives_a_form_both_ways(self, specimen_app: Flask) -> None:
        entry = openapi.document(specimen_app, "wrapped", version="1")["paths"]["/api/v1/specimen/form"]["post"]
        assert set(entry["requestBody"]["content"]) == {"application/x-www-form-urlencoded", "multipart/form-data"}

    def test_speaks_the_dialect(self, specimen_app: Flask) -> None:
        written = {name: openapi.document(specimen_app, name, version="1") for name in ("wrapped", "bare")}
        wrapped, bare = (
            written[name]["paths"][f"{prefix}/specimen"]["get"]["responses"]
            for name, prefix in (("wrapped", "/api/v1"), ("bare", "/bare"))
        )
        envelope = wrapped["200"]["content"]["application/json"]["schema"]
        assert envelope["required"] == ["code", "status", "data", "page"]
        assert bare["200"]["content"]["application/json"]["schema"] == envelope["properties"]["data"]
        assert set(resolve(written["wrapped"], wrapped["422"])["content"]) == {"application/problem+json"}
        assert set(resolve(written["bare"], bare["422"])["content"]) == {"application/json"}
        assert resolve(written["bare"], bare["401"])["content"] == {
            "text/html": {"schema": {"type": "string"}, "example": "Access Denied"}
        }
        assert "error_message" in written["bare"]["components"]["schemas"]["ErrorMessage"]["properties"]
        assert set(written["bare"]["components"]["securitySchemes"]) == {"bearer", "basic"}


class TestSeveralSurfaces:
    def test_stand_in_one_document(self, specimen_app: Flask) -> None:
        written = openapi.document(specimen_app, "wrapped", "bare", version="1", description="Read\nme.\n\nNow.")
        validate(written)
        assert written["info"] == {"title": "Specimen", "version": "1", "description": "Read me.\n\nNow."}
        assert {path.split("/")[1] for path in written["paths"]} == {"api", "bare"}
        assert set(written["components"]["securitySchemes"]) == {"bearer", "basic"}
        assert {"Problem", "ErrorMessage", "Page", "FieldError"} <= written["components"]["schemas"].keys()

    def test_keep_their_ways_to_sign_in(self, specimen_app: Flask) -> None:
        paths = openapi.document(specimen_app, "wrapped", "bare", version="1")["paths"]
        assert paths["/api/v1/specimen/private"]["post"]["security"] == [{"bearer": []}]
        assert paths["/bare/specimen/private"]["post"]["security"] == [{"bearer": []}, {"basic": []}]

    def test_tell_their_operations_apart(self, specimen_app: Flask) -> None:
        paths = openapi.document(specimen_app, "wrapped", "bare", version="1")["paths"]
        ids = [entry["operationId"] for methods in paths.values() for entry in methods.values()]
        assert len(ids) == len(set(ids))
        assert paths["/bare/specimen"]["get"]["operationId"] == "bare_specimen_index"

    def test_are_translated_all_through(self, specimen_app: Flask) -> None:
        found: list[str] = []

        def collect(text: str) -> str:
            found.append(text)
            return f"«{text}»"

        written = openapi.document(specimen_app, "wrapped", version="1", description="Hello.", translate=collect)
        assert {"Hello.", "Read a specimen", "One of every type.", "OK", "There is no such specimen."} <= set(found)
        entry = written["paths"]["/api/v1/specimen/{key}"]["get"]
        assert entry["summary"] == "«Read a specimen»"
        assert written["components"]["schemas"]["SpecimenIn"]["description"] == "«One of every type.»"
        assert "«There is no such specimen.»" in resolve(written, entry["responses"]["404"])["description"]
        assert not [text for text in found if not text or text.startswith("«")]


class Level(StrEnum):
    LOW = "low"


class LevelQuery(Schema):
    levels: list[Level] = Field(default_factory=list, max_length=3)


class Both(Schema):
    """Be taken and given."""

    name: Name
    size: Int32 = 5

    @computed_field
    def doubled(self) -> int:
        """Give what is never taken."""
        return self.size * 2


def namesake(**fields: Any) -> type[Schema]:
    """Return another class called Twin, as from another module."""
    module = "_".join(fields)
    return type("Twin", (Schema,), {"__annotations__": fields, "__module__": f"tests.{module}"})


class TestSchemas:
    def test_of_one_name_are_told_apart(self, url: str) -> None:
        made = []
        for name, twin in (("a", namesake(left=Name)), ("b", namesake(right=Int32))):
            redprint = Redprint(name, __name__)

            def create(body: Any) -> None:
                """Create a twin."""

            create.__annotations__["body"] = twin
            redprint.post("", public=True)(create)
            made.append(redprint)
        written = document(url, *made)
        properties = [
            set(
                resolve(
                    written, written["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
                )["properties"]
            )
            for path in ("/s/a", "/s/b")
        ]
        assert properties == [{"left"}, {"right"}]

    def test_taken_and_given_are_told_apart(self, url: str) -> None:
        redprint = Redprint("both", __name__)

        @redprint.post("", public=True)
        def create(body: Both) -> Both:
            """Give back what was taken."""
            return body

        written = document(url, redprint)
        entry = written["paths"]["/s/both"]["post"]
        taken = resolve(written, entry["requestBody"]["content"]["application/json"]["schema"])
        envelope = entry["responses"]["200"]["content"]["application/json"]["schema"]
        given = resolve(written, envelope["properties"]["data"])
        assert taken["required"] == ["name"]
        assert given["required"] == ["name", "doubled"]

    def test_within_parameters_are_written_out(self, url: str) -> None:
        redprint = Redprint("level", __name__)

        @redprint.get("", public=True)
        def index(query: LevelQuery) -> list[Both]:
            """List something.

            At length.
            """
            return []

        entry = document(url, redprint)["paths"]["/s/level"]["get"]
        assert entry["parameters"][0]["schema"]["items"]["enum"] == ["low"]
        assert entry["description"] == "At length.\n\nOpen to everybody."
        assert (
            entry["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]["type"] == "array"
        )

    def test_may_not_take_the_name_of_failures(self, url: str) -> None:
        def create(body: Any) -> None:
            """Create a problem."""

        problem = type("Problem", (Schema,), {"__annotations__": {"x": Int32}, "__module__": __name__})
        redprint = Redprint("problem", __name__)
        create.__annotations__["body"] = problem
        redprint.post("", public=True)(create)
        with pytest.raises(
            DeclarationError, match="a schema is called Problem, as part of every answer is. Choose another name"
        ):
            document(url, redprint)

    def test_of_bare_lists_have_no_envelope(self, url: str) -> None:
        redprint = Redprint("bare", __name__)

        @redprint.get("", public=True)
        def index() -> list[Both]:
            """List something."""
            return []

        schema = document(url, redprint, dialect=Bare())["paths"]["/s/bare"]["get"]["responses"]["200"]
        assert schema["content"]["application/json"]["schema"]["type"] == "array"
