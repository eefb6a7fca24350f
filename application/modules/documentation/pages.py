"""Serve Swagger UI for the documents of the API, with all it needs, so that the page asks nobody else."""

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Flask, Response, abort, current_app, make_response, render_template, send_from_directory
from flask_babel import get_locale

from application.libs.redprint import machinery

PLAIN = Path(__file__).parent / "plain"

ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css")
"""What is shown of the package; its own page would need inline scripts, and sends forms to a validator elsewhere."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

documentation = Blueprint("documentation", __name__, url_prefix="/docs", template_folder="templates")


class Document(NamedTuple):
    """Name an API document and say where it is."""

    name: str
    address: str


@documentation.get("")
def index() -> Response:
    """Show the first version's document."""
    return _page(documents(current_app)[0])


@documentation.get("/<name>")
def show(name: str) -> Response:
    """Show a version's document."""
    return _page(next((document for document in documents(current_app) if document.name == name), None) or abort(404))


@documentation.get("/assets/<filename>")
def asset(filename: str) -> Response:
    """Serve a script or stylesheet of Swagger UI."""
    if filename not in ASSETS:
        abort(404)
    return send_from_directory(str(files("flask_swagger_ui") / "dist"), filename, max_age=0)


@documentation.get("/plain/<path:filename>")
def plain(filename: str) -> Response:
    """Serve what this page adds to it."""
    return send_from_directory(PLAIN, filename, max_age=0)


@documentation.after_request
def protect(response: Response) -> Response:
    """Let the page load nothing, and send nothing, but from and to this server."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def documents(app: Flask) -> list[Document]:
    """Return the documents there are, in the order in which the versions are mounted."""
    addresses = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
    names = [surface.name for surface in machinery(app).surfaces]
    return [Document(name, addresses[f"{name}.openapi"]) for name in names if f"{name}.openapi" in addresses]


def _page(shown: Document) -> Response:
    locale = get_locale()
    language = "zh-CN" if locale is not None and locale.language == "zh" else "en"
    page = render_template("documentation/page.html", language=language, shown=shown, documents=documents(current_app))
    response = make_response(page)
    response.vary.add("Accept-Language")
    return response
