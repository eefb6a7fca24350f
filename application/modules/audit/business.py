"""Rules about what was done: it is written down with the change, found, and pruned; nothing changes it.

A rule of another module writes one line:

    audit.record("tag.update", tag_id, after.name, before=before, after=after)
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from application.config.current import current_settings
from application.database import change, execute
from application.database.filter import CHOICE, RANGE, TEXT, Filter, Filters, contains
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.libs.acting import Actor, current_actor
from application.libs.clock import now
from application.libs.error import NotFound
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from application.libs.redaction import Redaction, masked
from application.modules.audit.models import ADDRESS_LENGTH, NAME_LENGTH, SUBJECT_LENGTH, Audit


class AuditNotFound(NotFound):
    """There is no such audit record."""


class AuditRow(Record):
    """Hold one thing that was done; `before` and `after` are what was changed in it, secrets masked."""

    id: str
    at: datetime
    actor_id: str | None
    actor_name: str
    action: str
    subject_kind: str
    subject_id: str | None
    subject_name: str | None
    address: str | None
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


Subject = tuple[str | None, str | None]
"""The id and the name of what something was done to."""

State = Record | Mapping[str, object] | None
"""What it was, or has become."""

MOST_CHARACTERS = 4000
"""How long a field is at most, as JSON, to be kept; of a longer one stays how long it was."""

_AT_ONCE = 1000

_PASSED_OVER = frozenset({"id", "updated_at"})
"""What a record says elsewhere: in `subject_id`, and in `at`."""

ORDERS = Orders({"at": Audit.at}, tie=Audit.id)
FILTERS = Filters(
    {
        "action": Filter(Audit.action, *CHOICE),
        "actor": Filter(Audit.actor_id, *CHOICE),
        "actor_name": Filter(Audit.actor_name, *TEXT),
        "subject_kind": Filter(Audit.subject_kind, *CHOICE),
        "subject": Filter(Audit.subject_id, *CHOICE),
        "subject_name": Filter(Audit.subject_name, *TEXT),
        "address": Filter(Audit.address, "eq"),
        "request_id": Filter(Audit.request_id, "eq"),
        "at": Filter(Audit.at, *RANGE),
    }
)

_ALL = sa.select(
    Audit.id,
    Audit.at,
    Audit.actor_id,
    Audit.actor_name,
    Audit.action,
    Audit.subject_kind,
    Audit.subject_id,
    Audit.subject_name,
    Audit.address,
    Audit.request_id,
    Audit.before,
    Audit.after,
)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_GET = _ALL.where(Audit.id == sa.bindparam("audit_id"))
_INSERT = sa.insert(Audit)
_OLD = sa.select(Audit.id).where(Audit.at < sa.bindparam("moment")).order_by(Audit.at).limit(_AT_ONCE)
_PRUNE = sa.delete(Audit).where(Audit.id.in_(sa.bindparam("ids", expanding=True)))


def record(
    action: str,
    subject_id: str | None = None,
    subject_name: str | None = None,
    *,
    before: State = None,
    after: State = None,
    by: Subject | None = None,
) -> None:
    """Write down, in the caller's unit of work, that whoever acts does this; so it is kept exactly if that commits.

    What both `before` and `after` have alike is left out; where nothing differs, nothing was done. `by` is the id and
    name of a user where nobody has told the request yet who that is.
    """
    was, became = _fields(before), _fields(after)
    if was is not None and became is not None:
        differing = [name for name in {**was, **became} if was.get(name) != became.get(name)]
        if not differing:
            return
        was, became = ({name: state.get(name) for name in differing} for state in (was, became))
    _write(action, [(subject_id, subject_name)], _actor(by), before=_text(was), after=_text(became))


def record_all(action: str, subjects: Iterable[Subject]) -> None:
    """Write down that whoever acts does this to each of them, in one statement."""
    _write(action, subjects, current_actor(), before=None, after=None)


def search(
    *,
    limit: int,
    after: str | None = None,
    sort: str = "-at",
    count: bool = False,
    q: str | None = None,
    **filters: object,
) -> Page[AuditRow]:
    """List what was done, by those or to those whose name contains `q`; the filters are those of `FILTERS`."""
    also = () if q is None else [sa.or_(contains(Audit.actor_name, q), contains(Audit.subject_name, q))]
    return _LIST.page(each(_row), limit=limit, after=after, sort=sort, count=count, filters=filters, also=also)


def get(audit_id: str) -> AuditRow:
    """Return one thing that was done."""
    row = execute(_GET, audit_id=audit_id).one_or_none()
    if row is None:
        raise AuditNotFound
    return _row(row)


def prune(*, keep_days: int) -> int:
    """Delete some of what was done so many days ago, the oldest first; return how much."""
    ids = list(execute(_OLD, moment=now() - timedelta(days=keep_days)).scalars())
    return change(_PRUNE, ids=ids) if ids else 0


def _actor(by: Subject | None) -> Actor:
    actor = current_actor()
    return actor if by is None else Actor(by[0], by[1] or actor.name, actor.address, actor.request_id)


def _write(action: str, subjects: Iterable[Subject], actor: Actor, *, before: str | None, after: str | None) -> None:
    common = {
        "at": now(),
        "actor_id": actor.user_id,
        "actor_name": actor.name[:NAME_LENGTH],
        "action": action,
        "subject_kind": action.partition(".")[0],
        "address": _cut(actor.address, ADDRESS_LENGTH),
        "request_id": actor.request_id,
        "before": before,
        "after": after,
    }
    rows = [
        common
        | {
            "id": new_id(),
            "subject_id": _cut(subject_id, SUBJECT_LENGTH),
            "subject_name": _cut(subject_name, NAME_LENGTH),
        }
        for subject_id, subject_name in subjects
    ]
    if rows:
        change(_INSERT, rows)


def _cut(text: str | None, length: int) -> str | None:
    return None if text is None else text[:length]


def _fields(state: State) -> dict[str, Any] | None:
    """Return what is kept of a state, as JSON has it."""
    if state is None:
        return None
    fields: dict[str, Any] = msgspec.to_builtins(state, enc_hook=str, str_keys=True)
    return {name: value for name, value in fields.items() if name not in _PASSED_OVER}


def _text(fields: dict[str, Any] | None) -> str | None:
    """Return the JSON of a state without its secrets; compared they were before."""
    if fields is None:
        return None
    shown = masked(fields, _redaction(tuple(current_settings().secrets())))
    lengths = {name: len(msgspec.json.encode(value)) for name, value in shown.items()}
    kept = {
        name: value if lengths[name] <= MOST_CHARACTERS else f"left out, {lengths[name]} bytes"
        for name, value in shown.items()
    }
    return msgspec.json.encode(kept).decode()


@lru_cache(maxsize=4)
def _redaction(secrets: tuple[str, ...]) -> Redaction:
    """Return what masks the secrets of the settings; to compile it takes longer than all the rest."""
    return Redaction(secrets)


def _row(row: sa.Row[*tuple[Any, ...]]) -> AuditRow:
    *values, before, after = row
    return AuditRow(*values, *(None if text is None else msgspec.json.decode(text) for text in (before, after)))
