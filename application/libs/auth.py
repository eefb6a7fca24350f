"""Know who is asking: the identity of the current request."""

import base64
import binascii

from application.libs.current import current_notes
from application.libs.error import Forbidden, Unauthenticated
from application.libs.record import Record


class PermissionMissing(Forbidden):
    """The caller lacks a permission."""


class KeyRefused(Forbidden):
    """No key for machines may do this; sign in."""


ANY_KEY = "*"
"""Stands for no permission at all where a key needs none."""


class Identity(Record):
    """Hold who is asking and what they may do.

    `session_id` names the session they came by, if any; `key_id` the key, where a machine asks on behalf of a user.
    `withheld` says why they hold none of the permissions that their roles would give.
    """

    user_id: str
    name: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    session_id: str | None = None
    key_id: str | None = None
    withheld: str = ""

    @property
    def pass_id(self) -> str | None:
        """Return the id of what let them in, session or key, for who looks later whether it still does."""
        return self.session_id or self.key_id

    def may(self, permission: str) -> bool:
        """Tell whether the caller holds the permission."""
        return permission in self.permissions

    def lacking(self, permission: str) -> PermissionMissing:
        """Return the refusal that says what they lack, or why that does not count."""
        return PermissionMissing(self.withheld or f"This needs the permission {permission}")


class Credentials(Record):
    """Hold what the Authorization header gave, the scheme in lower case and its value, or a browser's cookie.

    `address` is where from, if that is known.
    """

    scheme: str
    value: str
    by_browser: bool = False
    address: str | None = None


def read_credentials(header: str | None, address: str | None = None) -> Credentials | None:
    """Return the credentials of an Authorization header, or None without one (RFC 9110 §11.4)."""
    if not header:
        return None
    scheme, _, value = header.strip().partition(" ")
    return Credentials(scheme=scheme.lower(), value=value.strip(), address=address)


def read_basic(credentials: Credentials) -> tuple[str, str] | None:
    """Return name and password of HTTP Basic credentials (RFC 7617), UTF-8 or else latin-1; None if malformed."""
    try:
        raw = base64.b64decode(credentials.value, validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    name, colon, password = text.partition(":")
    return (name, password) if colon and "\x00" not in name else None


def set_identity(identity: Identity | None) -> None:
    """Remember who is asking for the rest of the request or socket event."""
    current_notes().identity = identity


def find_identity() -> Identity | None:
    """Return who is asking, or None when nobody signed in."""
    identity: Identity | None = current_notes().get("identity")
    return identity


def current_identity() -> Identity:
    """Return who is asking; raise `Unauthenticated` when nobody signed in."""
    identity = find_identity()
    if identity is None:
        raise Unauthenticated
    return identity


def viewer_id(scope: str | None = None) -> str | None:
    """Return the id of who is asking, or None when nobody signed in; a key that lacks the scope counts as nobody."""
    identity = find_identity()
    if identity is None or (scope is not None and identity.key_id is not None and not identity.may(scope)):
        return None
    return identity.user_id
