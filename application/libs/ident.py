"""Make and recognise the identifiers of rows."""

import re

from uuid_utils import uuid7
from werkzeug.routing import BaseConverter

UUID_PATTERN = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

_UUID = re.compile(UUID_PATTERN, re.ASCII)


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562) in canonical text; later ones sort behind earlier ones."""
    return str(uuid7())


def first_id(micros: int) -> str:
    """Return the text before all ids that are made at an instant, in microseconds since 1970, or later."""
    digits = f"{max(0, micros) // 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


def is_id(text: str) -> bool:
    """Tell whether the text is a UUID in its canonical, hyphenated form."""
    return _UUID.fullmatch(text) is not None


class IdConverter(BaseConverter):
    """Match a UUID in a URL rule (`<id:blog_id>`); anything else matches no route and is a 404."""

    regex = UUID_PATTERN

    def to_python(self, value: str) -> str:
        """Return the canonical lower case, as ids are stored."""
        return value.lower()
