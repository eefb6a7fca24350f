"""Answer conditional requests (RFC 9110 §13): an answer's tag spares sending it again, and guards against lost updates.

The tag names the JSON before any content coding, so a proxy or we may compress it and the tag stays. RFC 9110 §8.8.3
would have another strong tag for each coding; it matters to ranges, which are not served here.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from flask import Response
from werkzeug.http import parse_etags
from xxhash import xxh3_128_hexdigest

from application.libs.current import current_request
from application.libs.error import PreconditionFailed, Refusal
from application.libs.unit_of_work import UnitOfWork

Represent = Callable[[dict[str, Any]], bytes]

Beside = Callable[[], AbstractContextManager[object]]
"""Open a reading unit of work on a connection of its own, which sees what is committed."""

_UNREAD = "GET answers nothing here that carries a tag to compare with; send the change without a precondition"


class Stale(PreconditionFailed):
    """The resource is not as the precondition wants it; read it again."""


def entity_tag(body: bytes) -> str:
    """Return the strong entity tag of a body, with its quotes: 128 bits, so nobody meets two bodies of one tag.

    It is no cryptographic hash: who wrote both bodies could make two of one, and would deceive whoever read the first.
    """
    return f'"{xxh3_128_hexdigest(body)}"'


def is_known(tag: str) -> bool:
    """Tell whether the client says it has this answer already (`If-None-Match`, compared weakly)."""
    given = current_request().environ.get("HTTP_IF_NONE_MATCH")
    return given is not None and (given == tag or parse_etags(given).contains_weak(tag.strip('"')))


def is_wanted(tag: str | None) -> bool:
    """Tell whether the client means this, or any (`If-Match`, compared strongly); None stands for nothing at all."""
    given = current_request().environ.get("HTTP_IF_MATCH")
    return given is None or (tag is not None and parse_etags(given).contains(tag.strip('"')))


def is_unmodified(tag: str) -> bool:
    """Tell whether the client has what it reads; raise `Stale` if it wants something else (RFC 9110 §13.2.2)."""
    environ = current_request().environ
    if "HTTP_IF_MATCH" in environ and not is_wanted(tag):
        raise Stale
    return "HTTP_IF_NONE_MATCH" in environ and is_known(tag)


class Precondition:
    """Refuse a change whose client does not know the resource as it was before (412).

    It is looked at after the handler and before the commit, on another connection: the handler's transaction holds the
    locks of what it changed, so what is committed there is what it has changed, and nobody slips in between. A refusal
    of the handler comes first, as RFC 9110 §13.2.1 wants it.
    """

    __slots__ = ("_beside", "_path", "_represent", "_tag", "_unit")

    _unit: UnitOfWork

    def __init__(self, represent: Represent | None, beside: Beside | None, path: dict[str, Any]) -> None:
        """Take what writes the body that GET would answer with, None where it answers nothing that carries a tag.

        Without `beside` every writer is alone.
        """
        self._represent = represent
        self._beside = beside
        self._path = path
        self._tag: str | None = None

    def replay(self) -> Response | None:
        """Return nothing: the same change again is another change."""
        return None

    def foresee(self) -> None:
        """Raise `Stale` where that is certain already; of what is not there the handler speaks first."""
        tag = self._current()
        if tag is not None or self._represent is None:
            self._require(tag)

    def begin(self, unit: UnitOfWork) -> None:
        """Begin to write; a database that lives on one connection must be looked at now."""
        unit.promote()
        self._unit = unit
        if self._beside is None:
            self._tag = self._current()

    def verify(self) -> None:
        """Raise `Stale` for a change of something else than the client has seen."""
        if self._beside is not None:
            self._unit.flush()
            with self._beside():
                self._tag = self._current()
        self._require(self._tag)

    def finish(self, response: Response) -> None:
        """Note nothing."""

    def _current(self) -> str | None:
        """Return the tag of what is there; None where nothing is to be read."""
        if self._represent is None:
            return None
        try:
            return entity_tag(self._represent(self._path))
        except Refusal as refusal:
            if refusal.status >= 500:
                raise
            return None

    def _require(self, tag: str | None) -> None:
        if self._represent is None:
            _require_unread()
        elif not is_wanted(tag) or (tag is not None and is_known(tag)):
            raise Stale


def _require_unread() -> None:
    """Raise `Stale` for what cannot be shown to hold of a resource that no GET answers with a tag.

    No tag names it; whether there is one (`If-Match: *`) says the handler, which finds it or does not.
    """
    environ = current_request().environ
    wanted, unwanted = environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH")
    if wanted is not None and not parse_etags(wanted).star_tag:
        raise Stale(_UNREAD)
    if unwanted is not None and parse_etags(unwanted).star_tag:
        raise Stale(_UNREAD)


def precondition(represent: Represent | None, beside: Beside | None) -> Callable[[dict[str, Any]], Precondition | None]:
    """Return what makes a precondition of the requests that carry one."""

    def find(path: dict[str, Any]) -> Precondition | None:
        environ = current_request().environ
        if "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ:
            return Precondition(represent, beside, path)
        return None

    return find
