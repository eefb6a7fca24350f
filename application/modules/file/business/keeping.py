"""Take files in: row first, object next, then the row says that it is there.

Whoever is killed in between leaves a pending row, an object, or both, which the sweep removes; a file that is ready has
both. A browser that sends a file by itself puts it under `incoming/…`; confirming moves it to a key that no grant
names before it is looked at, so that nobody changes it afterwards.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import IO

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import change, execute
from application.extensions import storage
from application.libs.clock import now
from application.libs.error import Conflict, Forbidden, Invalid, Unavailable
from application.libs.examination import Examined, FileRefused, FileTooLarge, Limits, examine, refused
from application.libs.ident import new_id
from application.libs.media_type import IMAGES
from application.libs.record import Record
from application.libs.storage.store import INCOMING, ObjectMissingError, Purpose, StorageFailedError, new_key
from application.modules.file.business.naming import cleaned
from application.modules.file.business.quota import check_quota
from application.modules.file.business.record import FileNotFound, FileRow, Kept, announced_since, get
from application.modules.file.business.thumbnail import make_thumbnail
from application.modules.file.models import File, State
from application.modules.task.business import enqueue

_SPOOL_BYTES = 1_048_576


class StorageUnavailable(Unavailable):
    """Files cannot be kept or read at the moment."""


class AlreadyConfirmed(Conflict):
    """The file is confirmed."""


class NothingUploaded(Invalid):
    """Nothing was uploaded for this file."""


class LinkInvalid(Forbidden):
    """The link is wrong, or no longer valid."""


class Reserved(Record):
    """Hold a file that was announced, and where its content is to be put."""

    id: str
    key: str
    size: int
    media_type: str


class AuthorisationRow(Record):
    """Hold how a browser sends an announced file: a form by POST, these fields first, then the file."""

    id: str
    method: str
    url: str
    fields: dict[str, str]
    file_field: str
    expires_at: datetime


class LinkRow(Record):
    """Hold a URL that gives a file to whoever has it."""

    url: str
    expires_at: datetime


_INSERT = sa.insert(File)
_READY = sa.update(File).where(File.id == sa.bindparam("file_id"), File.state == State.PENDING)
_PENDING = sa.select(File.id, File.key, File.size, File.media_type, File.owner_id, File.state, File.created_at).where(
    File.id == sa.bindparam("file_id")
)
_ABANDON = sa.delete(File).where(File.id == sa.bindparam("file_id"), File.state == State.PENDING)
_KEY = sa.select(File.key).where(File.id == sa.bindparam("file_id"), File.state == State.READY)


def examined(content: IO[bytes], *, declared: str) -> Examined:
    """Return what a content is; refuse what is too long, not allowed, or not what it seems."""
    settings = current_settings()
    limits = Limits(settings.file_types, settings.file_max_bytes, settings.file_max_pixels)
    return examine(content, declared=declared, limits=limits)


def reserve(*, owner_id: str, name: str, media_type: str, size: int, is_incoming: bool = False) -> Reserved:
    """Write down that a file will come, if there is room for it."""
    check_quota(owner_id, size)
    file_id, key = new_id(), f"{INCOMING if is_incoming else ''}{new_key()}"
    change(
        _INSERT,
        id=file_id,
        owner_id=owner_id,
        name=cleaned(name, media_type),
        media_type=media_type,
        size=size,
        key=key,
        state=State.PENDING,
        created_at=now(),
    )
    return Reserved(file_id, key, size, media_type)


def put(reserved: Reserved, content: IO[bytes]) -> None:
    """Give the content to the storage; call it outside of a unit of work."""
    with _reachable():
        storage.current.save(reserved.key, content, media_type=reserved.media_type)


def abandon(reserved: Reserved) -> None:
    """Forget what was announced, because its content could not be kept."""
    change(_ABANDON, file_id=reserved.id)


def complete(file_id: str, *, owner_id: str, key: str, found: Examined) -> FileRow:
    """Say that a file is there, and let a small image of it be made where it is one."""
    done = change(
        _READY,
        file_id=file_id,
        state=State.READY,
        key=key,
        sha256=found.sha256,
        media_type=found.media_type,
        confirmed_at=now(),
    )
    if not done:
        raise AlreadyConfirmed
    if found.media_type in IMAGES:
        enqueue(make_thumbnail, file_id=file_id)
    return get(file_id, viewer_id=owner_id)


def announce(*, owner_id: str, name: str, media_type: str, size: int) -> Reserved:
    """Write down that a browser will send a file by itself."""
    settings = current_settings()
    if size > settings.file_max_bytes:
        raise FileTooLarge(f"A file may have {settings.file_max_bytes} bytes")
    if media_type not in settings.file_types:
        raise refused(f"Send a file of one of the types {', '.join(sorted(settings.file_types))}", "file_type")
    return reserve(owner_id=owner_id, name=name, media_type=media_type, size=size, is_incoming=True)


def authorisation(reserved: Reserved, *, receiver: str) -> AuthorisationRow:
    """Return how an announced file is sent; `receiver` is our URL, for a store that takes no requests itself."""
    until = now() + timedelta(seconds=current_settings().file_grant_seconds)
    with _reachable():
        grant = storage.current.grant_upload(
            reserved.key, size=reserved.size, media_type=reserved.media_type, until=until, receiver=receiver
        )
    return AuthorisationRow(reserved.id, "POST", grant.url, dict(grant.fields), "file", until)


def link(file: Kept, *, receiver: str) -> LinkRow:
    """Return a URL that gives a file as an attachment for some minutes."""
    until = now() + timedelta(seconds=current_settings().file_grant_seconds)
    with _reachable():
        url = storage.current.grant_download(
            file.key, name=file.name, media_type=file.media_type, until=until, receiver=receiver
        )
    return LinkRow(url, until)


def waiting(file_id: str, *, owner_id: str) -> Reserved:
    """Return a file of one's own that is not confirmed."""
    row = execute(_PENDING, file_id=file_id).one_or_none()
    if row is None or row.owner_id != owner_id or row.state not in (State.PENDING, State.READY):
        raise FileNotFound
    if row.state == State.READY:
        raise AlreadyConfirmed
    if row.created_at <= announced_since():
        raise FileNotFound
    return Reserved(row.id, row.key, row.size, row.media_type)


def admitted(file_id: str, *, expires: int, signature: str) -> Reserved:
    """Return the file that may be sent to us by this signature."""
    row = execute(_PENDING, file_id=file_id).one_or_none()
    if row is None or row.state != State.PENDING or not _admits("upload", row.key, expires, signature):
        raise LinkInvalid
    return Reserved(row.id, row.key, row.size, row.media_type)


def check_download(file_id: str, *, expires: int, signature: str) -> None:
    """Refuse a link that we did not sign, or that has expired."""
    key = execute(_KEY, file_id=file_id).scalar_one_or_none()
    if key is None or not _admits("download", key, expires, signature):
        raise LinkInvalid


def receive(reserved: Reserved, content: IO[bytes]) -> None:
    """Keep what a browser sends, if it is as long as announced; what it is will be seen when it is confirmed."""
    length = content.seek(0, os.SEEK_END)
    content.seek(0)
    if length != reserved.size:
        raise refused(f"The file has {length} bytes, and was announced with {reserved.size}", "size")
    put(reserved, content)


def collect(reserved: Reserved) -> tuple[str, Examined]:
    """Move what was uploaded out of reach, and return its new key and what it is; what is refused is deleted."""
    key = new_key()
    with _reachable():
        try:
            storage.current.move(reserved.key, key)
        except ObjectMissingError:
            raise NothingUploaded from None
        try:
            return key, _looked_at(key, reserved)
        except (FileRefused, FileTooLarge):
            storage.current.delete(key)
            raise


def _looked_at(key: str, reserved: Reserved) -> Examined:
    size = storage.current.size(key)
    if size != reserved.size:  # seen before it is fetched, for a storage may let more in
        raise refused(f"The file has {size} bytes, and was announced with {reserved.size}", "size")
    with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
        for piece in storage.current.read(key):
            spool.write(piece)
        return examined(spool, declared=reserved.media_type)


def _admits(purpose: Purpose, key: str, expires: int, signature: str) -> bool:
    return storage.current.admits(purpose, key, expires=expires, signature=signature)


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except StorageFailedError as error:
        raise StorageUnavailable from error
