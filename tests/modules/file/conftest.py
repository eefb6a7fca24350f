"""Send files as callers do, over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.config.setting import Settings
from tests.libs.image_kit import image
from tests.multipart import multipart

URL = "/api/v1/file"
PNG = image()


def send(
    client: FlaskClient, content: bytes = PNG, name: str = "photo.png", media_type: str = "image/png", **options: Any
) -> TestResponse:
    """Send a file."""
    return client.post(URL, **multipart(file=(content, name, media_type)), **options)


def sent(client: FlaskClient, content: bytes = PNG, name: str = "photo.png", media_type: str = "image/png") -> Any:
    """Send a file, and return what it has become."""
    answer = send(client, content, name, media_type)
    assert answer.status_code == 201, answer.text
    return answer.get_json()["data"]


def code_of(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.get_json()["code"]


def kept(app: Flask) -> list[Path]:
    """Return every object there is on the disk."""
    return [path for path in settings_of(app).file_directory.rglob("*") if path.is_file()]


def settings_of(app: Flask) -> Settings:
    settings: Settings = app.extensions["settings"]
    return settings


@pytest.fixture(autouse=True)
def _empty(app: Flask) -> None:
    """Begin without objects: a test before this one may have left some."""
    for path in kept(app):
        path.unlink()


Limit = Callable[..., None]


@pytest.fixture
def limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Return a function that changes settings for the length of a test."""

    def change(**changes: object) -> None:
        changed = settings_of(app).model_copy(update=changes)
        monkeypatch.setitem(app.extensions, "settings", changed)

    return change
