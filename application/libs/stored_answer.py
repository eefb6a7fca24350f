"""Answer with what a store keeps, whole or the part that a client asks for (RFC 9110 §14)."""

import logging
from collections.abc import Iterator
from datetime import datetime

from flask import Response
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from application.libs.current import current_request
from application.libs.disposition import attachment
from application.libs.error import Refusal, Unavailable
from application.libs.record import Record
from application.libs.storage.store import ObjectMissingError, Storage, StorageFailedError

_LOG = logging.getLogger(__name__)

PRIVATE = "private, no-cache, no-transform"
"""May be kept by the browser of who asked, which asks each time whether they still may see it."""


class RangeUnsatisfiable(Refusal):
    """The file has no such part."""

    status = 416


class Content(Record):
    """Say what is kept under a key."""

    key: str
    size: int
    media_type: str
    tag: str
    modified_at: datetime | None = None
    name: str | None = None
    """Under which it is saved as an attachment; None shows what we made ourselves."""


class _Reading:
    """Read from a byte on that is told later, and open nothing before the first piece is wanted."""

    def __init__(self, storage: Storage, key: str) -> None:
        self._storage = storage
        self._key = key
        self._start = 0
        self._pieces: Iterator[bytes] | None = None

    def seekable(self) -> bool:
        """Tell Werkzeug that a part need not be read from the beginning."""
        return True

    def seek(self, start: int) -> None:
        """Begin here."""
        self._start = start

    def tell(self) -> int:
        """Return where it begins."""
        return self._start

    def __iter__(self) -> "_Reading":
        return self

    def __next__(self) -> bytes:
        if self._pieces is None:
            self._pieces = self._opened()
        return next(self._pieces)

    def _opened(self) -> Iterator[bytes]:
        try:
            return self._storage.read(self._key, start=self._start)
        except (StorageFailedError, ObjectMissingError) as error:
            _LOG.error("What should be kept under %s cannot be read", self._key, exc_info=error)
            raise Unavailable from error

    def close(self) -> None:
        """Let go of what was opened."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()


def stored(storage: Storage, content: Content) -> Response:
    """Return the answer to the request that is running; it may be 206, or 304 to who has it."""
    reading = _Reading(storage, content.key)
    response = Response(reading, content_type=content.media_type, direct_passthrough=True)
    response.call_on_close(reading.close)
    response.headers["Content-Length"] = str(content.size)
    response.headers["Cache-Control"] = PRIVATE
    if content.name is not None:
        response.headers["Content-Disposition"] = attachment(content.name)
    response.set_etag(content.tag)
    response.last_modified = content.modified_at
    try:
        response.make_conditional(current_request(), accept_ranges=True, complete_length=content.size)
    except RequestedRangeNotSatisfiable:
        raise RangeUnsatisfiable(headers={"Content-Range": f"bytes */{content.size}"}) from None
    return response
