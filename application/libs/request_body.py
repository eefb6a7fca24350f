"""Read a request's body so that a cut-off one is never taken for a whole one."""

from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.exceptions import BadRequest


class BodyBrokenError(BadRequest):
    """The body ended before its declared length, or its chunks are malformed.

    Raised while the body is read. Werkzeug's class, so that a view of any kind answers it with 400.
    """

    description = "The request's body ended early or is not framed as HTTP asks"


class Body:
    """Be `wsgi.input` with the promise that a body which ends early raises BodyBrokenError instead of looking whole.

    `length` is the declared one in bytes, None for a chunked body, which the server checks itself.
    """

    def __init__(self, stream: Any, length: int | None, errors: tuple[type[Exception], ...]) -> None:
        self._stream = stream
        self._left = length
        self._errors = errors

    def read(self, size: int | None = -1) -> bytes:
        """Read `size` bytes, or all that is left."""
        if self._left is None:
            return self._take(self._stream.read, -1 if size is None else size)
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        parts = []
        while wanted > 0:
            part = self._take(self._stream.read, wanted)
            if not part:
                raise BodyBrokenError
            parts.append(part)
            wanted -= len(part)
            self._left -= len(part)
        return b"".join(parts)

    def readline(self, size: int | None = -1) -> bytes:
        """Read up to and with the next newline."""
        limit = -1 if size is None else size
        if self._left is None:
            return self._take(self._stream.readline, limit)
        limit = self._left if limit < 0 else min(limit, self._left)
        if limit == 0:
            return b""
        line = self._take(self._stream.readline, limit)
        self._left -= len(line)
        if self._left and len(line) < limit and not line.endswith(b"\n"):
            raise BodyBrokenError
        return line

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Read all lines; the hint is not needed."""
        del hint
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _take(self, method: Callable[[int], bytes], size: int) -> bytes:
        try:
            return method(size)
        except self._errors as error:
            raise BodyBrokenError from error
