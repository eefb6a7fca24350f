"""Make a POST harmless to repeat: the same `Idempotency-Key` gets the same answer, and there is one effect.

After draft-ietf-httpapi-idempotency-key-header-07. The key is reserved in the transaction of the effect, so that
neither can be there without the other; it belongs to its caller, and to this request: to ask something else under it
is 422 (`libs/fingerprint.py`).
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from flask import Response, current_app

from application.libs.auth import viewer_id
from application.libs.current import current_request
from application.libs.error import BadRequest, Conflict, FieldError, Invalid, field_error
from application.libs.fingerprint import Asked, are_comparable, fingerprint
from application.libs.record import Record
from application.libs.unit_of_work import UnitOfWork
from application.libs.web_application import Empty

KEY_PATTERN = r'^("([\x20\x21\x23-\x5B\x5D-\x7E]|\\["\\]){1,255}"|[\x21\x23-\x5B\x5D-\x7E]{1,255})$'
"""A string of 1 to 255 characters as RFC 8941 §3.3.3 writes it, or a text that needs no quotes without them."""

REPLAYED = "Idempotency-Replayed"

_KEY = re.compile(KEY_PATTERN)
_ESCAPED = re.compile(r'\\(["\\])')
_KEPT_HEADERS = ("Content-Type", "ETag", "Link", "Location")


class MalformedKey(BadRequest):
    """The Idempotency-Key must be 1 to 255 printable ASCII characters, quoted where blanks or quotes are among them."""


class KeyReused(Invalid):
    """This Idempotency-Key stands for another request; choose a new one."""


class KeyInUse(Conflict):
    """The first request with this Idempotency-Key has no answer yet; if it stays so, look what it has done."""

    def __init__(
        self, detail: str = "", *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        """Say when to try again."""
        super().__init__(detail, errors=errors, headers=headers or {"Retry-After": "1"})


class KeyUnverifiable(Conflict):
    """The server's secret has changed since this Idempotency-Key was first used; look what that request has done."""


class StoredAnswer(Record):
    """Hold what was answered under a key; without a status the answer was not noted, or not yet."""

    fingerprint: str
    status: int | None
    headers: Mapping[str, str]
    body: bytes


class AnswerStore(Protocol):
    """Keep answers for a day, in the current unit of work."""

    def find(self, digest: str) -> StoredAnswer | None:
        """Return what is kept under the digest of a caller's key."""

    def reserve(self, digest: str, *, fingerprint: str) -> None:
        """Take the key for this request; raise `KeyInUse` if another was faster."""

    def keep(self, digest: str, *, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Note the answer under a reserved key."""


class Repeatable:
    """Let a request under a key have its effect once."""

    __slots__ = ("_digest", "_fingerprint", "_store")

    def __init__(self, store: AnswerStore, key: str, asked: Asked) -> None:
        """Name the key, which is the caller's own, and what is asked under it."""
        self._store = store
        self._digest = hashlib.sha256(f"{viewer_id()}\n{key}".encode()).hexdigest()
        self._fingerprint = fingerprint(asked(), secret=current_app.secret_key, name=key)

    def replay(self) -> Response | None:
        """Return the first request's answer; None if this one is the first."""
        known = self._store.find(self._digest)
        if known is None:
            return None
        if not are_comparable(known.fingerprint, self._fingerprint):
            raise KeyUnverifiable
        if known.fingerprint != self._fingerprint:
            raise KeyReused(errors=[field_error("headers", "Idempotency-Key", msg=KeyReused.title, type_="key_reused")])
        if known.status is None:
            raise KeyInUse
        response = (Response if known.body else Empty)(known.body, status=known.status, headers=dict(known.headers))
        response.headers[REPLAYED] = "true"
        return response

    def foresee(self) -> None:
        """Refuse nothing: what the key says was said by `replay`."""

    def begin(self, unit: UnitOfWork) -> None:
        """Reserve the key: a request beside this one waits here, and then finds it taken."""
        unit.promote()
        self._store.reserve(self._digest, fingerprint=self._fingerprint)

    def verify(self) -> None:
        """Refuse nothing: the key is ours."""

    def finish(self, response: Response) -> None:
        """Note the answer."""
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        self._store.keep(self._digest, status=response.status_code, headers=kept, body=response.get_data())


def repeatable(store: AnswerStore, asked: Asked) -> Callable[[dict[str, Any]], Repeatable | None]:
    """Return what guards the requests that carry a key; strangers have none, for they could guess each other's.

    `asked` yields what such a request asks, the same each time.
    """

    def find(_path: dict[str, Any]) -> Repeatable | None:
        given = current_request().environ.get("HTTP_IDEMPOTENCY_KEY")
        if given is None:
            return None
        if _KEY.fullmatch(given) is None:
            raise MalformedKey
        return Repeatable(store, _unquoted(given), asked) if viewer_id() is not None else None

    return find


def _unquoted(given: str) -> str:
    """Return the text that a string stands for (RFC 8941 §4.2.5); without quotes it is itself."""
    return _ESCAPED.sub(r"\1", given[1:-1]) if given.startswith('"') else given
