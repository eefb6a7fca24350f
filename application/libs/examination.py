"""Look into a file before it is kept: how long it is, what it is, and that it is nothing else besides.

A polyglot is a file of two types at once: an image with a script or an archive behind it. What could be taken for a
page, a script or another document is refused, whatever it begins with.
"""

import codecs
import hashlib
import os
import zipfile
from collections.abc import Callable, Collection, Iterator
from typing import IO

from application.libs.error import Invalid, TooLarge, field_error
from application.libs.image import ImageBrokenError, ImageTooLargeError, check_pixels
from application.libs.media_type import ARCHIVES, HEAD_BYTES, IMAGES, TEXTS, agrees, chosen, recognised
from application.libs.record import Record

MOST_INFLATION = 100
"""How many times its own length an archive may hold; honest ones hold ten times theirs."""

MOST_ENTRIES = 10_000

_CHUNK = 262_144

_MARKUP = (b"<?php", b"<script", b"<html", b"<!doctype html", b"<svg xmlns")
"""What a browser or a server could run, of at least five bytes, which random ones hardly ever are."""

_OVERLAP = max(map(len, _MARKUP)) - 1

_END_OF_ARCHIVE = b"PK\x05\x06"
_END_LENGTH = 22
_MOST_COMMENT = 65_535

_UNPRINTABLE = bytes(set(range(32)) - {9, 10, 12, 13})


class FileTooLarge(TooLarge):
    """The file is larger than one may be."""


class FileRefused(Invalid):
    """The file's content is none that is taken here."""


class Examined(Record):
    """Hold what a file was found to be."""

    media_type: str
    size: int
    sha256: str


class Limits(Record):
    """Hold what is let in."""

    media_types: Collection[str]
    max_bytes: int
    max_pixels: int


def examine(content: IO[bytes], *, declared: str, limits: Limits) -> Examined:
    """Return what the content is, and leave it at its beginning; raise FileTooLarge or FileRefused."""
    size = content.seek(0, os.SEEK_END)
    if size > limits.max_bytes:
        raise FileTooLarge(f"A file may have {limits.max_bytes} bytes")
    if size == 0:
        raise refused("The file is empty", "empty")
    found = recognised(content) or _text(content)
    if found is None or not agrees(declared, found):
        raise refused(f"The content is not of the type {declared}" if declared else "The type is not known", "content")
    media_type = chosen(declared, found)
    if media_type not in limits.media_types:
        raise refused(f"Send a file of one of the types {', '.join(sorted(limits.media_types))}", "file_type")
    _check_kind(content, media_type, size, limits)
    sha256 = _hashed(content, markup=media_type not in ARCHIVES | {"application/gzip"})
    content.seek(0)
    return Examined(media_type=media_type, size=size, sha256=sha256)


def refused(message: str, type_: str) -> FileRefused:
    """Return the refusal of a file."""
    return FileRefused(message, errors=[field_error("files", "file", msg=message, type_=type_)])


def _text(content: IO[bytes]) -> str | None:
    """Return text/plain for what is UTF-8 throughout and holds no control characters."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(content):
            decoder.decode(chunk)
            if len(chunk.translate(None, _UNPRINTABLE)) < len(chunk):
                return None
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return "text/plain"


def _check_kind(content: IO[bytes], media_type: str, size: int, limits: Limits) -> None:
    """Refuse what is wrong with one kind of file, or another kind as well."""
    for applies, check in _CHECKS:
        if applies(media_type):
            check(content, size, limits)


def _check_image(content: IO[bytes], _size: int, limits: Limits) -> None:
    try:
        check_pixels(content, max_pixels=limits.max_pixels)
    except ImageTooLargeError as error:
        raise refused(str(error), "image_too_large") from None
    except ImageBrokenError as error:
        raise refused(str(error), "image_broken") from None


def _check_archive(content: IO[bytes], size: int, _limits: Limits) -> None:
    """Refuse an archive that says it holds a hundred times its own length; nothing is unpacked."""
    try:
        with zipfile.ZipFile(content) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise refused("The archive is damaged", "archive_broken") from None
    held = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or held > MOST_INFLATION * max(size, _CHUNK):
        raise refused("The archive holds far more than its own length", "archive_bomb")


def _check_no_archive(content: IO[bytes], size: int, _limits: Limits) -> None:
    """Refuse what ends as an archive does: unpackers look there, wherever it begins."""
    content.seek(max(0, size - _END_LENGTH - _MOST_COMMENT))
    tail = content.read()
    at = tail.find(_END_OF_ARCHIVE)
    while at >= 0:
        if len(tail) - at >= _END_LENGTH:
            comment = int.from_bytes(tail[at + 20 : at + 22], "little")
            if at + _END_LENGTH + comment <= len(tail):
                raise refused("The file is an archive, too", "polyglot")
        at = tail.find(_END_OF_ARCHIVE, at + 1)


def _check_no_document(content: IO[bytes], _size: int, _limits: Limits) -> None:
    """Refuse what readers take for a PDF: its mark may stand anywhere in the first 1024 bytes."""
    content.seek(0)
    if b"%PDF-" in content.read(HEAD_BYTES):
        raise refused("The file is a PDF, too", "polyglot")


_CHECKS: tuple[tuple[Callable[[str], bool], Callable[[IO[bytes], int, Limits], None]], ...] = (
    (IMAGES.__contains__, _check_image),
    (ARCHIVES.__contains__, _check_archive),
    (lambda kind: kind not in ARCHIVES, _check_no_archive),
    (lambda kind: kind != "application/pdf" and kind not in TEXTS, _check_no_document),
)


def _hashed(content: IO[bytes], *, markup: bool) -> str:
    """Return the SHA-256, and refuse a page or a script on the way."""
    hashed, rest = hashlib.sha256(), b""
    for chunk in _chunks(content):
        hashed.update(chunk)
        seen = rest + chunk.lower()
        if markup and any(mark in seen for mark in _MARKUP):
            raise refused("The file holds a page or a script", "polyglot")
        rest = seen[-_OVERLAP:]
    return hashed.hexdigest()


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    content.seek(0)
    return iter(lambda: content.read(_CHUNK), b"")
