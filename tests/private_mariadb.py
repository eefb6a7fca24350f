"""Run a MariaDB of the test's own, that it may kill and start again."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.private_server import PrivateServer
from tests.services import missing

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"  # where Debian has the server


class PrivateMariadb(PrivateServer):
    """A MariaDB server with one database; it writes to the disk as it does by default."""

    account = "mysql"

    def __init__(self, installer: str, binary: str) -> None:
        """Lay the databases out; nothing runs yet."""
        self._installer, self._binary = installer, binary
        super().__init__()
        self.url = f"mysql+pymysql://root@127.0.0.1:{self.port}/test"

    def _layout(self) -> Sequence[str]:
        options = ["--auth-root-authentication-method=normal", "--skip-name-resolve"]
        return [self._installer, "--no-defaults", f"--datadir={self.folder / 'data'}", *options]

    def _command(self) -> Sequence[str]:
        settings = {
            "datadir": self.folder / "data",
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "port": self.port,
            "bind-address": "127.0.0.1",
            "character-set-server": "utf8mb4",
            "innodb-buffer-pool-size": "32M",
        }
        return [self._binary, "--no-defaults", *(f"--{name}={value}" for name, value in settings.items())]


@contextmanager
def private_mariadb() -> Iterator[PrivateMariadb]:
    """Start a MariaDB and leave none behind."""
    installer, binary = (shutil.which(name, path=_PATH) for name in ("mariadb-install-db", "mariadbd"))
    if installer is None or binary is None:
        missing("mariadbd", "install MariaDB's server (Debian, Ubuntu: apt-get install mariadb-server)")
    server = PrivateMariadb(str(installer), str(binary))
    try:
        yield server.start()
    finally:
        server.remove()
