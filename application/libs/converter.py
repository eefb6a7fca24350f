"""Match the parameters of a URL strictly: what no table could hold matches no route and is a 404."""

from werkzeug.routing import BaseConverter, PathConverter, UnicodeConverter, ValidationError

from application.libs.ident import IdConverter

INT32_MAX = 2**31 - 1


class WholeConverter(BaseConverter):
    """Match a whole number from 1 to 2147483647 in ASCII digits (`<int:number>`)."""

    regex = "[1-9][0-9]{0,9}"

    def to_python(self, value: str) -> int:
        """Return the number if it fits an INTEGER column."""
        number = int(value)
        if number > INT32_MAX:
            raise ValidationError
        return number


class TextConverter(UnicodeConverter):
    """Match text without a slash (`<name>`); NUL is no text."""

    def to_python(self, value: str) -> str:
        """Return the text if a database can hold it."""
        return _without_nul(value)


class PathTextConverter(PathConverter):
    """Match text with slashes (`<path:name>`); NUL is no text."""

    def to_python(self, value: str) -> str:
        """Return the text if a database can hold it."""
        return _without_nul(value)


CONVERTERS = {
    "default": TextConverter,
    "id": IdConverter,
    "int": WholeConverter,
    "path": PathTextConverter,
    "string": TextConverter,
}


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValidationError
    return value
