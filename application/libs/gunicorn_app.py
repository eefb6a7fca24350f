"""Load the application for gunicorn; what refuses the start is told in one line instead of a traceback."""

from importlib import import_module
from typing import Any

from gunicorn.errors import AppImportError

from application.libs.declaration import StartRefused


def load_app(target: str) -> Any:
    """Return what the function `module:name` makes; gunicorn prints an `AppImportError` as it is, and halts."""
    module, _colon, name = target.partition(":")
    try:
        return getattr(import_module(module), name)()
    except StartRefused as error:
        raise AppImportError(f"Error: {error}") from None
