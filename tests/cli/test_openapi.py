"""The command that prints the API document."""

import json

from flask import Flask
from openapi_spec_validator import validate

from application.cli.openapi import openapi


class TestOpenapi:
    def test_prints_a_valid_document(self, app: Flask) -> None:
        result = app.test_cli_runner().invoke(openapi)
        assert result.exit_code == 0
        document = json.loads(result.output)
        validate(document)
        assert document["openapi"].startswith("3.1")
        assert "/api/v1/blog/{blog_id}" in document["paths"]
