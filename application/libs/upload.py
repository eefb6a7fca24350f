"""Bound the files of a multipart form, in the API document too.

    class PhotoFiles(Schema):
        photo: Annotated[Upload, UploadLimit(max_bytes=1_000_000, media_types=("image/png", "image/jpeg"))]

A media type is what the client says of the file; who must be sure looks into it.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from werkzeug.datastructures import FileStorage

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")


@dataclass(frozen=True, slots=True)
class UploadLimit:
    """Refuse a file that is longer, or of another media type; without one any is taken."""

    max_bytes: int | None = None
    media_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a limit that no file could keep."""
        if self.max_bytes is not None and self.max_bytes < 1:
            raise ValueError(f"max_bytes is {self.max_bytes}; say how many bytes a file may have")
        for name in self.media_types:
            if not _MEDIA_TYPE.fullmatch(name):
                raise ValueError(f"{name!r} is no media type; write it in small letters, as image/png")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the file that was read."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe it; the length of what is not encoded counts octets (OpenAPI 3.1.1 §4.7.14)."""
        described = handler(schema)
        if self.max_bytes is not None:
            described["maxLength"] = self.max_bytes
        if len(self.media_types) == 1:
            described["contentMediaType"] = self.media_types[0]
        elif self.media_types:  # which ones says the form's encoding
            described.pop("contentMediaType", None)
        return described

    def _check(self, file: FileStorage) -> FileStorage:
        if self.media_types and file.mimetype not in self.media_types:
            message = "Send a file of the type {types}"
            raise PydanticCustomError("file_type", message, {"types": " or ".join(self.media_types)})
        if self.max_bytes is not None and _length(file) > self.max_bytes:
            message = "The file is longer than {max_bytes} bytes"
            raise PydanticCustomError("file_too_large", message, {"max_bytes": self.max_bytes})
        return file


def media_types(field: FieldInfo) -> tuple[str, ...]:
    """Return the media types that a field's files may have; none where any is taken."""
    return next((limit.media_types for limit in _limits(field.annotation, field.metadata)), ())


def _limits(annotation: Any, metadata: Any) -> Iterator[UploadLimit]:
    yield from (item for item in metadata if isinstance(item, UploadLimit))
    for part in get_args(annotation):
        yield from [part] if isinstance(part, UploadLimit) else _limits(part, ())


def _length(file: FileStorage) -> int:
    length: int = file.seek(0, os.SEEK_END) or file.tell()
    file.seek(0)
    return length
