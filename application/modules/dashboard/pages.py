"""Serve the dashboard's page and its files, and draw the pages for which no build is needed."""

from http import HTTPStatus
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    render_template,
    request,
    send_from_directory,
)
from flask_babel import get_locale
from flask_babel import gettext as _

from application.config.current import current_settings
from application.libs.edge import PAGE_POLICY

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
PLAIN = FOLDER / "plain"

LANGUAGES = {"en": "en", "zh": "zh-CN"}  # catalogue: what `lang` says in the markup
_YEAR_SECONDS = 31_536_000  # the longest that caches honour; the names of built files change with their content

dashboard = Blueprint("dashboard", __name__, template_folder="templates")


@dashboard.get("/")
@dashboard.get("/jobs")
@dashboard.get("/jobs/<job_id>")
@dashboard.get("/jobs/<job_id>/edit")
@dashboard.get("/new-job")
@dashboard.get("/new-task")
@dashboard.get("/runs/<run_id>")
@dashboard.get("/tasks")
@dashboard.get("/tasks/<task_id>")
def index(**_addressed: str) -> Response:
    """Show the dashboard, whichever of its pages is meant, or how to build it."""
    if (STATIC / "index.html").is_file():
        return send_from_directory(STATIC, "index.html", max_age=0)
    return make_response(render_template("dashboard/unbuilt.html"))


@dashboard.get("/dashboard/assets/<path:filename>")
def asset(filename: str) -> Response:
    """Serve a built script or stylesheet."""
    response = send_from_directory(STATIC / "assets", filename, max_age=_YEAR_SECONDS)
    response.cache_control.immutable = True
    return response


@dashboard.get("/dashboard/plain/<path:filename>")
def plain(filename: str) -> Response:
    """Serve a stylesheet or script that stands without a build."""
    return send_from_directory(PLAIN, filename, max_age=0)


@dashboard.get("/favicon.ico")
def favicon() -> Response:
    """Serve the icon to browsers that ask for it unbidden, as they do beside a JSON document."""
    return send_from_directory(PLAIN, "favicon.svg", max_age=0)


@dashboard.get("/dashboard/config.json")
def config() -> Response:
    """Tell the page where it runs; the content security policy keeps such things out of the markup."""
    return jsonify(environment=current_settings().environment)


@dashboard.after_request
def protect(response: Response) -> Response:
    """Let the page load nothing but what this server sends."""
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@dashboard.app_context_processor
def name_language() -> dict[str, str]:
    """Tell every template what `lang` is to say in the markup."""
    locale = get_locale()
    return {"language": LANGUAGES.get(locale.language, "en") if locale else "en"}


def render_error(status: int, request_id: str) -> Response:
    """Draw the page that answers a failed request outside the API.

    It says what the status means and what to do, never what went wrong inside; the request id leads to the log.
    """
    title, advice = _explain(status)
    page = render_template("dashboard/error.html", status=status, title=title, advice=advice, request_id=request_id)
    return protect(Response(page, status=status, mimetype="text/html"))


def preferred_language() -> str:
    """Choose the catalogue that the browser asks for, English where it asks for none of ours."""
    return request.accept_languages.best_match(LANGUAGES, default="en") or "en"


def _explain(status: int) -> tuple[str, str]:
    match status:
        case HTTPStatus.NOT_FOUND:
            return _("Page not found"), _("Nothing lives at this address. Check it, or start from the dashboard.")
        case HTTPStatus.FORBIDDEN:
            return _("Not allowed"), _("Your account may not see this page. An administrator can grant it.")
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return _("Busy right now"), _("The server cannot take this request at the moment. Try again in a while.")
        case _ if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return _("Request refused"), _("The server could not accept this request. Go back and try another way.")
    advice = _("The fault is on our side and has been recorded. Try again; if it stays, pass on the request id.")
    return _("Something went wrong"), advice
