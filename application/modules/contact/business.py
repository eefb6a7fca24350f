"""Rules about contacts: an address is compared without case, is one user's at most, and is shown to nobody else.

What is sent goes to the address as it was verified, never to one that somebody typed and that only compares alike:
`straße@…` and `strasse@…` may be two mailboxes.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from application.database import change, execute
from application.libs.clock import now
from application.libs.error import Conflict, NotFound
from application.libs.ident import new_id
from application.libs.mail import deliverable, is_like_address
from application.libs.record import Record
from application.modules.audit import business as audit
from application.modules.code.models import Code
from application.modules.contact.models import Contact, Kind
from application.modules.message import business as messages
from application.modules.message.models import Channel
from application.modules.user.models import User

MOST = 10
"""How many contacts a user has: an address at home and one at work, and some more."""

_CHANNELS = {Kind.MAIL: Channel.MAIL, Kind.PHONE: Channel.SMS}


class ContactNotFound(NotFound):
    """There is no such contact."""


class ContactTaken(Conflict):
    """The address belongs to an account."""


class TooManyContacts(Conflict):
    """The user has as many contacts as one may have; delete one first."""


class OnlyWayIn(Conflict):
    """Without a password this contact is the only way to sign in."""


class Address(Record):
    """Hold an address in its normal form, and what it is found by."""

    kind: Kind
    text: str
    digest: str


class ContactRow(Record):
    """Hold a contact."""

    id: str
    kind: str
    address: str
    verified_at: datetime


class HolderRow(Record):
    """Hold whose an address is, how it was written when it was verified, and whether that user may come in."""

    user_id: str
    kind: str
    address: str
    is_disabled: bool


_OF_USER = (
    sa.select(Contact.id, Contact.kind, Contact.address, Contact.verified_at)
    .where(Contact.user_id == sa.bindparam("user_id"))
    .order_by(Contact.verified_at, Contact.id)
)
_GET = sa.select(Contact.id, Contact.kind, Contact.address, Contact.verified_at, Contact.digest).where(
    Contact.id == sa.bindparam("contact_id"), Contact.user_id == sa.bindparam("user_id")
)
_HOLDER = (
    sa.select(Contact.user_id, Contact.kind, Contact.address, User.disabled_at)
    .join(User, User.id == Contact.user_id)
    .where(Contact.digest == sa.bindparam("digest"))
)
_LOCK_USER = sa.select(User.name, User.password_hash).where(User.id == sa.bindparam("user_id")).with_for_update()
_COUNT = sa.select(sa.func.count()).select_from(Contact).where(Contact.user_id == sa.bindparam("user_id"))
_INSERT = sa.insert(Contact)
_DELETE = sa.delete(Contact).where(Contact.id == sa.bindparam("contact_id"))
_DELETE_CODES = sa.delete(Code).where(Code.digest == sa.bindparam("digest"))


def read_address(text: str) -> Address:
    """Return a mail address or a number with its country in its normal form; raise `InvalidRecipient`."""
    kind = Kind.MAIL if "@" in text else Kind.PHONE
    normal = messages.checked_recipient(_CHANNELS[kind], text)
    return Address(kind, normal, _digest(kind, normal))


def find_address(text: str) -> Address | None:
    """Return the address that a text is which somebody signs in with; None for what can only be a name."""
    if not is_like_address(text):
        return None
    try:
        return read_address(text)
    except messages.InvalidRecipient:
        return None


def channel_of(kind: str) -> Channel:
    """Return by what is sent to addresses of a kind."""
    return _CHANNELS[Kind(kind)]


def search(user_id: str) -> Sequence[ContactRow]:
    """List the contacts of a user, the oldest first."""
    return [ContactRow(*row) for row in execute(_OF_USER, user_id=user_id)]


def find_holder(digest: str) -> HolderRow | None:
    """Return whose an address is."""
    row = execute(_HOLDER, digest=digest).one_or_none()
    return None if row is None else HolderRow(row.user_id, row.kind, row.address, row.disabled_at is not None)


def add(user_id: str, address: Address) -> ContactRow:
    """Give a user an address which they have shown to read."""
    user = execute(_LOCK_USER, user_id=user_id).one()
    if execute(_COUNT, user_id=user_id).scalar_one() >= MOST:
        raise TooManyContacts
    contact = ContactRow(id=new_id(), kind=address.kind, address=address.text, verified_at=now())
    change(
        _INSERT,
        conflict=ContactTaken,
        id=contact.id,
        user_id=user_id,
        kind=contact.kind,
        address=contact.address,
        digest=address.digest,
        verified_at=contact.verified_at,
    )
    audit.record("contact.create", contact.id, user.name, after={"kind": contact.kind})
    return contact


def tell_others(user_id: str, contact: ContactRow, *, language: str) -> None:
    """Mail the other addresses of a user that one was added: whoever stole a session could stay by that."""
    for other in search(user_id):
        if other.id != contact.id and other.kind == Kind.MAIL:
            messages.send_mail(to=other.address, template="contact_added", language=language, address=contact.address)


def delete(contact_id: str, *, user_id: str) -> None:
    """Take an address away from its user, with the codes that were sent there; anybody else's there is not."""
    user = execute(_LOCK_USER, user_id=user_id).one_or_none()
    row = execute(_GET, contact_id=contact_id, user_id=user_id).one_or_none()
    if user is None or row is None:
        raise ContactNotFound
    if user.password_hash is None and execute(_COUNT, user_id=user_id).scalar_one() == 1:
        raise OnlyWayIn
    change(_DELETE, contact_id=contact_id)
    change(_DELETE_CODES, digest=row.digest)
    audit.record("contact.delete", contact_id, user.name, before={"kind": row.kind})


def _digest(kind: Kind, normal: str) -> str:
    """Return what an address is found by: a domain as servers know it, and everything without case."""
    known = deliverable(normal) if kind is Kind.MAIL else normal
    folded = unicodedata.normalize("NFC", known.casefold())
    return hashlib.sha256(f"{kind}:{folded}".encode()).hexdigest()
