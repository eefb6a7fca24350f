"""The command that prints the API document, or what has changed in it."""

import json
import re
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from openapi_spec_validator import validate

from application.cli.openapi import openapi

pytestmark = pytest.mark.one_database


@pytest.fixture
def printed(app: Flask, tmp_path: Path) -> Path:
    """Return a file with the document as it is."""
    file = tmp_path / "old.json"
    file.write_text(app.test_cli_runner().invoke(openapi).output, encoding="utf-8")
    return file


def diff(app: Flask, file: Path) -> Result:
    return app.test_cli_runner().invoke(openapi, ["--diff", str(file)])


class TestOpenapi:
    @pytest.mark.parametrize(("arguments", "version"), [([], "v1"), (["--api", "v2"], "v2")])
    def test_prints_a_valid_document(self, app: Flask, arguments: list[str], version: str) -> None:
        result = app.test_cli_runner().invoke(openapi, arguments)
        assert result.exit_code == 0
        document = json.loads(result.output)
        validate(document)
        assert document["openapi"].startswith("3.1")
        assert f"/api/{version}/blog/{{blog_id}}" in document["paths"]


class TestDiff:
    def test_compares_the_version_that_is_named(self, app: Flask, printed: Path) -> None:
        result = app.test_cli_runner().invoke(openapi, ["--api", "v2", "--diff", str(printed)])
        assert result.exit_code == 1
        assert "breaking  GET /api/v1/blog  removed" in result.output

    def test_says_that_nothing_has_changed(self, app: Flask, printed: Path) -> None:
        result = diff(app, printed)
        assert (result.exit_code, result.output) == (0, "Nothing has changed.\n")

    def test_exits_with_1_when_something_breaks(self, app: Flask, printed: Path) -> None:
        old = json.loads(printed.read_text(encoding="utf-8"))
        old["paths"]["/api/v1/wiki"] = {"get": {"responses": {}}}
        old["components"]["schemas"]["TagIn"]["properties"]["name"]["maxLength"] = 60
        del old["paths"]["/api/v1/tag"]["get"]
        printed.write_text(json.dumps(old), encoding="utf-8")
        result = diff(app, printed)
        assert result.exit_code == 1
        assert sorted(result.output.splitlines()) == [
            "4 changes, 3 of them breaking.",
            "breaking  GET /api/v1/wiki  removed",
            "breaking  POST /api/v1/tag  request body: name: maxLength 60 → 50",
            "breaking  PUT /api/v1/tag/{tag_id}  request body: name: maxLength 60 → 50",
            "ok        GET /api/v1/tag  added",
        ]

    def test_exits_with_0_when_nothing_breaks(self, app: Flask, printed: Path) -> None:
        old = json.loads(printed.read_text(encoding="utf-8"))
        del old["paths"]["/api/v1/tag"]
        printed.write_text(json.dumps(old), encoding="utf-8")
        result = diff(app, printed)
        assert result.exit_code == 0
        assert result.output.splitlines()[-1] == "2 changes, 0 of them breaking."

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (None, "No such file"),
            (b"", "Expecting value"),
            (b"\xff", "can't decode"),
            (b"[" * 100_000, "recursion"),
            (b"[]", "it has no `paths`"),
            (b'{"openapi": "2.0", "paths": {}}', "it does not say `openapi: 3"),
            (b'{"openapi": "3.1.0", "paths": {"/api/v1/tag": {"$ref": "#/a"}}}', "#/a is not in the document"),
            (b'{"openapi": "3.1.0", "paths": {"/api/v1/tag": {"get": 1}}}', "it is damaged"),
        ],
    )
    def test_exits_with_2_for_a_file_it_cannot_read(
        self, app: Flask, tmp_path: Path, content: bytes | None, reason: str
    ) -> None:
        file = tmp_path / "old.json"
        if content is not None:
            file.write_bytes(content)
        result = diff(app, file)
        assert result.exit_code == 2
        assert f"{file} cannot be compared" in result.output
        assert reason in result.output
        assert "git show" in result.output


class TestPostman:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_prints_a_collection_with_every_operation(self, app: Flask, version: str) -> None:
        run = app.test_cli_runner().invoke
        printed = json.loads(run(openapi, ["--api", version, "--postman"]).output)
        document = json.loads(run(openapi, ["--api", version]).output)
        requests = [
            (item["request"]["method"].lower(), item["request"]["url"]["raw"].removeprefix("{{baseUrl}}"))
            for folder in printed["item"]
            for item in folder["item"]
        ]
        operations = [
            (method, re.sub(r"\{(\w+)\}", r":\1", path)) for path, item in document["paths"].items() for method in item
        ]
        assert sorted(requests) == sorted(operations)
