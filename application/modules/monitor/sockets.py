"""Live memory, what the scheduler does, and how far tasks are, over Socket.IO, namespace `/ws`."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Flask, current_app, request
from flask_socketio import ConnectionRefusedError as Refused
from flask_socketio import Namespace, emit
from msgspec import to_builtins
from pydantic import ValidationError

from application.config.current import current_settings
from application.database import transaction
from application.extensions import socketio
from application.libs.asyncapi import Acknowledgements, Events, Replies
from application.libs.auth import Credentials, Identity
from application.libs.browser_session import BrowserSessions
from application.libs.error import Invalid, Refusal, TooManyRequests, Unauthenticated
from application.libs.feed import Batch, Feed
from application.libs.patrol import Patrol
from application.libs.sampler import Sampler
from application.libs.watching import News, Sight, Watching
from application.modules.auth.business import find_by_pass_ids, identify
from application.modules.monitor.business import read_memory
from application.modules.monitor.schemas import (
    ConnectedOut,
    ConnectIn,
    RefusalOut,
    SampleOut,
    TaskRefusalOut,
    WatchTaskIn,
)
from application.modules.scheduler.business import event
from application.modules.scheduler.schemas_sight import EventsOut
from application.modules.task import business as task_business
from application.modules.task.schemas import TaskOut
from application.permissions import Permission

INTERVAL_SECONDS = 2.0

EVENT_SECONDS = 0.5
"""How often a process looks for events while anybody who may see them is here."""

TASK_SECONDS = 0.5
"""How often a process looks how far the tasks are that anybody watches; a viewer is told no more often."""

MOST_TASKS = 50
"""How many tasks a viewer may watch at once: half of what the longest page of a list shows."""

PATROL_SECONDS = 0.5
"""How often a process looks whether the sessions by which viewers were let in still let them in."""


class MonitorNamespace(Namespace):
    """Greet a viewer with `connected`, then send `server_response` at once and every two seconds.

    Who may manage the scheduler gets a `scheduler_event` within a second after something was committed; a permission
    that is taken away ends that at once. A session that ends, also by signing out, closes the connection within a
    second.

    Who may run tasks names those to watch, and gets `task_progress` when one of them changed, twice a second at most,
    and a last time when it has ended. Whoever connects again names them again: the answer says how far each is. An
    answer that comes after a `task_progress` of that task is older.
    """

    takes: Events = {"connect": ConnectIn, "watch_task": WatchTaskIn, "unwatch_task": WatchTaskIn}
    gives: Events = {
        "connected": ConnectedOut,
        "connect_error": RefusalOut,
        "server_response": SampleOut,
        "scheduler_event": EventsOut,
        "task_progress": TaskOut,
    }
    replies: Replies = {"connect": ("connected", "connect_error")}
    acknowledges: Acknowledgements = {"watch_task": {"task": TaskOut, "task_refusal": TaskRefusalOut}}

    def __init__(self, namespace: str, app: Flask) -> None:
        """Prepare what tells viewers of memory, of the scheduler and of tasks, and the patrol that shows them out."""
        super().__init__(namespace)
        self.app = app
        self.sampler = Sampler(
            socketio, read_memory, event="server_response", namespace=namespace, interval_seconds=INTERVAL_SECONDS
        )
        self.feed = Feed(
            socketio,
            partial(_read_events, app),
            event="scheduler_event",
            namespace=namespace,
            interval_seconds=EVENT_SECONDS,
            admit=partial(self._admitted, app),
        )
        self.tasks = Watching(
            socketio,
            partial(_read_tasks, app),
            event="task_progress",
            namespace=namespace,
            interval_seconds=TASK_SECONDS,
            admit=self._admitted_to_tasks,
            limit=MOST_TASKS,
        )
        self.patrol = Patrol(socketio, partial(_valid, app), namespace=namespace, interval_seconds=PATROL_SECONDS)

    def on_connect(self, auth: object = None) -> None:
        """Let a viewer in who shows a token in the `auth` payload; without one only where the settings open it."""
        _check_room(self.sampler.viewers)
        identity, after = _identify(auth), _read_after(auth)
        emit("connected", ConnectedOut(data="连接成功").model_dump())
        self.sampler.join(_sid())
        if identity is not None and identity.pass_id is not None:
            self.patrol.join(_sid(), identity.pass_id)
        if identity is not None and identity.may(Permission.SCHEDULER_MANAGE) and current_settings().scheduler_enabled:
            self.feed.join(_sid(), after)

    def on_disconnect(self, _reason: object = None) -> None:
        """Forget a viewer."""
        self.patrol.leave(_sid())  # first, so that who watches a task meanwhile is found to have left
        self.sampler.leave(_sid())
        self.feed.leave(_sid())
        self.tasks.leave(_sid())

    def on_watch_task(self, body: object = None) -> Any:
        """Tell the viewer how a task goes on, 50 tasks at most; the acknowledgement says how far it is now."""
        try:
            return self._watch(body).message
        except Refusal as refusal:
            return TaskRefusalOut(message=str(refusal), data={"code": refusal.code}).model_dump()

    def on_unwatch_task(self, body: object = None) -> None:
        """Tell the viewer nothing more of a task."""
        with suppress(Refusal):
            self.tasks.unwatch(_sid(), _task_id(body))

    def _watch(self, body: object) -> Sight:
        sight = self._see(body)
        if not sight.ended and not self.tasks.watch(_sid(), sight):
            raise TooManyRequests(f"You watch {MOST_TASKS} tasks already: end one with `unwatch_task`")
        if not self.patrol.passes([_sid()]):  # they have left meanwhile
            self.tasks.leave(_sid())
        return sight

    def _see(self, body: object) -> Sight:
        """Return what the viewer may see of a task, or raise why not."""
        pass_id = self.patrol.passes([_sid()]).get(_sid())
        if pass_id is None:
            raise Unauthenticated("Connect with a token to watch tasks")
        task_id = _task_id(body)
        with transaction(write=False):
            identity = find_by_pass_ids([pass_id]).get(pass_id)
            if identity is None:
                raise Unauthenticated("The token is not valid, or no longer")
            if not identity.may(Permission.TASK_RUN):
                raise identity.lacking(Permission.TASK_RUN)
            return _sight(task_business.get(task_id, viewer_id=_owner(identity)))

    def _admitted_to_tasks(self, news: News) -> News:
        """Return what of it each viewer may still see."""
        passes = self.patrol.passes(news)
        with self.app.app_context(), transaction(write=False):
            holders = find_by_pass_ids(set(passes.values()))
        viewers = {sid: holders[pass_id] for sid, pass_id in passes.items() if pass_id in holders}
        return {
            sid: [sight for sight in news[sid] if _owner(identity) in (None, sight.message["created_by"])]
            for sid, identity in viewers.items()
            if identity.may(Permission.TASK_RUN)
        }

    def _admitted(self, app: Flask, sids: Collection[str]) -> Collection[str]:
        """Return which of the viewers may still see what the scheduler does."""
        passes = self.patrol.passes(sids)
        valid = _valid(app, set(passes.values()), Permission.SCHEDULER_MANAGE)
        return {sid for sid, pass_id in passes.items() if pass_id in valid}


def _sid() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO adds it to the request
    return sid


def _check_room(viewers: int) -> None:
    if viewers >= current_settings().socket_limit - 1:  # one stays free, for whoever is told so
        raise Refused("Too many viewers for this server; try again later", {"code": "unavailable"})


def _identify(auth: object) -> Identity | None:
    """Return who shows a token, None where the settings let in who shows none; refuse everybody else."""
    given = auth if isinstance(auth, dict) else {}
    credentials = _credentials(given)
    if given.get("token") is None and given.get("csrf") is None and current_settings().ws_is_open:
        return None
    if credentials is None:
        raise Refused("Give a token: connect with auth={'token': …}")
    with transaction(write=False):
        identity = identify(credentials)
    if identity is None:
        raise Refused("The token is not valid, or no longer")
    if not identity.may(Permission.MONITOR_VIEW):
        raise Refused(str(identity.lacking(Permission.MONITOR_VIEW)))
    return identity


def _credentials(given: Mapping[str, object]) -> Credentials | None:
    """Return the bearer token that was given, or the cookie of a browser whose page shows that it is ours."""
    token = given.get("token")
    if isinstance(token, str):
        return Credentials("bearer", token, address=request.remote_addr)
    browsers: BrowserSessions = current_app.extensions["browser_sessions"]
    cookie = browsers.read(request.environ)
    if cookie is None or not browsers.belongs(given.get("csrf"), cookie):
        return None
    return Credentials("cookie", cookie, by_browser=True)


def _valid(app: Flask, pass_ids: Collection[str], permission: Permission = Permission.MONITOR_VIEW) -> Collection[str]:
    """Return which of the sessions are valid still, and of somebody who holds the permission."""
    with app.app_context(), transaction(write=False):
        holders = find_by_pass_ids(pass_ids)
    return {pass_id for pass_id, identity in holders.items() if identity.may(permission)}


def _read_after(auth: object) -> int | None:
    after = auth.get("after") if isinstance(auth, dict) else None
    if after is None or (type(after) is int and 0 <= after < 2**63):
        return after
    raise Refused("`after` is the number of the event that was seen last; leave it out to begin now")


def _read_events(app: Flask, after: int | None) -> Batch:
    with app.app_context(), transaction(write=False):
        found = event.since(after)
    nothing = not found.events and not found.reset and after is not None
    return Batch(None if nothing else to_builtins(found), found.last, more=bool(found.events))


def _task_id(body: object) -> str:
    try:
        return WatchTaskIn.model_validate(body).id
    except ValidationError:
        raise Invalid("Name a task: {'id': …}") from None


def _owner(identity: Identity) -> str | None:
    """Return whose tasks they may see; None is everybody's."""
    return None if identity.may(Permission.TASK_MANAGE) else identity.user_id


def _sight(row: task_business.TaskRow) -> Sight:
    return Sight(key=row.id, message=to_builtins(row), ended=row.finished_at is not None)


def _read_tasks(app: Flask, task_ids: Collection[str]) -> Mapping[str, Sight]:
    if not task_ids:
        return {}
    with app.app_context(), transaction(write=False):
        rows = task_business.states(task_ids)
    return {task_id: _sight(row) for task_id, row in rows.items()}
