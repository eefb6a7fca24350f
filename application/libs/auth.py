"""Know who is asking: the identity of the current request."""

from flask import g

from application.libs.error import Forbidden, Unauthenticated
from application.libs.record import Record


class PermissionMissing(Forbidden):
    """The caller lacks a permission."""


class Identity(Record):
    """Hold who is asking and what they may do; `token_id` names the token they came with, if any."""

    user_id: str
    name: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    token_id: str | None = None

    def may(self, permission: str) -> bool:
        """Tell whether the caller holds the permission."""
        return permission in self.permissions


class Credentials(Record):
    """Hold what the Authorization header gave: the scheme in lower case and its value."""

    scheme: str
    value: str


def read_credentials(header: str | None) -> Credentials | None:
    """Return the credentials of an Authorization header, or None without one (RFC 9110 §11.4)."""
    if not header:
        return None
    scheme, _, value = header.strip().partition(" ")
    return Credentials(scheme=scheme.lower(), value=value.strip())


def set_identity(identity: Identity | None) -> None:
    """Remember who is asking for the rest of the request or socket event."""
    g.identity = identity


def find_identity() -> Identity | None:
    """Return who is asking, or None when nobody signed in."""
    identity: Identity | None = g.get("identity")
    return identity


def current_identity() -> Identity:
    """Return who is asking; raise `Unauthenticated` when nobody signed in."""
    identity = find_identity()
    if identity is None:
        raise Unauthenticated
    return identity
