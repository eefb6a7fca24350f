"""Answer 304 without making the answer again, where nothing was written since the client got it.

An operation that declares `rows_only=True` promises that its answer depends on rows, on what is asked and on who asks:
not on the clock, and not on anything outside the database. Once it has told a client that its answer is unmodified, the
stamp of the database from before it read is kept with that; as long as the stamp is the same, so is the answer.
"""

from collections.abc import Callable
from typing import Any

from application.libs.auth import find_identity
from application.libs.conditional import is_known
from application.libs.current import current_request
from application.libs.web_application import NOT_MODIFIED, Empty

MOST_RECALLED = 1024
"""How many answers are kept in mind, each of 2 kB at most; behind that it begins anew."""

MOST_QUERY = 500
"""How long a query is at most, in bytes, whose answer is kept: that of a page with its cursor is much shorter."""

Stamp = Callable[[], object]
"""Say by what equals an earlier one that nothing was committed since (`database/stamp.py`)."""

Headers = list[tuple[str, str]]


class Memory:
    """Keep in mind which answers clients were told they have, for one application in one process."""

    def __init__(self, stamp: Stamp) -> None:
        """Remember nothing yet."""
        self._stamp = stamp
        self._kept: dict[object, tuple[object, str, Headers]] = {}

    def stamp(self) -> object | None:
        """Return the state of the database, if the client has an answer to compare.

        Ask for it before the first statement of the unit of work: on SQLite that one fixes what the others see, and who
        looked later would take what was committed in between for read.
        """
        environ = current_request().environ
        if "HTTP_IF_NONE_MATCH" not in environ or "HTTP_IF_MATCH" in environ:
            return None
        return self._stamp()

    def look(self, stamp: object) -> "Recollection":
        """Return what is known of the request's answer, now that it is known who asks."""
        environ, identity = current_request().environ, find_identity()
        who = None if identity is None else (identity.user_id, identity.key_id, identity.permissions)
        key = (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["QUERY_STRING"], who)
        then, tag, headers = self._kept.get(key, (None, "", []))
        is_current = then == stamp and is_known(tag)
        return Recollection(self, key, stamp, headers if is_current else None)

    def keep(self, key: object, stamp: object, headers: Headers) -> None:
        """Remember that an answer has these headers as long as the stamp is the same."""
        tag = next((value for name, value in headers if name == "ETag"), None)
        if tag is None or len(current_request().environ["QUERY_STRING"]) > MOST_QUERY:
            return
        if len(self._kept) >= MOST_RECALLED:
            self._kept.clear()
        self._kept[key] = (stamp, tag, headers)


class Recollection:
    """Hold what one request knows of its answer before it is made."""

    __slots__ = ("_headers", "_key", "_memory", "_stamp")

    def __init__(self, memory: Memory, key: object, stamp: object, headers: Headers | None) -> None:
        """Take the headers of the answer, if the client has it."""
        self._memory = memory
        self._key = key
        self._stamp = stamp
        self._headers = headers

    @property
    def answer(self) -> Empty | None:
        """Return the answer that the client has what it asks for; None where that is not known."""
        return None if self._headers is None else Empty.unmodified(self._headers)

    def note(self, answer: Any) -> None:
        """Remember an answer that was made, if it says that the client has it."""
        if answer.status_code == NOT_MODIFIED:
            self._memory.keep(self._key, self._stamp, list(answer.headers))
