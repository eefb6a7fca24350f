"""Make small images, as a task: decoding takes a while, and what is hostile shall harm no request."""

import tempfile
from io import BytesIO

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import change, execute, transaction
from application.extensions import storage
from application.libs.image import THUMBNAIL_TYPE, thumbnail
from application.libs.storage.store import new_key
from application.modules.file.models import File, State

_SPOOL_BYTES = 1_048_576

_FIND = sa.select(File.key).where(
    File.id == sa.bindparam("file_id"), File.state == State.READY, File.thumbnail_key.is_(None)
)
_PUT = sa.update(File).where(
    File.id == sa.bindparam("file_id"), File.state == State.READY, File.thumbnail_key.is_(None)
)


def make_thumbnail(file_id: str) -> str:
    """Make the small image of a file, and say what became of it.

    What cannot be decoded, or has too many pixels, raises `ImageBrokenError` or `ImageTooLargeError`; the file stays.
    """
    with transaction(write=False):
        key = execute(_FIND, file_id=file_id).scalar_one_or_none()
    if key is None:
        return "nothing to do"
    settings = current_settings()
    with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
        for piece in storage.current.read(key):
            spool.write(piece)
        small = thumbnail(spool, box=settings.file_thumbnail_pixels, max_pixels=settings.file_max_pixels)
    made = new_key()
    storage.current.save(made, BytesIO(small), media_type=THUMBNAIL_TYPE)
    with transaction():
        kept = change(_PUT, file_id=file_id, thumbnail_key=made, thumbnail_size=len(small))
    if not kept:
        storage.current.delete(made)
    return "made" if kept else "the file has gone"
