"""Rules about the second factor: a secret is offered, confirmed by a code, and asked for at each sign-in from then on.

Whoever changes it locks the user first, as does whoever lets them in, so that nobody comes in by the password alone
while it is turned on.
"""

from collections.abc import Set
from datetime import datetime, timedelta

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import UtcDateTime, change, execute
from application.libs import one_time_code, recovery_code
from application.libs.clock import now
from application.libs.error import Conflict, Invalid, Unauthenticated, field_error
from application.libs.record import Record
from application.libs.sealing import seal, unseal
from application.modules.audit import business as audit
from application.modules.factor.models import Factor, RecoveryCode
from application.modules.role import business as role_business
from application.modules.session import business as sessions
from application.modules.throttle import business as throttle
from application.modules.user.business import UserNotFound, check_within
from application.modules.user.models import User, UserRole
from application.permissions import ADMINISTRATIVE

RECOVERY_CODES = 10
"""How many are given out; who has used some asks for others."""

OFFER_SECONDS = 900
"""How long a secret that was offered can be confirmed."""

WITHHELD = "Administrators need a second factor here: set one up at /second-factor, or sign in with its code"
"""Why an administrator who has shown none may do nothing."""


class WrongCurrentCode(Invalid):
    """The code is wrong, or was used before."""

    commits = True  # its place stays taken


class FactorOff(Conflict):
    """There is no second factor that is on."""


class NothingOffered(Conflict):
    """No secret was offered in the last minutes; begin again."""


class FactorRequired(Conflict):
    """Administrators need a second factor here: set up another one in its place."""


class OwnFactor(Conflict):
    """One's own second factor is not reset, but turned off with its code."""


class StateRow(Record):
    """Hold whether a user's second factor is on, since when, and how many recovery codes are left."""

    is_on: bool
    is_required: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


class OfferRow(Record):
    """Hold a secret that is shown this once, and the same as phones read it."""

    secret: str
    uri: str
    seconds: int


class RecoveryCodesRow(Record):
    """Hold fresh recovery codes, which are shown this once."""

    recovery_codes: list[str]


_of_user = Factor.user_id == sa.bindparam("owner")
_FIND = sa.select(Factor.secret, Factor.confirmed_at, Factor.offered, Factor.offered_at).where(_of_user)
_IS_ON = sa.select(Factor.user_id).where(_of_user, Factor.confirmed_at.is_not(None))
_ROLES = sa.select(UserRole.role).where(UserRole.user_id == sa.bindparam("owner"))
_LOCK_USER = sa.select(User.name).where(User.id == sa.bindparam("owner")).with_for_update()
_INSERT = sa.insert(Factor)
_OFFER = (
    sa.update(Factor)
    .where(_of_user)
    .values(offered=sa.bindparam("new"), offered_at=sa.bindparam("moment", type_=UtcDateTime()))
)
_CONFIRM = (
    sa.update(Factor)
    .where(_of_user)
    .values(
        secret=Factor.offered,
        last_step=sa.bindparam("step"),
        confirmed_at=sa.bindparam("moment", type_=UtcDateTime()),
    )
)
_NO_OFFER = sa.update(Factor).where(_of_user).values(offered=None, offered_at=None)
_USE_STEP = (
    sa.update(Factor)
    .where(
        _of_user,
        Factor.secret == sa.bindparam("checked"),
        sa.or_(Factor.last_step.is_(None), Factor.last_step < sa.bindparam("step")),
    )
    .values(last_step=sa.bindparam("step"))
)
_DELETE = sa.delete(Factor).where(_of_user)
_of_owner = RecoveryCode.user_id == sa.bindparam("owner")
_COUNT_CODES = sa.select(sa.func.count()).select_from(RecoveryCode).where(_of_owner)
_INSERT_CODE = sa.insert(RecoveryCode)
_USE_CODE = sa.delete(RecoveryCode).where(_of_owner, RecoveryCode.digest == sa.bindparam("shown"))
_DELETE_CODES = sa.delete(RecoveryCode).where(_of_owner)


def is_required(permissions: Set[str]) -> bool:
    """Tell whether the settings want a second factor of whoever holds these permissions."""
    return not ADMINISTRATIVE.isdisjoint(permissions) and current_settings().second_factor_for_admins


def is_on(user_id: str) -> bool:
    """Tell whether a user needs a code to sign in."""
    return execute(_IS_ON, owner=user_id).first() is not None


def check_on(user_id: str) -> None:
    """Raise `FactorOff` if a user has no second factor."""
    if not is_on(user_id):
        raise FactorOff


def get(user_id: str) -> StateRow:
    """Return how a user's second factor is."""
    row = execute(_FIND, owner=user_id).one_or_none()
    confirmed_at = None if row is None else row.confirmed_at
    return StateRow(
        is_on=confirmed_at is not None,
        is_required=is_required(_permissions_of(user_id)),
        confirmed_at=confirmed_at,
        recovery_codes_left=execute(_COUNT_CODES, owner=user_id).scalar_one(),
    )


def passes(user_id: str, code: str, *, address: str | None) -> bool:
    """Tell whether a code is right, and use it up; raise `Throttled` after too many.

    The place is taken before the code is looked at, and whoever is told no has to commit.
    """
    shown = one_time_code.read_code(code)
    if shown is None:
        return _passes_recovery(user_id, code, address)
    throttle.take_factor_code(user_id, address)
    row = execute(_FIND, owner=user_id).one_or_none()
    secret = None if row is None or row.confirmed_at is None else _opened(row.secret, user_id)
    step = None if secret is None else one_time_code.find_step(secret, shown, now())
    if row is None or step is None or not change(_USE_STEP, owner=user_id, checked=row.secret, step=step):
        return False
    throttle.forgive_factor_code(user_id, address)
    return True


def offer(user_id: str, *, code: str | None, address: str | None) -> OfferRow:
    """Give out a secret, which counts once a code of it is shown; where a second factor is on, it takes its code."""
    name = _lock(user_id)
    if is_on(user_id):
        _use(user_id, code or "", address)
    secret, moment = one_time_code.new_secret(), now()
    new = seal(secret, key=_key(), purpose=_purpose(user_id))
    if not change(_OFFER, owner=user_id, new=new, moment=moment):
        change(_INSERT, user_id=user_id, offered=new, offered_at=moment, created_at=moment)
    uri = one_time_code.address(secret, name=name, issuer=current_settings().second_factor_issuer)
    return OfferRow(secret, uri, OFFER_SECONDS)


def confirm(user_id: str, code: str, *, session_id: str | None, address: str | None) -> RecoveryCodesRow:
    """Turn the second factor on that was offered: its code was shown in a session, which goes on; all others end."""
    name = _lock(user_id)
    row = execute(_FIND, owner=user_id).one_or_none()
    oldest = now() - timedelta(seconds=OFFER_SECONDS)
    if row is None or row.offered is None or row.offered_at is None or row.offered_at <= oldest:
        raise NothingOffered
    throttle.take_factor_code(user_id, address)
    secret, shown = _opened(row.offered, user_id), one_time_code.read_code(code)
    step = None if secret is None or shown is None else one_time_code.find_step(secret, shown, now())
    if step is None:
        raise _wrong_code()
    throttle.forgive_factor_code(user_id, address)
    change(_CONFIRM, owner=user_id, step=step, moment=now())
    change(_NO_OFFER, owner=user_id)
    audit.record("user.turn_on_factor", user_id, name)
    sessions.revoke_all(user_id, kept=session_id)
    if session_id is not None:
        sessions.strengthen(session_id)
    return _give_codes(user_id)


def renew_codes(user_id: str, code: str, *, address: str | None) -> RecoveryCodesRow:
    """Give out other recovery codes in the place of all there are."""
    name = _lock(user_id)
    check_on(user_id)
    _use(user_id, code, address)
    audit.record("user.renew_recovery_codes", user_id, name)
    return _give_codes(user_id)


def turn_off(user_id: str, code: str, *, address: str | None) -> None:
    """Let the user sign in by the password alone from now on, unless the settings want more of them."""
    name = _lock(user_id)
    check_on(user_id)
    if is_required(_permissions_of(user_id)):
        raise FactorRequired
    _use(user_id, code, address)
    _remove(user_id)
    sessions.weaken(user_id)
    audit.record("user.turn_off_factor", user_id, name)


def reset(user_id: str, *, actor_id: str, held: Set[str]) -> None:
    """Take the second factor from a user who has lost it, and end their sessions.

    Whoever does that to somebody who holds more than they do could come to it that way.
    """
    if user_id == actor_id:
        raise OwnFactor
    check_within(user_id, held)
    take_away(user_id)


def take_away(user_id: str) -> None:
    """Take the second factor from a user, whoever wants it: from the command line, the last administrator's, too."""
    name = _find_and_lock(user_id)
    if name is None:
        raise UserNotFound
    check_on(user_id)
    _remove(user_id)
    audit.record("user.reset_factor", user_id, name)
    sessions.revoke_all(user_id)


def _passes_recovery(user_id: str, code: str, address: str | None) -> bool:
    throttle.take_recovery(address)
    if not change(_USE_CODE, owner=user_id, shown=recovery_code.digest_code(code)):
        return False
    throttle.forgive_recovery(user_id, address)
    audit.record("user.use_recovery_code", user_id, by=(user_id, None))
    return True


def _use(user_id: str, code: str, address: str | None) -> None:
    """Use a code up, which whoever is signed in shows beside their password."""
    if not passes(user_id, code, address=address):
        raise _wrong_code()


def _give_codes(user_id: str) -> RecoveryCodesRow:
    change(_DELETE_CODES, owner=user_id)
    codes = [recovery_code.new_code() for _number in range(RECOVERY_CODES)]
    change(_INSERT_CODE, [{"user_id": user_id, "digest": recovery_code.digest_code(code)} for code in codes])
    return RecoveryCodesRow(codes)


def _remove(user_id: str) -> None:
    change(_DELETE, owner=user_id)
    change(_DELETE_CODES, owner=user_id)


def _lock(user_id: str) -> str:
    """Let nobody else change or let in this user until the end; return their name."""
    name = _find_and_lock(user_id)
    if name is None:  # deleted since the request was let in
        raise Unauthenticated
    return name


def _find_and_lock(user_id: str) -> str | None:
    return execute(_LOCK_USER, owner=user_id).scalar_one_or_none()


def _permissions_of(user_id: str) -> frozenset[str]:
    return role_business.find_permissions(execute(_ROLES, owner=user_id).scalars().all())


def _opened(sealed: str | None, user_id: str) -> str | None:
    """Return a secret, or None where it was sealed under another SECRET_KEY; recovery codes go on then."""
    return None if sealed is None else unseal(sealed, key=_key(), purpose=_purpose(user_id))


def _key() -> str:
    return current_settings().secret_key.get_secret_value()


def _purpose(user_id: str) -> str:
    return f"second factor of {user_id}"


def _wrong_code() -> WrongCurrentCode:
    return WrongCurrentCode(
        errors=[field_error("body", "code", msg=WrongCurrentCode.title, type_="wrong_current_code")]
    )
