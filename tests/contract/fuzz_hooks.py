"""Hooks of Schemathesis: keep a run meaningful, count what was answered, and name what no document can say.

Loaded by `tests.contract.fuzzing` through `SCHEMATHESIS_HOOKS`.
"""

import atexit
import json
import os
import secrets
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure

API = os.environ["FUZZ_URL"] + "/api/v1"
CREDENTIALS = {"name": os.environ["FUZZ_ADMIN"], "password": os.environ["FUZZ_PASSWORD"]}
ADMIN_ID = os.environ["FUZZ_ADMIN_ID"]
TOKEN = f"Bearer {os.environ['FUZZ_TOKEN']}"
SESSION_ID = os.environ["FUZZ_SESSION_ID"]
Case = schemathesis.Case[Any]

JOB: dict[str, Any] = {"id": None, "func": "prune-expired-sessions", "trigger": "interval", "hours": 1}
BODIES: dict[str, dict[str, Any]] = {
    "/auth/login": CREDENTIALS,
    "/auth/password": {"current_password": CREDENTIALS["password"], "password": CREDENTIALS["password"]},
    "/factor": {"current_password": CREDENTIALS["password"]},
    "/file/authorisation": {"name": "a.txt", "size": 5, "media_type": "text/plain"},
    "/scheduler/preview": {"trigger": "cron", "hour": 3},
}
"""What is sent to these addresses in every other request that is to succeed."""

FACTOR = ("/factor", "/factor/recovery-codes", "/factor/turn-off")
MOST_PASSWORD = 128  # characters

NOBODY = "00000000-0000-7000-8000-000000000000"

BEYOND_THE_DOCUMENT = {
    "unknown_task": "which tasks there are, and who may start them, is no property of a name",
    "recipient": "which mail addresses and numbers there can be is more than a pattern says",
    "cursor": "which cursors are ours is no property of their text",
    "unknown_tag": "which tags exist is no property of an id",
    "unknown_role": "which roles exist is no property of a name",
    "password_known": "the list of known passwords is long and none of the document's business",
    "password_bytes": "JSON Schema counts characters, not bytes",
    "password_holds_name": "a schema compares no two fields, and knows no user's name",
    "wrong_current_password": "which password a user has is no property of data",
    "wrong_current_code": "which code a phone shows now is no property of data",
    "throttled": "how many wrong codes were shown before is no property of the next one",
    "wrong_code": "which code was sent is no property of data",
    "wrong_link": "which links were sent is no property of data",
    "like_address": "that a name does not begin with + no pattern says here, as Name has one already",
    "key_reused": "which keys stood for other requests is no property of a key",
    "stale": "which tag a resource has is no property of a tag",
    "selection": "that exactly one member is given and true says the rule",
    "address_too_long": "OpenAPI bounds each parameter, but not all of them together",
}
"""Types of findings, or codes, that data may meet although the schema allows it, each with the reason."""

BEYOND_THE_DOCUMENT |= dict.fromkeys(
    ("trigger", "time_over", "not_registered", "unknown_executor", "unknown_jobstore", "job_id", "value_error"),
    "when a job runs, and what, is said by texts whose grammar or names only the server knows",
) | dict.fromkeys(
    ("not_quarantined", "not_running", "no_runner", "not_offered", "already_running"),
    "whether a process fires is no property of data",
)

BEYOND_THE_DOCUMENT |= dict.fromkeys(
    ("file_refused", "file_type", "content", "empty", "polyglot", "size", "file_too_large", "nothing_uploaded"),
    "what a file is says its content, and how long it may be a setting",
)

FREE_JSON = dict.fromkeys(
    (
        "malformed_json",
        "text_unstorable",
        "too_deep",
        "too_long",
        "unexpected_positional_argument",
        "unexpected_keyword_argument",
        "missing_argument",
    ),
    "a job's arguments and the fields of a trigger's parts are free JSON, in which no document can exclude NUL or "
    "integers beyond 64 bits; what fits a function says its own schema",
)
"""The same, of what the scheduler takes alone."""

FREE_JSON_AT = ("/scheduler/jobs", "/scheduler/quarantine", "/scheduler/preview")

OPAQUE = "RejectedPositiveData"

_answers: Counter[tuple[str, int]] = Counter()
_turns: defaultdict[str, Iterator[int]] = defaultdict(count)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Let the admin and their session live, and let every other caller know what only the server could tell them."""
    if case.method in ("PUT", "PATCH", "DELETE") and case.path_parameters.get("user_id") == ADMIN_ID:
        case.path_parameters["user_id"] = NOBODY
    if case.method == "DELETE" and case.path_parameters.get("session_id") == SESSION_ID:
        case.path_parameters["session_id"] = _another_session_id()
    if case.path.endswith("/auth/logout") and case.headers.get("Authorization") == TOKEN:
        case.headers["Authorization"] = f"Bearer {_sign_in()['token']}"
    if case.path.endswith("/auth/logout-everywhere") and case.query.get("keep_current") in (None, False, "false"):
        case.query["keep_current"] = "true"
    if isinstance(case.body, dict):
        _spare_passwords(case, case.body)
    if _is_positive(case) and next(_turns[case.operation.label]) % 2:
        _help(case)
        _help_with_sessions(case)


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: Case, response: schemathesis.Response) -> None:
    """Count the answers of each operation."""
    if case.method == case.operation.method.upper():
        _answers[case.operation.label, response.status_code] += 1


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Failure, case: Case, response: schemathesis.Response
) -> bool:
    """Drop the refusal of data that is valid by the schema where no schema could say why it is not.

    And that of a wrong password which the same name has shown too often.
    """
    if type(failure).__name__ == "IgnoredAuth" and "got `429 " in failure.message:
        return False
    if type(failure).__name__ != OPAQUE:
        return True
    problem = response.json()
    types = {finding["type"] for finding in problem.get("errors", ())} or {problem.get("code")}
    free = FREE_JSON if case.path.startswith(FREE_JSON_AT) else {}
    return not types <= BEYOND_THE_DOCUMENT.keys() | free.keys()


def _is_positive(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE


def _spare_passwords(case: Case, body: dict[str, Any]) -> None:
    """Let the admin's name meet no wrong password, of which few are forgiven."""
    if case.path.endswith("/auth/login"):
        _keep_open(case, body)
    if case.path.endswith(FACTOR):
        _prove(case, body)


def _keep_open(case: Case, body: dict[str, Any]) -> None:
    """Let wrong passwords be another's, each from an address of its own: the admin has to sign in again."""
    if body.get("name") == CREDENTIALS["name"] and body != CREDENTIALS:
        case.body = body | {"name": "nobody"}
    case.headers["X-Forwarded-For"] = f"2001:db8:{secrets.randbelow(2**16):x}:{secrets.randbelow(2**16):x}::1"


def _prove(case: Case, body: dict[str, Any]) -> None:
    """Let whatever could be the admin's password be it: wrong ones are counted, and the admin has to sign in again."""
    given = body.get("current_password")
    if isinstance(given, str) and len(given) <= MOST_PASSWORD:
        case.body = body | {"current_password": CREDENTIALS["password"]}


def _help(case: Case) -> None:
    known = next((body for ending, body in BODIES.items() if case.path.endswith(ending)), None)
    if known is not None:
        case.body = dict(known)
    if case.path.startswith("/scheduler/jobs") and isinstance(case.body, dict):
        case.body = dict(JOB) if case.method == "POST" else {"minutes": 5}
    if "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if "If-None-Match" in case.headers and case.method != "GET":
        case.headers["If-None-Match"] = '"another"'
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = secrets.token_hex()


def _help_with_sessions(case: Case) -> None:
    if case.path.endswith("/auth/refresh"):
        case.body = {"refresh_token": _sign_in()["refresh_token"]}
    if "session_id" in case.path_parameters:
        case.path_parameters["session_id"] = _another_session_id()


def _sign_in() -> dict[str, str]:
    """Begin another session of the admin."""
    headers = {"Content-Type": "application/json"}
    tokens: dict[str, str] = _ask("/auth/login", headers, json.dumps(CREDENTIALS).encode())
    return tokens


def _another_session_id() -> str:
    """Return the id of a session that may end."""
    sessions = _ask("/session", {"Authorization": f"Bearer {_sign_in()['token']}"})
    return next(str(session["id"]) for session in sessions if session["is_current"])


def _ask(path: str, headers: dict[str, str], data: bytes | None = None) -> Any:
    request = urllib.request.Request(API + path, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]


def _write() -> None:
    rows = [[label, status, times] for (label, status), times in sorted(_answers.items())]
    Path(os.environ["FUZZ_ANSWERS"]).write_text(json.dumps(rows))


atexit.register(_write)
