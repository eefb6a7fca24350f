"""Make the stores that the settings name; a driver is imported here alone, and only where it is used."""

from collections.abc import Callable, Mapping
from importlib import import_module

from application.libs.declaration import DeclarationError
from application.libs.jobstore import JobStorePlace
from application.modules.scheduler.store.database import DatabaseStore
from application.modules.scheduler.store.document_store import DocumentStore
from application.modules.scheduler.store.job_store import JobStore
from application.modules.scheduler.store.keeper import Keeper
from application.modules.scheduler.store.memory import MemoryKeeper
from application.modules.scheduler.store.stores import Stores

_PACKAGE = "application.modules.scheduler.store"


def make_stores(places: Mapping[str, JobStorePlace]) -> Stores:
    """Return the stores by alias; nothing is connected. Raises DeclarationError where a driver is missing."""
    return Stores({alias: _store(alias, place) for alias, place in places.items()})


def _store(alias: str, place: JobStorePlace) -> JobStore:
    if place.kind == "database":
        return DatabaseStore(alias)
    if place.kind == "memory":
        return DocumentStore(alias, MemoryKeeper(), is_local=True)
    try:
        make: Callable[[JobStorePlace], Keeper] = import_module(f"{_PACKAGE}.{place.kind}").make
    except ImportError as error:
        raise DeclarationError(
            f"The job store {alias!r} needs the driver {error.name}, which is not installed: "
            f"`pip install {error.name}`, or the extra `{place.kind}` of pyproject.toml"
        ) from None
    return DocumentStore(alias, make(place))
