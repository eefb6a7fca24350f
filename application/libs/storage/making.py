"""Make the store that the settings name; a driver is imported here alone, and only where it is used."""

from collections.abc import Callable
from importlib import import_module

from application.libs.declaration import DeclarationError
from application.libs.storage.place import Place
from application.libs.storage.store import Storage

_PACKAGE = "application.libs.storage"


def make_storage(place: Place) -> Storage:
    """Return the store; nothing is connected. Raises DeclarationError where a driver is missing."""
    try:
        make: Callable[[Place], Storage] = import_module(f"{_PACKAGE}.{place.kind}").make
    except ImportError as error:
        raise DeclarationError(
            f"FILE_STORAGE={place.kind} needs the driver {error.name}, which is not installed: "
            f"`pip install {error.name}`, or the extra `{place.kind}` of pyproject.toml"
        ) from None
    return make(place)
