"""Rules of sessions: tokens that are exchanged for the next, and end when one is shown twice."""

import logging
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import UtcDateTime, change, execute, transaction
from application.database.filter import RANGE, Filter, Filters
from application.database.keyset import Orders
from application.database.listing import Listing
from application.libs.background import background
from application.libs.clock import now
from application.libs.error import NotFound, Unauthenticated
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from application.libs.remote import SOMEBODY, Client
from application.libs.secret import digest_token, new_token
from application.modules.audit import business as audit
from application.modules.session.models import ADDRESS_LENGTH, DEVICE_LENGTH, Session
from application.modules.user.models import User

LEEWAY_SECONDS = 10
"""How long the refresh token before the last is only refused: a client may have asked twice at once."""

SEEN_SECONDS = 60
"""How often it is written down at most that a session is in use."""

_LOG = logging.getLogger(__name__)


class SessionNotFound(NotFound):
    """There is no such session."""


class RefreshRefused(Unauthenticated):
    """The refresh token is not valid, or no longer; sign in again."""

    commits = True


class TokensRow(Record):
    """Hold fresh tokens, which are shown this once, and how long they last."""

    token: str
    expires_in: int
    expires_at: datetime
    refresh_token: str
    refresh_expires_in: int
    refresh_expires_at: datetime
    token_type: str = "Bearer"  # noqa: S105 -- the name of a scheme (RFC 6750)


class CookieRow(Record):
    """Hold what a browser shows from now on, and for how long at most."""

    token: str
    seconds: int


class EndedRow(Record):
    """Count the sessions that were ended."""

    ended: int


class SessionRow(Record):
    """Hold one session as people see it."""

    id: str
    user_id: str
    user_name: str
    device: str
    address: str
    is_current: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class _Life(Record):
    """Hold when a session began, until when it lasts unused, and when it is over in any case."""

    begun_at: datetime
    expires_at: datetime
    ends_at: datetime

    @classmethod
    def from_now(cls) -> "_Life":
        settings, moment = current_settings(), now()
        ends_at = moment + timedelta(seconds=settings.session_max_seconds)
        return cls(moment, min(ends_at, moment + timedelta(seconds=settings.session_idle_seconds)), ends_at)


ORDERS = Orders({"created_at": Session.created_at, "last_seen_at": Session.last_seen_at}, tie=Session.id)
FILTERS = Filters(
    {
        "user": Filter(Session.user_id, "eq"),
        "created_at": Filter(Session.created_at, *RANGE),
        "last_seen_at": Filter(Session.last_seen_at, *RANGE),
    }
)


def _while_it_lasts(name: str) -> sa.Case[datetime]:
    """Return the moment that is bound under a name, or the end of the session where that comes before."""
    return sa.case((Session.ends_at < sa.bindparam(name), Session.ends_at), else_=sa.bindparam(name))


_ALL = (
    sa.select(
        Session.id,
        Session.user_id,
        User.name,
        Session.device,
        Session.address,
        Session.created_at,
        Session.last_seen_at,
        Session.expires_at,
    )
    .join(User, User.id == Session.user_id)
    .where(Session.expires_at > sa.bindparam("moment"))
)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_OF_ONE = (Session.user_id == sa.bindparam("viewer_id"),)
_GET = _ALL.where(Session.id == sa.bindparam("session_id"))
_INSERT = sa.insert(Session)
_PROLONG = (
    sa.update(Session)
    .where(Session.id == sa.bindparam("session_id"), Session.family.is_(None))
    .values(access_expires_at=_while_it_lasts("until"), expires_at=_while_it_lasts("until"))
)
_ROTATE = (
    sa.update(Session)
    .where(Session.refresh_digest == sa.bindparam("shown"), Session.expires_at > sa.bindparam("moment"))
    .values(
        refresh_digest=sa.bindparam("next"),
        previous_digest=sa.bindparam("shown"),
        access_digest=sa.bindparam("access"),
        refreshed_at=sa.bindparam("moment"),
        last_seen_at=sa.bindparam("moment"),
        access_expires_at=_while_it_lasts("access_until"),
        expires_at=_while_it_lasts("until"),
    )
)
_LIFE = sa.select(Session.access_expires_at, Session.expires_at).where(Session.refresh_digest == sa.bindparam("next"))
_FAMILY = sa.select(Session.id, Session.user_id, Session.previous_digest, Session.refreshed_at).where(
    Session.family == sa.bindparam("family"), Session.expires_at > sa.bindparam("moment")
)
_SEEN = sa.update(Session).where(
    Session.id == sa.bindparam("session_id"), Session.last_seen_at <= sa.bindparam("before")
)
_HOLDER = sa.select(User.name).join(Session, Session.user_id == User.id).where(Session.id == sa.bindparam("session_id"))
_STRENGTHEN = (
    sa.update(Session)
    .where(Session.id == sa.bindparam("session_id"))
    .values(second_factor_at=sa.bindparam("moment", type_=UtcDateTime()))
)
_WEAKEN = sa.update(Session).where(Session.user_id == sa.bindparam("owner")).values(second_factor_at=None)
_DELETE = sa.delete(Session).where(Session.id == sa.bindparam("session_id"))
_DELETE_OF = sa.delete(Session).where(Session.user_id == sa.bindparam("user_id"))
_DELETE_OTHERS = _DELETE_OF.where(Session.id != sa.bindparam("kept"))
_DELETE_EXPIRED = sa.delete(Session).where(Session.expires_at <= sa.bindparam("moment"))


def begin(user_id: str, *, client: Client = SOMEBODY, is_strong: bool = False) -> TokensRow:
    """Let the user in on a device: an access token for minutes, and a refresh token that is exchanged for the next.

    It is strong if they have shown a second factor.
    """
    life = _Life.from_now()
    family, secret, access = new_token(16), new_token(), new_token()
    refresh = f"{family}.{secret}"
    access_until = min(life.expires_at, life.begun_at + timedelta(seconds=current_settings().access_seconds))
    _insert(
        user_id,
        life,
        client,
        is_strong,
        access_digest=digest_token(access),
        access_expires_at=access_until,
        family=digest_token(family),
        refresh_digest=digest_token(refresh),
    )
    return _tokens(access, refresh, life.begun_at, access_until, life.expires_at)


def begin_in_browser(user_id: str, *, client: Client, is_strong: bool = False) -> CookieRow:
    """Let the user in by a browser, whose cookie is enough for as long as it is used now and then."""
    life, token = _Life.from_now(), new_token()
    _insert(
        user_id,
        life,
        client,
        is_strong,
        access_digest=digest_token(token),
        access_expires_at=life.expires_at,
    )
    return CookieRow(token, current_settings().session_max_seconds)


def refresh(shown: str) -> TokensRow:
    """Exchange a refresh token for the next pair; one that was exchanged before ends its session (RFC 9700 §4.14)."""
    settings, moment = current_settings(), now()
    access, following = new_token(), f"{shown.partition('.')[0]}.{new_token()}"
    rotated = change(
        _ROTATE,
        shown=digest_token(shown),
        moment=moment,
        next=digest_token(following),
        access=digest_token(access),
        access_until=moment + timedelta(seconds=min(settings.access_seconds, settings.session_idle_seconds)),
        until=moment + timedelta(seconds=settings.session_idle_seconds),
    )
    if not rotated:
        _refuse(shown, moment)
    access_expires_at, expires_at = execute(_LIFE, next=digest_token(following)).one()
    return _tokens(access, following, moment, access_expires_at, expires_at)


def search(
    *,
    viewer_id: str | None,
    current_id: str | None,
    limit: int,
    after: str | None = None,
    sort: str = "-last_seen_at",
    count: bool = False,
    **filters: object,
) -> Page[SessionRow]:
    """List the sessions of a viewer, with None everybody's; the filters are those of `FILTERS`."""
    where = () if viewer_id is None else _OF_ONE
    return _LIST.page(
        lambda rows: [_row(row, current_id) for row in rows],
        limit=limit,
        after=after,
        sort=sort,
        count=count,
        filters=filters,
        where=where,
        parameters={"moment": now(), "viewer_id": viewer_id},
    )


def get(session_id: str, *, viewer_id: str | None, current_id: str | None) -> SessionRow:
    """Return a session to its user, or with None to who manages users; to anybody else there is none."""
    row = execute(_GET, session_id=session_id, moment=now()).one_or_none()
    if row is None or viewer_id not in (None, row[1]):
        raise SessionNotFound
    return _row(row, current_id)


def leave(session_id: str, user_id: str, name: str) -> None:
    """End the session of a user who signs out."""
    if change(_DELETE, session_id=session_id):
        audit.record("user.sign_out", user_id, name, by=(user_id, name))


def revoke(session_id: str) -> None:
    """End a session at once; one that has ended is forgiven."""
    _end(session_id, "session.end")


def revoke_all(user_id: str, *, kept: str | None = None) -> EndedRow:
    """End all sessions of a user but the one to be kept."""
    ended = change(_DELETE_OF, user_id=user_id) if kept is None else change(_DELETE_OTHERS, user_id=user_id, kept=kept)
    if ended:
        audit.record("user.end_sessions", user_id, after={"ended": ended})
    return EndedRow(ended)


def strengthen(session_id: str) -> None:
    """Write down that the user of a session has shown a second factor in it."""
    change(_STRENGTHEN, session_id=session_id, moment=now())


def weaken(user_id: str) -> None:
    """Let no session of a user count as strong, for they have no second factor any more."""
    change(_WEAKEN, owner=user_id)


@background
def note_seen(session_id: str) -> None:
    """Write down that a session is in use, unless that was done a minute ago; a browser's goes on for that."""
    moment = now()
    before = moment - timedelta(seconds=SEEN_SECONDS)
    with transaction():
        if change(_SEEN, session_id=session_id, before=before, last_seen_at=moment):
            idle_seconds = current_settings().session_idle_seconds
            change(_PROLONG, session_id=session_id, until=moment + timedelta(seconds=idle_seconds))


def prune_expired() -> int:
    """Delete the sessions that have expired; return how many."""
    return change(_DELETE_EXPIRED, moment=now())


def _insert(user_id: str, life: _Life, client: Client, is_strong: bool, **columns: Any) -> None:
    change(
        _INSERT,
        id=new_id(),
        user_id=user_id,
        refreshed_at=life.begun_at,
        created_at=life.begun_at,
        last_seen_at=life.begun_at,
        expires_at=life.expires_at,
        ends_at=life.ends_at,
        second_factor_at=life.begun_at if is_strong else None,
        device=_fitting(client.device, DEVICE_LENGTH),
        address=_fitting(client.address, ADDRESS_LENGTH),
        **columns,
    )


def _refuse(shown: str, moment: datetime) -> None:
    """Refuse a refresh token that is nobody's; end the session of one that was exchanged a while ago."""
    row = execute(_FAMILY, family=digest_token(shown.partition(".")[0]), moment=moment).one_or_none()
    if row is None:
        raise RefreshRefused
    session_id, user_id, previous_digest, refreshed_at = row
    is_twin = previous_digest == digest_token(shown) and moment - refreshed_at <= timedelta(seconds=LEEWAY_SECONDS)
    if not is_twin:
        _end(session_id, "session.end_reused")
        _LOG.warning("A refresh token was used again: session %s of user %s has ended", session_id, user_id)
    raise RefreshRefused


def _end(session_id: str, action: str) -> None:
    user = execute(_HOLDER, session_id=session_id).one_or_none()
    if change(_DELETE, session_id=session_id) and user is not None:
        audit.record(action, session_id, user.name)


def _tokens(access: str, refresh: str, moment: datetime, access_until: datetime, until: datetime) -> TokensRow:
    return TokensRow(
        token=access,
        expires_in=int((access_until - moment).total_seconds()),
        expires_at=access_until,
        refresh_token=refresh,
        refresh_expires_in=int((until - moment).total_seconds()),
        refresh_expires_at=until,
    )


def _row(row: sa.Row[*tuple[Any, ...]], current_id: str | None) -> SessionRow:
    session_id, user_id, user_name, device, address, created_at, last_seen_at, expires_at = row
    return SessionRow(
        session_id, user_id, user_name, device, address, session_id == current_id, created_at, last_seen_at, expires_at
    )


def _fitting(text: str, length: int) -> str:
    """Return what a header says as one line that a column takes."""
    return "".join(letter for letter in text if letter.isprintable())[:length]
