"""Rules about attempts at a secret: a limit has a few places, each attempt takes one, and a good one gives it back.

    take(LIMIT, key)             # before the secret is looked at, so that guesses made at once cannot pass together
    …                            # a wrong one keeps its place until the time is over
    clear(LIMIT, key)            # a right one leaves none behind

Places are rows, so that all processes of all machines count together. The time begins with the first attempt and is
not prolonged by those that are refused: nobody is locked out for good.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa

from application.database import UtcDateTime, change, execute, write_aside
from application.database.upsert import Changes, Upsert
from application.libs.clock import now
from application.libs.error import TooManyRequests
from application.libs.record import Record
from application.libs.remote import network
from application.modules.throttle.models import Throttle


class Throttled(TooManyRequests):
    """There were too many attempts; wait as long as `Retry-After` says."""

    commits = True


class Limit(Record):
    """Say how many attempts a key has at something in how many seconds."""

    scope: str
    most: int
    per_seconds: int


class LimitRow(Record):
    """Hold how a limit does: how many keys it counts and holds back now, and how many attempts it has refused."""

    scope: str
    most: int
    per_seconds: int
    counted: int
    held_back: int
    refused: int
    since: datetime | None


LOGIN_ACCOUNT = Limit("login-account", most=5, per_seconds=300)
"""Wrong passwords of one name, known or not: people err twice or thrice, and 1440 guesses a day lead nowhere."""

LOGIN_ADDRESS = Limit("login-address", most=30, per_seconds=300)
"""Wrong passwords of all names from one address, which may be an office's."""

FACTOR_ACCOUNT = Limit("factor-account", most=5, per_seconds=300)
"""Wrong one-time codes of one user, whose password is known to whoever tries."""

FACTOR_DAY = Limit("factor-day", most=30, per_seconds=86_400)
"""The same for a day: of a million codes three count at a time, so whoever guesses for a year wins once in thirty."""

FACTOR_ADDRESS = Limit("factor-address", most=30, per_seconds=300)
"""Wrong codes, also those for who has lost their phone, of all users from one address."""

CODE_ASK = Limit("code-ask", most=5, per_seconds=3600)
"""Codes for one mail address or number, whatever for: one may ask again, and nobody is buried in mail."""

CODE_ASK_ADDRESS = Limit("code-ask-address", most=30, per_seconds=3600)
"""Codes that one address asks for, of whomever: each short message costs money."""

CODE_GUESS = Limit("code-guess", most=20, per_seconds=86_400)
"""Wrong codes of one mail address or number: at 20 a day of a million, one in 137 is guessed within a year."""

CODE_GUESS_ADDRESS = Limit("code-guess-address", most=30, per_seconds=300)
"""Wrong codes from one address, as of passwords."""

REGISTER_ADDRESS = Limit("register-address", most=10, per_seconds=3600)
"""Accounts that are made from one address, which may be a classroom's."""

LIMITS = (
    LOGIN_ACCOUNT,
    LOGIN_ADDRESS,
    FACTOR_ACCOUNT,
    FACTOR_ADDRESS,
    FACTOR_DAY,
    CODE_ASK,
    CODE_ASK_ADDRESS,
    CODE_GUESS,
    CODE_GUESS_ADDRESS,
    REGISTER_ADDRESS,
)

KEPT = timedelta(days=1)
"""How long it is remembered that somebody was refused, for the figures."""

_moment, _most = sa.bindparam("moment", type_=UtcDateTime()), sa.bindparam("most", type_=sa.Integer())
_is_over, _is_full = Throttle.expires_at <= _moment, Throttle.taken >= _most


def _taking(new: Any) -> Changes:
    """Take a place of a row that is there; when its time is over, the first one of a new time."""
    is_refused = sa.and_(sa.not_(_is_over), _is_full)
    return (
        ("is_refused", is_refused),
        ("refused", Throttle.refused + sa.case((is_refused, 1), else_=0)),
        ("taken", sa.case((_is_over, 1), (_is_full, Throttle.taken), else_=Throttle.taken + 1)),
        ("expires_at", sa.case((_is_over, new.expires_at), else_=Throttle.expires_at)),
    )


_of_key = (Throttle.scope == sa.bindparam("limit"), Throttle.digest == sa.bindparam("key"))
_TAKE = Upsert(Throttle, _taking, returning=(Throttle.is_refused, Throttle.expires_at))
_GIVE_BACK = sa.update(Throttle).where(*_of_key, Throttle.taken > 0).values(taken=Throttle.taken - 1)
_CLEAR = sa.delete(Throttle).where(*_of_key, Throttle.refused == 0)
_CLEAR_REFUSED = sa.update(Throttle).where(*_of_key).values(taken=0)
_FULL = sa.select(Throttle.scope).where(*_of_key, sa.not_(_is_over), _is_full)
_FIGURES = sa.select(
    sa.func.count(sa.case((sa.and_(sa.not_(_is_over), Throttle.taken > 0), 1))),
    sa.func.count(sa.case((sa.and_(sa.not_(_is_over), _is_full), 1))),
    sa.func.coalesce(sa.func.sum(Throttle.refused), 0),
    sa.func.min(sa.case((Throttle.refused > 0, Throttle.created_at))),
).where(Throttle.scope == sa.bindparam("limit"))
_PRUNE = sa.delete(Throttle).where(
    _is_over, sa.or_(Throttle.refused == 0, Throttle.expires_at <= sa.bindparam("long_ago", type_=UtcDateTime()))
)


def take(limit: Limit, key: str) -> None:
    """Take a place; raise `Throttled` where none is left, which commits what the unit has done so far.

    Call it first in its unit. A rule that refuses in the same unit later must commit, too (`commits = True`), or its
    place would be given back with all the rest.
    """
    moment = now()
    row = _TAKE.run(
        scope=limit.scope,
        digest=_digest(key),
        taken=1,
        refused=0,
        is_refused=False,
        created_at=moment,
        expires_at=moment + timedelta(seconds=limit.per_seconds),
        moment=moment,
        most=limit.most,
    )
    if row.is_refused:
        seconds = str(max(1, ceil((row.expires_at - moment).total_seconds())))
        raise Throttled(f"Try again in {seconds} seconds", headers={"Retry-After": seconds})


def give_back(limit: Limit, key: str) -> None:
    """Give back one place that was taken."""
    change(_GIVE_BACK, limit=limit.scope, key=_digest(key))


def clear(limit: Limit, key: str) -> None:
    """Give back all places of a key; that it was refused is still remembered."""
    digest = _digest(key)
    if change(_CLEAR, limit=limit.scope, key=digest) == 0:
        change(_CLEAR_REFUSED, limit=limit.scope, key=digest)


def is_held_back(limit: Limit, key: str) -> bool:
    """Tell whether no place is left: one indexed read."""
    found = execute(_FULL, limit=limit.scope, key=_digest(key), moment=now(), most=limit.most)
    return found.first() is not None


def take_login(name: str, remote: str | None) -> None:
    """Take a place for one password of a name, from an address; raise `Throttled`."""
    _take_all((LOGIN_ADDRESS, network(remote)), (LOGIN_ACCOUNT, _folded(name)))


def check_login(name: str, remote: str | None) -> None:
    """Raise `Throttled` if a password of this name from this address would find no place, else only read."""
    if is_held_back(LOGIN_ACCOUNT, _folded(name)) or is_held_back(LOGIN_ADDRESS, network(remote)):
        count_login(name, remote)


def count_login(name: str, remote: str | None) -> None:
    """Take a place for a password that was found wrong in a unit that reads; it stays taken whatever comes then."""
    with write_aside():
        take_login(name, remote)


def forgive_login(name: str, remote: str | None) -> None:
    """Forget the wrong passwords of a name after a right one; its address gets back the one place."""
    give_back(LOGIN_ADDRESS, network(remote))  # in the order they are taken in, so that two do not wait in a ring
    clear(LOGIN_ACCOUNT, _folded(name))


def take_factor_code(user_id: str, remote: str | None) -> None:
    """Take a place for one one-time code of a user, from an address; raise `Throttled`."""
    _take_all((FACTOR_ADDRESS, network(remote)), (FACTOR_ACCOUNT, user_id), (FACTOR_DAY, user_id))


def forgive_factor_code(user_id: str, remote: str | None) -> None:
    """Forget the wrong codes of a user after a right one, but not those of the day.

    Somebody who knows the password may go on guessing beside the user, who signs in every day.
    """
    give_back(FACTOR_ADDRESS, network(remote))
    clear(FACTOR_ACCOUNT, user_id)
    give_back(FACTOR_DAY, user_id)


def take_recovery(remote: str | None) -> None:
    """Take a place for a code of who has lost their phone, which is too long to be guessed; raise `Throttled`.

    It takes none of the user's, for whoever guesses the other codes is not to keep them out.
    """
    take(FACTOR_ADDRESS, network(remote))


def forgive_recovery(user_id: str, remote: str | None) -> None:
    """Forget all wrong codes of a user who has shown such a code."""
    give_back(FACTOR_ADDRESS, network(remote))
    clear(FACTOR_ACCOUNT, user_id)
    clear(FACTOR_DAY, user_id)


def forgive_names(names: Iterable[str]) -> None:
    """Forget the wrong passwords of all names of an account that has got another password."""
    for name in sorted(map(_folded, names)):
        clear(LOGIN_ACCOUNT, name)


def take_code(key: str, remote: str | None) -> None:
    """Take a place for a code that is to be sent to a mail address or number; raise `Throttled`."""
    _take_all((CODE_ASK_ADDRESS, network(remote)), (CODE_ASK, key))


def take_code_guess(key: str, remote: str | None) -> None:
    """Take a place for a code that is shown for a mail address or number; raise `Throttled`."""
    _take_all((CODE_GUESS_ADDRESS, network(remote)), (CODE_GUESS, key))


def forgive_code_guess(key: str, remote: str | None) -> None:
    """Forget the wrong codes of a mail address or number after a right one; its address gets back the one place."""
    give_back(CODE_GUESS_ADDRESS, network(remote))
    clear(CODE_GUESS, key)


def take_registration(remote: str | None) -> None:
    """Take a place for an account that is made from an address; raise `Throttled`."""
    take(REGISTER_ADDRESS, network(remote))


def figures() -> Sequence[LimitRow]:
    """Return how each limit does."""
    moment = now()
    rows = []
    for limit in LIMITS:
        row = execute(_FIGURES, limit=limit.scope, moment=moment, most=limit.most).one()
        counted, held_back, refused, since = row
        rows.append(
            LimitRow(
                scope=limit.scope,
                most=limit.most,
                per_seconds=limit.per_seconds,
                counted=counted,
                held_back=held_back,
                refused=int(refused),
                since=since,
            )
        )
    return rows


def prune() -> int:
    """Delete the counts whose time is over, a day later where somebody was refused; return how many."""
    moment = now()
    return change(_PRUNE, moment=moment, long_ago=moment - KEPT)


def _take_all(*places: tuple[Limit, str]) -> None:
    """Take a place of each, in this order; who is refused at one takes none of the others.

    Who is refused because of a name would else shut out everybody who shares the address; who is because of the
    address, everybody else who has the name.
    """
    for taken, (limit, key) in enumerate(places):
        try:
            take(limit, key)
        except Throttled:
            for before in places[:taken]:
                give_back(*before)
            raise


def _folded(name: str) -> str:
    """Return a name as it is counted: what people take for the same one shares its places."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
