"""Start tasks, follow them, cancel them, and try them again."""

from collections.abc import Sequence

from application.libs.auth import current_identity
from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.task import business
from application.modules.task.schemas import TaskCatalogueOut, TaskId, TaskIn, TaskOut, TaskQuery
from application.permissions import Permission

task = Redprint("task", __name__)


@task.get("/catalogue", permission=Permission.TASK_RUN, answer=TaskCatalogueOut)
def catalogue() -> Sequence[business.CatalogueRow]:
    """List the tasks that one may start, and what they take."""
    return business.catalogue(current_identity().permissions)


@task.get("", permission=Permission.TASK_RUN, answer=TaskOut, orders=business.ORDERS, filters=business.FILTERS)
def index(query: TaskQuery) -> Page[business.TaskRow]:
    """List one's own tasks; who manages tasks sees all."""
    return business.search(viewer_id=_viewer(), sees_errors=_manages(), **query.given())


@task.post(
    "",
    status=202,
    permission=Permission.TASK_RUN,
    answer=TaskOut,
    errors=[business.UnknownTask, business.UniqueKeyTaken, business.InvalidArguments, business.TooManyTasks],
    rate_limit="120/minute",
)
def create(body: TaskIn) -> business.TaskRow:
    """Start a task; `Location` says where to follow it."""
    wish = business.Wish(priority=body.priority, eta=body.eta, expires_at=body.expires_at, unique_key=body.unique_key)
    return business.start(body.name, body.kwargs, caller=_caller(), wish=wish)


@task.get("/<id:task_id>", permission=Permission.TASK_RUN, answer=TaskOut, errors=[business.TaskNotFound])
def show(task_id: TaskId) -> business.TaskRow:
    """Read how far a task is."""
    return business.get(task_id, viewer_id=_viewer(), sees_errors=_manages())


@task.post(
    "/<id:task_id>/cancel",
    permission=Permission.TASK_RUN,
    answer=TaskOut,
    errors=[business.TaskNotFound, business.TaskEnded],
)
def cancel(task_id: TaskId) -> business.TaskRow:
    """Cancel a task: what waits never begins, what runs is asked to end."""
    return business.cancel(task_id, caller=_caller(), by=current_identity().name)


@task.post(
    "/<id:task_id>/retry",
    permission=Permission.TASK_RUN,
    answer=TaskOut,
    errors=[business.TaskNotFound, business.TaskNotEnded, business.NotRetryable, business.NotYours],
    rate_limit="120/minute",
)
def retry(task_id: TaskId) -> business.TaskRow:
    """Let a task begin anew that has failed, is dead, was cancelled or has expired."""
    return business.retry(task_id, caller=_caller())


def _manages() -> bool:
    return current_identity().may(Permission.TASK_MANAGE)


def _viewer() -> str | None:
    return _caller().viewer_id


def _caller() -> business.Caller:
    caller = current_identity()
    return business.Caller(user_id=caller.user_id, permissions=caller.permissions, manages=_manages())
