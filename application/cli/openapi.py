"""Write the API document."""

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from application.api import v1
from application.libs.openapi import document


@click.command("openapi")
@with_appcontext
def openapi() -> None:
    """Print the API document (OpenAPI 3.1) as JSON."""
    click.echo(json.dumps(document(current_app, "v1", version=v1.VERSION), ensure_ascii=False, indent=2))
