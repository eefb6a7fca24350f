"""Keep the catalogues of texts for people: in the pages, and in the documents of the API."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from flask import Flask, current_app
from flask.cli import with_appcontext

from application import api
from application.config.language import CATALOGUES
from application.config.setting import ROOT
from application.libs.filter import DESCRIPTIONS
from application.libs.openapi.header import REQUEST_HEADERS, RESPONSE_HEADERS
from application.permissions import Permission

_EPOCH = datetime.fromtimestamp(0, UTC)  # the same texts give the same bytes
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
_OPTIONS = {"**/templates/**.html": {"trimmed": "true"}, "**/templates/**.txt": {"trimmed": "true"}}


@click.command("translations")
@with_appcontext
def translations() -> None:
    """Collect all texts into the catalogues, compile them, and name what is not translated yet."""
    wanted = texts(current_app)
    missing: dict[Path, int] = {}
    for file in sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po")):
        for text in update_catalogue(file, wanted):
            missing[file] = missing.get(file, 0) + 1
            click.echo(f"{file.parts[-3]}: {text}")
    if missing:
        files = " and ".join(map(str, missing))
        message = f"{sum(missing.values())} texts have no translation: write it to {files} and call this again"
        raise click.ClickException(message)


def texts(app: Flask) -> list[str]:
    """Return every text for people, in alphabetical order."""
    found = {str(item[2]) for item in extract_from_dir(ROOT / "application", method_map=_METHODS, options_map=_OPTIONS)}

    # A header of a feature that these settings leave out is in no document now, nor is a filter that no list has yet.
    found.update(DESCRIPTIONS)
    found.update(permission.description for permission in Permission)
    found.update(header["description"] for header in (*REQUEST_HEADERS.values(), *RESPONSE_HEADERS.values()))

    def collect(text: str) -> str:
        found.add(text)
        return text

    for write in api.documents(app):
        write(collect)
    return sorted(found)


def update_catalogue(file: Path, wanted: Iterable[str]) -> list[str]:
    """Write a catalogue with exactly the texts that are wanted, and its compiled form; return the untranslated ones."""
    with file.open("rb") as source:
        known = read_po(source)
    header = file.read_text(encoding="utf-8").split("\n\n", 1)[0]
    catalogue = Catalog(locale=known.locale, creation_date=_EPOCH, revision_date=_EPOCH)
    for text in wanted:
        message = known.get(text)
        catalogue.add(text, message.string if message is not None else "")
    with file.open("wb") as target:
        target.write(f"{header}\n\n".encode())
        write_po(target, catalogue, omit_header=True, width=0)
    with file.with_suffix(".mo").open("wb") as target:
        write_mo(target, catalogue)
    return [str(message.id) for message in catalogue if message.id and not message.string]
