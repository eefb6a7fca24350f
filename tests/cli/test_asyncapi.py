"""The command that prints the document of the sockets."""

import json

import pytest
from flask import Flask

from application.cli.asyncapi import asyncapi

pytestmark = pytest.mark.one_database


class TestAsyncapi:
    @pytest.mark.parametrize(("arguments", "text"), [([], "Physical memory."), (["--language", "zh"], "物理内存。")])
    def test_prints_the_document(self, app: Flask, arguments: list[str], text: str) -> None:
        result = app.test_cli_runner().invoke(asyncapi, arguments)
        assert result.exit_code == 0
        document = json.loads(result.output)
        assert document["asyncapi"] == "3.0.0"
        assert document["components"]["schemas"]["MemoryOut"]["properties"]["total"]["description"] == text
