"""Run a PostgreSQL of the test's own, that it may kill and start again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.private_server import PrivateServer
from tests.services import missing


class PrivatePostgresql(PrivateServer):
    """A PostgreSQL server with one database; it writes to the disk as it does by default."""

    account = "postgres"

    def __init__(self, binaries: Path) -> None:
        """Lay the cluster out; nothing runs yet."""
        self._binaries = binaries
        super().__init__()
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def _layout(self) -> Sequence[str]:
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        return [str(self._binaries / "initdb"), f"--pgdata={self.folder / 'data'}", *options]

    def _command(self) -> Sequence[str]:
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(self._binaries / "postgres"), "-D", str(self.folder / "data"), *options]


@contextmanager
def private_postgresql() -> Iterator[PrivatePostgresql]:
    """Start a PostgreSQL and leave none behind."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        missing("initdb", "install PostgreSQL's server (Debian, Ubuntu: apt-get install postgresql)")
    server = PrivatePostgresql(found[-1].parent)
    try:
        yield server.start()
    finally:
        server.remove()
