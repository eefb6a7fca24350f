"""Say what a store of files must be able to do; what is kept there, and for whom, it does not know.

A key is made here and never comes from a client. `incoming/…` is where browsers send files to by themselves: whoever
confirms one moves it to a key that no grant names, and looks at it there, so that nobody changes it afterwards.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO, Literal, Protocol

from application.libs.record import Record

CHUNK_BYTES = 262_144

INCOMING = "incoming/"

KEY = re.compile(r"(incoming/)?[0-9a-f]{32}(\.part)?", re.ASCII)

Purpose = Literal["upload", "download"]


class StorageFailedError(Exception):
    """The store cannot be reached, is full, or refuses."""


class ObjectMissingError(Exception):
    """Nothing is kept under the key."""


class Grant(Record):
    """Let a browser send one file without us: a form by POST to `url`, with these fields, the last one the `file`."""

    url: str
    fields: Mapping[str, str]


class Storage(Protocol):
    """Keep files; every method may raise `StorageFailedError`."""

    def save(self, key: str, content: IO[bytes], *, media_type: str) -> None:
        """Keep the content, from where it stands to its end; whole or not at all."""

    def read(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """Yield what is kept, from a byte on; raise `ObjectMissingError` at once."""

    def size(self, key: str) -> int:
        """Return how many bytes are kept; raise `ObjectMissingError`."""

    def move(self, key: str, to: str) -> None:
        """Keep under another key what is kept under this one; raise `ObjectMissingError`."""

    def delete(self, key: str) -> None:
        """Keep it no longer; what is not there is no mistake."""

    def keys(self, *, older_than: datetime) -> Iterator[str]:
        """Yield the keys of what was kept before a time; what has no key of ours is somebody else's."""

    def grant_upload(self, key: str, *, size: int, media_type: str, until: datetime, receiver: str) -> Grant:
        """Let a browser send one file of this size; a store that takes no requests itself names our `receiver`."""

    def grant_download(self, key: str, *, name: str, media_type: str, until: datetime, receiver: str) -> str:
        """Return a URL that gives the file as an attachment to whoever has it, until then."""

    def admits(self, purpose: Purpose, key: str, *, expires: int, signature: str) -> bool:
        """Tell whether the store granted this to be asked of our receiver; `expires` is in seconds since 1970."""


def new_key() -> str:
    """Return a name nobody can guess: 128 random bits."""
    return secrets.token_hex(16)


def checked(key: str) -> str:
    """Return the key; raise ValueError for what no key of ours looks like."""
    if not KEY.fullmatch(key):
        message = f"{key!r} is no key; make one with new_key(), and take none from a client"
        raise ValueError(message)
    return key
