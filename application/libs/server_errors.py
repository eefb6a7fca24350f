"""Be `wsgi.errors` (PEP 3333), which hardly any request writes to."""

from collections.abc import Callable
from typing import Any

Open = Callable[[Any], Any]


class LateErrors:
    """Be the stream for errors of one request, opened by who uses it: gunicorn looks its log up for each, for 5 µs."""

    __slots__ = ("_config", "_open", "_stream")

    def __init__(self, open_stream: Open, config: Any) -> None:
        """Take what opens the stream for gunicorn's settings."""
        self._open = open_stream
        self._config = config
        self._stream: Any = None

    def __getattr__(self, name: str) -> Any:
        """Do as the stream does."""
        if self._stream is None:
            self._stream = self._open(self._config)
        return getattr(self._stream, name)


def opened_late(open_stream: Open) -> Open:
    """Return what makes such a stream in the place of `open_stream`."""
    return lambda config: LateErrors(open_stream, config)
