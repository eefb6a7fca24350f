"""Write the document of the sockets."""

import json

import click

from application.api import sockets_document
from application.config.language import TRANSLATORS


@click.command("asyncapi")
@click.option("--language", type=click.Choice(list(TRANSLATORS)), default="en", help="Of the descriptions; en.")
def asyncapi(language: str) -> None:
    """Print the document of the sockets (AsyncAPI 3) as JSON."""
    click.echo(json.dumps(sockets_document(TRANSLATORS[language]), ensure_ascii=False, indent=2))
