"""Know who is acting and from where, for rules that write it down: a caller, a job, a task or a command.

Whoever serves a request is known by its identity, also where the scheduler's API knows callers by ways of its own.
"""

import click
from flask import has_request_context

from application.libs.auth import find_identity
from application.libs.current import current_request
from application.libs.edge import NO_REQUEST, REQUEST_ID
from application.libs.ident import is_id
from application.libs.record import Record
from application.libs.run_context import current_run
from application.libs.task import current_task

ANONYMOUS = "anonymous"
"""Who asks without being known."""

SYSTEM = "system"
"""Who acts where neither a request nor a job, a task or a command is known."""


class Actor(Record):
    """Hold who acts; `user_id` is None where that is no user, `address` and `request_id` where no request is served."""

    user_id: str | None
    name: str
    address: str | None = None
    request_id: str | None = None


def current_actor() -> Actor:
    """Return who is acting; the address is that of the client, as proxies that are believed name it."""
    given = REQUEST_ID.get()  # that of the request which called it, in the background, too
    request_id = None if given == NO_REQUEST else given
    if not has_request_context():
        return Actor(None, _by_itself(), None, request_id)
    identity, address = find_identity(), current_request().remote_addr or None
    if identity is None:
        return Actor(None, ANONYMOUS, address, request_id)
    return Actor(identity.user_id if is_id(identity.user_id) else None, identity.name, address, request_id)


def _by_itself() -> str:
    """Name what acts without being asked: a job before the task that runs it, and that before the command around."""
    run, task = current_run.get(), current_task.get()
    if run is not None:
        return f"job {run.job_id}"
    if task is not None:
        return f"task {task.name}"
    command = click.get_current_context(silent=True)
    return SYSTEM if command is None else command.command_path
