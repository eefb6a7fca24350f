"""Describe what comes and goes over the wire.

A schema of input refuses unknown fields, converts nothing silently, and bounds every text, number and list (`bounds`):
a body's size is then known, and no value overflows its column.
"""

import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    InstanceOf,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticSerializationError, to_jsonable_python
from werkzeug.datastructures import FileStorage

from application.libs.ident import UUID_PATTERN
from application.libs.instant import Instant, instant_up
from application.libs.page import MAX_CURSOR

MAX_FLOAT = sys.float_info.max
_NO_NUL = r"^[^\u0000]*$"


_InYears = Field(json_schema_extra={"pattern": "^(19[7-9][0-9]|[2-8][0-9]{3})-"})

UtcTime = Annotated[Instant, _InYears]
"""An instant: RFC 3339 with an offset on the wire, aware UTC in Python; what is finer than a microsecond is cut off."""

UtcTimeUp = Annotated[datetime, BeforeValidator(instant_up), _InYears]
"""An instant that is rounded up: of microseconds those at or after it, or before it, are the same as of the instant."""

Ident = Annotated[
    str,
    StringConstraints(pattern=f"^{UUID_PATTERN}$", max_length=36, to_lower=True),
    Field(json_schema_extra={"format": "uuid"}),
]
"""The id of a row: a UUID in canonical form."""

_OFF_LINE = r"\x00-\x1F\x7F-\x9F\u2028\u2029\u202A-\u202E\u2066-\u2069"
_BLANK = r" \u00A0\u1680\u2000-\u200A\u202F\u205F\u3000"


def one_line(without: str = "") -> str:
    """Return the pattern of text that shows and stays on its line, without some other characters.

    It holds something beside blanks, no control character, no line break, nothing that turns the writing's direction.
    """
    off = _OFF_LINE + re.escape(without)
    return rf"^[^{off}]*[^{off}{_BLANK}][^{off}]*$"


ONE_LINE = one_line()

Trimmed = AfterValidator(str.strip)
"""Drops blanks at the ends after the text was judged: so a schema accepts what the API document says, no more."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=ONE_LINE), Trimmed]
"""A name people see: 1 to 50 characters on one line, blanks at the ends are dropped."""

Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
"""An integer that fits an INTEGER column."""

Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""An integer that fits a BIGINT column; beyond 2**53 a browser rounds it."""

Float64 = Annotated[float, Field(ge=-MAX_FLOAT, le=MAX_FLOAT)]
"""A number that fits a DOUBLE column: any that is finite."""

BINARY = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
"""Bytes in an API document: `contentMediaType` is what OpenAPI 3.1 says, `format` what makers of clients read."""

Upload = Annotated[InstanceOf[FileStorage], WithJsonSchema(BINARY)]
"""A file of a multipart form; MAX_CONTENT_LENGTH bounds it, or an `UploadLimit` (libs/upload.py)."""


class Schema(BaseModel):
    """Be the base of every schema: strict types, no unknown field."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,  # until one is used, or its operation is mounted outside of production: see ADR 0031
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the schema; of input also what is checked before pydantic comes to it, and what made defaults are.

        An answer may gain members without breaking clients, so its description is not closed.
        """
        described = handler(core_schema)
        schema = handler.resolve_ref_schema(described)
        if handler.mode == "validation":
            _forbid_nul(schema.get("properties", {}))
            _show_made_defaults(cls, schema.get("properties", {}))
        elif schema.get("additionalProperties") is False:
            del schema["additionalProperties"]
        return described


@dataclass(frozen=True, slots=True)
class Renamed:
    """Fill a field of an answer from the record's field of another name.

    text: Annotated[str, Renamed("content")]
    """

    source: str


@dataclass(frozen=True, slots=True)
class Grouped:
    """Make a nested object of an answer from fields of the same record.

    body: Annotated[BodyOut, Grouped()]
    """


class PageQuery(Schema):
    """Choose one page of a list."""

    limit: int = Field(20, ge=1, le=100, description="How many items a page holds.", examples=[20])
    after: str | None = Field(None, max_length=MAX_CURSOR, description="The `next` of the page before.")
    count: bool = Field(False, description="Whether `page.total` gives the number of all items.", examples=[True])

    def given(self) -> dict[str, Any]:
        """Return what was given or has a default, for a rule to take: `business.search(**query.given())`.

        A list has many filters and a request few; to hand all others on as None takes 10 µs.
        """
        return self.model_dump(exclude_none=True)


def _forbid_nul(described: Any) -> None:
    """Write down the rule for all text that comes in (see `strict_json`) where nothing narrower is said."""
    if isinstance(described, list):
        for member in described:
            _forbid_nul(member)
    elif isinstance(described, dict):
        if described.get("type") == "string" and described.keys().isdisjoint(("pattern", "format", "enum", "const")):
            described["pattern"] = _NO_NUL
        for member in described.values():
            _forbid_nul(member)


def _show_made_defaults(model: type[BaseModel], described: dict[str, Any]) -> None:
    """Write down the defaults that a function makes where it always makes the same one."""
    for name, field in model.model_fields.items():
        make = field.default_factory
        key = field.alias or name
        if key not in described or make is None or field.default_factory_takes_validated_data:
            continue
        once, again = field.get_default(call_default_factory=True), field.get_default(call_default_factory=True)
        if once == again:
            with suppress(PydanticSerializationError):  # a mark such as `absent` is nothing that a client could send
                described[key]["default"] = to_jsonable_python(once)


def absent(*, examples: list[Any] | None = None) -> Any:
    """Be the default of a patch's field: it may be left out, and is then not among `model_fields_set`.

    `name: Name = absent()` refuses null with 422. `note: Note | None = absent()` lets it through to the rule, for a
    column that may be NULL: any other one would refuse it with 500.
    """
    return Field(default_factory=object, examples=examples)
