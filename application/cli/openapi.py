"""Write the API document or a collection of its requests, and compare it with an older one."""

import json
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from application.api import VERSIONS, document
from application.config.current import current_settings
from application.config.language import TRANSLATORS
from application.libs.openapi.diff import check_document, compare_documents
from application.libs.openapi.postman import Plan, collection
from application.libs.openapi.schema_alternative import ReferenceMissingError

Json = dict[str, object]

PLAN = Plan(
    sign_in="auth_login",
    sign_out="auth_logout",
    names=frozenset({"task_create"}),
    says={"scheduler_run_job": "run_id"},
    refused={
        "auth_login_by_code": 422,  # what was sent cannot be written down
        "auth_register": 422,
        "auth_reset": 422,
        "contact_create": 422,
        "contact_delete": 404,
        "auth_change_password": 422,  # whoever runs the collection does not want another one
        "auth_refresh": 401,  # the token that signing in gave is not shown to it
        "factor_offer": 422,  # the collection knows nobody's password
        "factor_confirm": 409,
        "factor_renew_codes": 409,
        "factor_turn_off": 409,
        "factors_reset": 409,
        "scheduler_start_scheduler": 400,
        "scheduler_shutdown_scheduler": 409,
        "operation_repair_job": 409,
        "file_thumbnail": 404,  # of a text there is none
        "file_download": 403,  # a signature cannot be written down
        "file_upload": 403,
        "file_confirm": 409,
        "file_restore": 404,
    },
    late={  # the run or task may have ended, or not yet; the message may be sent, or not yet
        "code_create": 429,  # of a run within the minute
        "run_cancel_run": 409,
        "task_cancel": 409,
        "task_retry": 409,
        "message_bounce": 409,
        "message_retry": 409,
        "auth_logout": 401,  # the session was deleted a moment before
    },
    removes=("operation_delete_jobs", "session_delete"),
    queries={"auth_logout_everywhere": frozenset({"keep_current"})},
)


class DocumentUnreadable(click.ClickException):
    """A file holds no API document that could be compared."""

    exit_code = 2


@click.command("openapi")
@click.option("--api", type=click.Choice(list(VERSIONS)), default="v1", help="Which version of the API; v1.")
@click.option("--language", type=click.Choice(list(TRANSLATORS)), default="en", help="Of the descriptions; en.")
@click.option(
    "--diff",
    "old",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OLD.json",
    help="Say what has changed since this document and whether it breaks clients; exit code 1 if anything does.",
)
@click.option(
    "--postman", is_flag=True, help="Print a Postman collection (2.1) that runs every operation, with newman, too."
)
@with_appcontext
def openapi(api: str, language: str, old: Path | None, postman: bool) -> None:
    """Print the API document (OpenAPI 3.1) as JSON, or what has changed in it."""
    current = document(current_app, api, TRANSLATORS[language])
    if old is not None:
        _print_changes(old, current)
        return
    if postman:
        settings = current_settings()
        current = collection(current, PLAN, base_url=f"http://{settings.host}:{settings.port}")
    click.echo(json.dumps(current, ensure_ascii=False, indent=2))


def _print_changes(file: Path, current: Json) -> None:
    try:
        changes = compare_documents(_read(file), current)
    except (ReferenceMissingError, RecursionError, AttributeError, KeyError, TypeError) as reason:
        raise _unreadable(file, f"it is damaged ({type(reason).__name__}: {reason})") from reason
    for change in changes:
        click.echo(str(change))
    breaking = sum(change.breaking for change in changes)
    click.echo(f"{len(changes)} changes, {breaking} of them breaking." if changes else "Nothing has changed.")
    if breaking:
        raise SystemExit(1)


def _read(file: Path) -> Json:
    try:
        return check_document(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as reason:  # JSON's, UTF-8's and our own errors are ValueErrors
        raise _unreadable(file, f"{reason}") from reason


def _unreadable(file: Path, reason: str) -> DocumentUnreadable:
    cure = "git show v1.0:docs/openapi.json > old.json"
    return DocumentUnreadable(
        f"{file} cannot be compared: {reason}. Give a document that `manager.py openapi` wrote, "
        f"for instance that of a release: {cure}"
    )
