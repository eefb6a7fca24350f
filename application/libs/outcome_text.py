"""Turn what a function returned or raised into text that a database takes and people can read."""

import traceback

import msgspec

from application.libs.record import Record
from application.libs.strict_json import printable

MOST_RESULT = 16_000
"""Characters of what a function returned, which any text column takes; longer things have a place of their own."""

MESSAGE_LENGTH = 2000
"""Characters of what an exception says."""

_MOST_TRACEBACK = 16_000  # characters; the end of one says where it happened


class Fault(Record):
    """Hold what a function raised, as text."""

    type: str
    message: str
    traceback: str


def fault_of(error: BaseException) -> Fault:
    """Return what was raised, as a database takes it."""
    kind = type(error)
    return Fault(
        type=f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")[:200],
        message=message_of(error),
        traceback=printable("".join(traceback.format_exception(error)))[-_MOST_TRACEBACK:],
    )


def message_of(error: BaseException) -> str:
    """Return what an exception says, as a column takes it."""
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be read)"
    return printable(text)[:MESSAGE_LENGTH]


def result_of(value: object) -> str | None:
    """Return what a function returned as JSON; what is none is shown by its text, and what is too long is cut."""
    if value is None:
        return None
    try:
        text = printable(msgspec.json.encode(value, enc_hook=_text).decode())
    except Exception:  # whatever its own methods raise
        text = _as_text("(it cannot be shown)")
    if len(text) > MOST_RESULT:
        text = _as_text(f"{text[: MOST_RESULT // 2]}… ({len(text)} characters)")
    return text


def _as_text(text: str) -> str:
    return msgspec.json.encode(printable(text)).decode()


def _text(value: object) -> str:
    return printable(str(value))
