"""Recognise what a file is by its content: neither its name nor what the client says of it counts.

Only the types listed here can be allowed, so nothing is let in that nobody can tell.
"""

import re
import zipfile
from collections.abc import Mapping
from typing import IO

HEAD_BYTES = 1024

EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "application/gzip": (".gz", ".tgz"),
    "application/pdf": (".pdf",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (".pptx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
    "application/zip": (".zip",),
    "audio/mpeg": (".mp3",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "audio/wav": (".wav",),
    "image/gif": (".gif",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "text/csv": (".csv",),
    "text/markdown": (".md",),
    "text/plain": (".txt", ".text", ".log"),
    "video/mp4": (".mp4", ".m4v"),
    "video/webm": (".webm",),
}
"""Every type there is, with the endings of its files; the first one is given to a file with another ending."""

IMAGES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})

TEXTS = frozenset({"text/csv", "text/markdown", "text/plain"})
"""Types that nothing but the client tells apart."""

ARCHIVES = frozenset(name for name in EXTENSIONS if name == "application/zip" or ".openxmlformats-" in name)
"""What is a ZIP inside."""

_OFFICE = {
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"RIFF....WEBP", "image/webp"),
        (rb"RIFF....WAVE", "audio/wav"),
        (rb"%PDF-", "application/pdf"),
        (rb"PK\x03\x04|PK\x05\x06", "application/zip"),
        (rb"\x1f\x8b\x08", "application/gzip"),
        (rb"ID3[\x02-\x04]|\xff[\xfb\xf3\xf2]", "audio/mpeg"),
        (rb"OggS\x00", "audio/ogg"),
        (rb"....ftyp(isom|iso[2-9]|mp4[12]|avc1|M4V |dash|MSNV)", "video/mp4"),
        (rb"\x1a\x45\xdf\xa3.{0,60}webm", "video/webm"),
    )
)


def recognised(content: IO[bytes]) -> str | None:
    """Return the media type of a content, `text/plain` for any text in UTF-8, None for what is not known."""
    content.seek(0)
    head = content.read(HEAD_BYTES)
    found = next((name for pattern, name in _SIGNATURES if pattern.match(head)), None)
    if found == "application/zip":
        return _of_archive(content)
    return found


def _of_archive(content: IO[bytes]) -> str | None:
    """Return what a ZIP is by the names within, None for one that is damaged."""
    try:
        with zipfile.ZipFile(content) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return None
    if "[Content_Types].xml" not in names:
        return "application/zip"
    found = {kind for prefix, kind in _OFFICE.items() if any(name.startswith(prefix) for name in names)}
    return found.pop() if len(found) == 1 else "application/zip"


def agrees(declared: str, found: str) -> bool:
    """Tell whether what a client declares can be what was found; saying nothing agrees with everything."""
    if declared in ("", "application/octet-stream"):
        return True
    return declared == found or (declared in TEXTS and found in TEXTS)


def chosen(declared: str, found: str) -> str:
    """Return the type to keep: of texts that which was declared."""
    return declared if found in TEXTS and declared in TEXTS else found


def with_extension(name: str, media_type: str) -> str:
    """Return a name that ends as its type does, so that it opens as nothing else when it was saved."""
    endings = EXTENSIONS.get(media_type, ())
    return name if not endings or name.lower().endswith(endings) else f"{name}{endings[0]}"
