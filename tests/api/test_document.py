"""The API document as it is served: complete, rich, and true to its own schemas."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from application.api import VERSIONS
from application.libs.redprint import Surface, machinery
from tests.applications import built

pytestmark = pytest.mark.one_database

Json = dict[str, Any]

NO_EXAMPLE = {"after"}
"""What only an answer can give."""


@pytest.fixture(scope="session", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def document(migrated_app: Flask, version: str) -> Json:
    answer = migrated_app.test_client().get(f"/api/{version}/openapi.json")
    assert answer.headers["Cache-Control"] == "no-store"
    found: Json = answer.get_json()
    return found


@pytest.fixture(scope="session")
def operations(document: Json) -> list[Json]:
    return [entry for methods in document["paths"].values() for entry in methods.values()]


def check(document: Json, schema: Json, value: object) -> None:
    """Validate a value against a schema of the document."""
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


def listed(routes: set[tuple[str, str]]) -> str:
    """Return routes as one text, which pytest does not cut off."""
    return "; ".join(sorted(f"{method.upper()} {path}" for path, method in routes))


def contents(document: Json) -> Iterator[Json]:
    """Yield everything of the document that may carry examples of a schema."""
    for methods in document["paths"].values():
        for entry in methods.values():
            yield from entry.get("parameters", ())
            yield from entry.get("requestBody", {}).get("content", {}).values()
            for response in entry["responses"].values():
                yield from response.get("content", {}).values()
    components = document["components"]
    yield from (*components["headers"].values(), *components["parameters"].values())
    for response in components["responses"].values():
        yield from response.get("content", {}).values()


class TestDocument:
    def test_is_valid(self, document: Json) -> None:
        validate(document)
        assert document["openapi"].startswith("3.1")

    def test_covers_every_rule_of_its_surfaces(self, migrated_app: Flask, document: Json, version: str) -> None:
        surfaces: list[Surface] = machinery(migrated_app).surfaces
        prefixes = tuple(f"{surface.url_prefix}/" for surface in surfaces if surface.name in (version, "scheduler"))
        served = {
            (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
            for rule in migrated_app.url_map.iter_rules()
            if f"{rule.rule}/".startswith(prefixes)
            for method in rule.methods or ()
            if method not in ("HEAD", "OPTIONS")
        }
        written = {(path, method) for path, methods in document["paths"].items() for method in methods}
        missing = served - written - {(f"/api/{version}/openapi.json", "get")}
        assert missing == set(), f"not in the document: {listed(missing)}"
        assert written <= served, f"not served: {listed(written - served)}"

    def test_has_unique_names_for_operations(self, operations: list[Json]) -> None:
        names = [entry["operationId"] for entry in operations]
        assert len(names) == len(set(names))
        odd = [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)]
        assert odd == [], f"no names in snake_case: {'; '.join(odd)}"

    def test_describes_everything(self, document: Json, operations: list[Json]) -> None:
        bare = [tag["name"] for tag in document["tags"] if not tag.get("description")]
        assert bare == [], f"give their endpoints.py a docstring: {'; '.join(bare)}"
        used = {tag for entry in operations for tag in entry["tags"]}
        assert {tag["name"] for tag in document["tags"]} == used
        silent = [
            f"{entry['operationId']}: {parameter['name']}"
            for entry in operations
            for parameter in entry.get("parameters", ())
            if "$ref" not in parameter and not parameter.get("description")
        ]
        assert silent == [], f"give these `Field(description=…)`: {'; '.join(silent)}"
        for entry in operations:
            for response in entry["responses"].values():
                assert response.get("description") or "$ref" in response, entry["operationId"]
        assert all(response["description"] for response in document["components"]["responses"].values())


class TestChinese:
    """The same document for readers of Chinese."""

    def test_differs_in_texts_only(self, migrated_app: Flask, document: Json, version: str) -> None:
        headers = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
        answer = migrated_app.test_client().get(f"/api/{version}/openapi.json", headers=headers)
        assert answer.headers["Content-Language"] == "zh"
        assert "Accept-Language" in answer.vary
        validate(answer.get_json())
        texts: list[tuple[str, str]] = []
        assert without_texts(answer.get_json(), texts) == without_texts(document, [])
        assert len(texts) > 200
        english = [text for _key, text in texts if not re.search(r"[\u4e00-\u9fff]", text)]
        assert english == [], f"run `manager.py translations` and translate: {'; '.join(english)}"


def without_texts(node: Any, found: list[tuple[str, str]]) -> Any:
    """Return a document without what is translated, which is collected."""
    if isinstance(node, list):
        return [without_texts(member, found) for member in node]
    if not isinstance(node, dict):
        return node
    texts = {key for key in ("summary", "description") if isinstance(node.get(key), str)}
    found += [(key, node[key]) for key in sorted(texts)]
    members = {key: value for key, value in node.items() if key not in texts}
    return {key: value if key == "example" else without_texts(value, found) for key, value in members.items()}


class TestSettings:
    """The document follows the settings."""

    @pytest.fixture
    def written(self, tmp_path: Path) -> Callable[..., Json]:
        """Return a function that writes the document of version 1 under some settings."""

        def write(**settings: object) -> Json:
            url = f"sqlite:///{tmp_path / 'none.db'}"
            with built(url, tmp_path, **settings) as app:
                made: Json = app.test_client().get("/api/v1/openapi.json").get_json()
            validate(made)
            return made

        return write

    def test_leaves_out_a_scheduler_that_is_off(self, written: Callable[..., Json]) -> None:
        made = written(scheduler_enabled=False)
        assert {path.split("/")[1] for path in made["paths"]} == {"api"}
        assert made["components"]["securitySchemes"].keys() == {"bearer"}
        assert "ErrorMessage" not in made["components"]["schemas"]

    def test_finds_the_scheduler_at_its_prefix(self, written: Callable[..., Json]) -> None:
        paths = written(scheduler_api_prefix="/cron")["paths"]
        assert "/cron/jobs/{job_id}" in paths
        assert not [path for path in paths if path.startswith("/scheduler")]

    def test_says_that_a_version_is_deprecated(self, written: Callable[..., Json]) -> None:
        made = written(v1_deprecated_at="2030-01-01T00:00:00Z")
        entry = made["paths"]["/api/v1/tag"]["post"]
        assert entry["deprecated"] is True
        assert "Deprecation" in entry["responses"]["201"]["headers"]
        assert "deprecated" not in made["paths"]["/scheduler"]["get"]


class TestExamples:
    def test_fit_their_schemas(self, document: Json) -> None:
        checked = 0
        for content in contents(document):
            for example in content.get("examples", {}).values():
                check(document, content["schema"], example["value"])
                checked += 1
            for key in ("example", "default"):
                if key in content:
                    check(document, content["schema"], content[key])
                    checked += 1
            for example in content.get("schema", {}).get("examples", ()):
                check(document, content["schema"], example)
                checked += 1
        assert checked > 100

    def test_of_fields_fit_them(self, document: Json) -> None:
        for schema in document["components"]["schemas"].values():
            for field in schema.get("properties", {}).values():
                for example in field.get("examples", ()):
                    check(document, field, example)

    def test_are_everywhere(self, operations: list[Json]) -> None:
        missing = []
        for entry in operations:
            success = next(response for status, response in entry["responses"].items() if status[0] == "2")
            for what, described in (("is sent", entry.get("requestBody", {})), ("is answered", success)):
                for media_type, content in described.get("content", {}).items():
                    if "json" in media_type or what == "is sent":
                        missing += [f"{entry['operationId']}: what {what}"] * (content.get("example") in (None, {}, []))
        assert missing == [], f"give fields of the schemas `Field(examples=[…])`: {'; '.join(missing)}"

    def test_are_chosen_for_every_text_and_number(self, document: Json, operations: list[Json]) -> None:
        plain = [
            (name, field, member)
            for name, schema in document["components"]["schemas"].items()
            for field, member in schema.get("properties", {}).items()
            if field in schema.get("required", ()) and name not in ("Problem", "ErrorMessage", "FieldError")
        ]
        parameters = [
            (entry["operationId"], item["name"], item["schema"] | ({"examples": 1} if "example" in item else {}))
            for entry in operations
            for item in entry.get("parameters", ())
            if "$ref" not in item and item["name"] not in NO_EXAMPLE
        ]
        missing = [
            f"{owner}: {field}"
            for owner, field, member in (*plain, *parameters)
            if not member.keys() & {"examples", "$ref", "enum", "const", "format", "items"} and not _needs_none(member)
        ]
        assert missing == [], f"give these `Field(examples=[…])`: {'; '.join(missing)}"


def _needs_none(member: Json) -> bool:
    """Tell whether any value shows it as well as another: a boolean, or something that describes itself."""
    kinds = [part for part in member.get("anyOf", ()) if part.get("type") != "null"] or [member]
    return all(part.get("type") == "boolean" or part.keys() & {"format", "$ref"} for part in kinds)
