"""Judge and complete the addresses of databases, brokers and servers."""

import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from application.libs import host

DRIVERS = {
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
}

REDIS_SCHEMES = ("redis", "rediss", "unix")

BROKER_SCHEMES = ("memory", "redis", "rediss", "amqp", "amqps", "filesystem")


def with_our_driver(text: str, *, root: Path) -> str:
    """Return a database's URL with the driver this house uses; a relative SQLite file lies in the root."""
    url = _parsed(text)
    driver = DRIVERS.get(url.drivername)
    if driver is None:
        raise ValueError("DATABASE_URL names a database we do not speak: use sqlite://, postgresql:// or mysql://")
    url = url.set(drivername=driver)
    if driver == "mysql+pymysql":
        url = _with_whole_unicode(url)
    if driver == "sqlite" and not _is_memory(url):
        url = _with_absolute_file(url, root)
    return url.render_as_string(hide_password=False)


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(
            "DATABASE_URL is no URL: write sqlite:///FILE, postgresql://USER:PASSWORD@HOST/NAME or mysql://…, with "
            "special characters of the password percent-encoded"
        ) from None


def _with_whole_unicode(url: URL) -> URL:
    charset = url.query.get("charset", "utf8mb4")
    if charset != "utf8mb4":
        raise ValueError("DATABASE_URL asks for a charset that cannot hold every text: leave charset out")
    return url.update_query_dict({"charset": "utf8mb4"})


def _with_absolute_file(url: URL, root: Path) -> URL:
    database = url.database or ""
    if database.startswith("file:"):
        return url
    return url.set(database=str(root / Path(database).expanduser()))


def in_memory(text: str) -> bool:
    """Tell whether the URL names an SQLite database that dies with its process."""
    url = make_url(text)
    return url.get_backend_name() == "sqlite" and _is_memory(url)


def _is_memory(url: URL) -> bool:
    database = url.database or ""
    return database in ("", ":memory:") or database.startswith("file::memory:") or url.query.get("mode") == "memory"


def in_temporary_directory(text: str) -> bool:
    """Tell whether the URL names an SQLite file where a reboot or a cleaner removes files."""
    url = make_url(text)
    if url.get_backend_name() != "sqlite" or _is_memory(url):
        return False
    return is_temporary(Path((url.database or "").removeprefix("file:")))


def is_temporary(path: Path) -> bool:
    """Tell whether a reboot or a cleaner removes what is there."""
    file = path.resolve()
    places = [Path(tempfile.gettempdir()), *(Path("/") / place for place in ("tmp", "var/tmp", "dev/shm"))]
    return any(file.is_relative_to(place.resolve()) for place in places)


def checked(text: str, variable: str, schemes: tuple[str, ...]) -> str:
    """Return a service's URL, or refuse its scheme."""
    usage = f"{variable} is not usable: write {'://…, '.join(schemes)}://…"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(usage) from None
    if parts.scheme not in schemes:
        raise ValueError(usage)
    return text


def is_open(text: str | None) -> bool:
    """Tell whether a URL names a server on another machine and nothing that it would know us by.

    Whoever reaches such a broker rings for tasks and is told of callers. A certificate is as good as a password.
    """
    parts = urlsplit(text or "")
    if not parts.hostname or host.is_loopback(parts.hostname):
        return False
    return not parts.password and "certfile" not in parts.query


def passwords(text: str | None) -> list[str]:
    """List the passwords within a URL as they may be written."""
    if not text:
        return []
    raw = urlsplit(text).password
    return [raw, unquote(raw)] if raw else []
