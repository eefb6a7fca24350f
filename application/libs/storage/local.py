"""Keep files in a directory of this machine.

A file is written beside its place, flushed to the disk, and then renamed: a process that is killed leaves a `.part`,
which is listed like everything else, and never half a file.
"""

import hashlib
import hmac
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

from application.libs.clock import now
from application.libs.storage.place import LocalPlace
from application.libs.storage.store import (
    CHUNK_BYTES,
    INCOMING,
    KEY,
    Grant,
    ObjectMissingError,
    Purpose,
    StorageFailedError,
    checked,
    new_key,
)

_PART = ".part"


class LocalStorage:
    """Keep files on the disk; browsers send theirs to a route of ours, with a signature of this store."""

    def __init__(self, directory: Path, secret: str) -> None:
        """Take where files are kept, which is created with the first one, and what signs grants."""
        self._root = directory
        self._secret = hmac.new(secret.encode(), b"files on the disk", hashlib.sha256).digest()

    def save(self, key: str, content: IO[bytes], *, media_type: str) -> None:
        """Write the content and rename it into its place."""
        del media_type
        path = self._path(key)
        part = path.with_name(f"{path.name[:2]}{new_key()[2:]}{_PART}")  # a key in the same directory
        with _translated():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with part.open("xb") as file:
                    shutil.copyfileobj(content, file, CHUNK_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            _sync(path.parent)

    def read(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """Open the file, then yield it in pieces."""
        with _translated():
            file = self._path(key).open("rb")
            file.seek(start)
        return _pieces(file)

    def size(self, key: str) -> int:
        """Return the file's length."""
        with _translated():
            return self._path(key).stat().st_size

    def move(self, key: str, to: str) -> None:
        """Rename the file."""
        path, target = self._path(key), self._path(to)
        with _translated():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.replace(target)
            _sync(target.parent)

    def delete(self, key: str) -> None:
        """Remove the file."""
        with _translated():
            self._path(key).unlink(missing_ok=True)

    def keys(self, *, older_than: datetime) -> Iterator[str]:
        """Walk the directories for files that were written before a time; partial ones too."""
        with _translated():
            for path in sorted(self._root.rglob("*")):
                folder = path.relative_to(self._root).parts[0] == INCOMING.rstrip("/")
                key = f"{INCOMING if folder else ''}{path.name}"
                if KEY.fullmatch(key) and path.is_file() and _written(path) < older_than:
                    yield key

    def grant_upload(self, key: str, *, size: int, media_type: str, until: datetime, receiver: str) -> Grant:
        """Name our receiver, with a signature that it asks this store about."""
        del size, media_type  # which the receiver knows of the file
        return Grant(url=receiver, fields=self._signed("upload", key, until))

    def grant_download(self, key: str, *, name: str, media_type: str, until: datetime, receiver: str) -> str:
        """Return our receiver's URL with a signature."""
        del name, media_type
        return f"{receiver}?{urlencode(self._signed('download', key, until))}"

    def admits(self, purpose: Purpose, key: str, *, expires: int, signature: str) -> bool:
        """Compare the signature, in a time that says nothing, and the clock."""
        ours = self._signature(purpose, key, expires)
        return hmac.compare_digest(ours.encode(), signature.encode()) and now().timestamp() < expires

    def _signed(self, purpose: Purpose, key: str, until: datetime) -> dict[str, str]:
        expires = int(until.timestamp())
        return {"expires": str(expires), "signature": self._signature(purpose, key, expires)}

    def _signature(self, purpose: Purpose, key: str, expires: int) -> str:
        return hmac.new(self._secret, f"{purpose}\n{key}\n{expires}".encode(), hashlib.sha256).hexdigest()

    def _path(self, key: str) -> Path:
        """Return a file's place: two digits of its name are its directory, so that none grows too long to list."""
        folder, _, name = checked(key).rpartition("/")
        return self._root / folder / name[:2] / name


def make(place: LocalPlace) -> LocalStorage:
    """Return the store; nothing is created yet."""
    return LocalStorage(place.directory, place.secret)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file, _translated():
        while piece := file.read(CHUNK_BYTES):
            yield piece


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _sync(directory: Path) -> None:
    """Let the disk know the directory's new name, or a loss of power would take the file away."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissingError from error
    except OSError as error:
        raise StorageFailedError(error.strerror) from error
