"""Encode forms in memory: Werkzeug's client puts long ones into a file that it leaves to the garbage collector."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart


def multipart(fields: Mapping[str, str] | None = None, /, **files: tuple[bytes, str, str]) -> dict[str, Any]:
    """Return what the test client sends: the fields, and files as content, name and media type."""
    parts: dict[str, Any] = dict(fields or {})
    for name, (content, filename, media_type) in files.items():
        parts[name] = FileStorage(BytesIO(content), filename, name, media_type)
    boundary, body = encode_multipart(parts)
    return {"data": body, "content_type": f'multipart/form-data; boundary="{boundary}"'}
