"""The application with addresses that call functions in the background, for tests that need a real server."""

import os
import time
from pathlib import Path

from flask import Flask, current_app

from application.database import transaction
from application.factory import create_app as create
from application.libs.background import background
from application.modules.tag import business as tag_business


@background
def tag(name: str, seconds: float) -> None:
    """Write a tag after a while."""
    time.sleep(seconds)
    with transaction():
        tag_business.create(name=name)


@background
def wait(file: str) -> None:
    """Wait for a file to appear, then fail."""
    path = Path(file)
    path.with_suffix(".here").touch()
    while not path.exists():
        time.sleep(0.02)
    raise RuntimeError(f"{current_app.name} found it")


def create_app() -> Flask:
    """Build the application; GATE names the file that its functions wait for."""
    app = create()
    gate = os.environ["GATE"]

    def write(number: int, milliseconds: int) -> list[bool]:
        return [tag(f"tag-{index}", milliseconds / 1000) for index in range(number)]

    def hang() -> list[bool]:
        return [wait(gate)]

    app.add_url_rule("/background/write/<int:number>/<int:milliseconds>", view_func=write)
    app.add_url_rule("/background/hang", view_func=hang)
    return app
