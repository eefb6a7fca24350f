"""Lend each kind of store, on a server where it has one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from application.libs.storage.making import make_storage
from application.libs.storage.place import LocalPlace, Place, QiniuPlace
from application.libs.storage.store import Storage
from tests.port import free_port
from tests.private_qiniu import ACCESS_KEY, BUCKET, SECRET_KEY, private_qiniu
from tests.private_s3 import private_s3

KINDS = ("local", "s3", "qiniu")


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """Return a function that says where a kind of store is; each server is started once."""
    with ExitStack() as stack:
        known: dict[str, Place] = {}

        def place(kind: str) -> Place:
            if kind not in known:
                known[kind] = _started(kind, stack, tmp_path_factory.mktemp("files"))
            return known[kind]

        yield place


def _started(kind: str, stack: ExitStack, folder: Path) -> Place:
    if kind == "local":
        return LocalPlace(folder / "kept", "secret-of-the-disk")
    if kind == "s3":
        return stack.enter_context(private_s3())
    address = stack.enter_context(private_qiniu(free_port()))
    return QiniuPlace(BUCKET, ACCESS_KEY, SECRET_KEY, f"{address}/d", f"{address}/", address, address)


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest, places: Callable[[str], Place]) -> Storage:
    """Lend one store after the other."""
    return make_storage(places(request.param))
