"""Judge and complete the addresses of databases, brokers and servers."""

import re
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

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

_PLAIN_IN_PATH = " +/"

_PLAIN_BEFORE_HOST = " +"

_DATABASE_URL = re.compile(
    r"(?P<scheme>[\w+]+)://"
    r"(?:[^:/]*(?::(?P<password>[^@]*))?@)?"  # in which SQLAlchemy takes all but @ as it is
    r"(?:\[[^/?]+\]|[^/:?]+)?(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?"
)
"""A database's URL as SQLAlchemy reads it, which would take 0.1 s to import where nothing is asked of a database."""


def with_our_driver(text: str, *, root: Path) -> str:
    """Return a database's URL with the driver this house uses; a relative SQLite file lies in the root."""
    text = text.strip()  # of a file's last line
    parts = _parts(text)
    driver = DRIVERS.get(parts["scheme"])
    if driver is None:
        raise ValueError("DATABASE_URL names a database we do not speak: use sqlite://, postgresql:// or mysql://")
    url = f"{driver}{text[parts.end('scheme') :]}"
    if driver == "mysql+pymysql":
        return _with_whole_unicode(url)
    return url if driver != "sqlite" or in_memory(url) else _with_absolute_file(url, root)


def _parts(text: str) -> re.Match[str]:
    parts = _DATABASE_URL.match(text)  # of several readings the first, which is SQLAlchemy's
    if parts is None or parts.end() != len(text) or not (parts["port"] is None or parts["port"].isdecimal()):
        raise ValueError(
            "DATABASE_URL is no URL: write sqlite:///FILE, postgresql://USER:PASSWORD@HOST/NAME or mysql://…, with "
            "special characters of the password percent-encoded"
        )
    return parts


def _with_whole_unicode(url: str) -> str:
    query = _parts(url)["query"]
    charsets = {value for name, value in parse_qsl(query or "") if name == "charset"}
    if charsets - {"utf8mb4"}:
        raise ValueError("DATABASE_URL asks for a charset that cannot hold every text: leave charset out")
    if charsets:
        return url
    return f"{url}{'?' if query is None else '&' if query else ''}charset=utf8mb4"


def _with_absolute_file(url: str, root: Path) -> str:
    parts = _parts(url)
    database = unquote(parts["database"])
    if database.startswith("file:"):
        return url
    path = quote(str(root / Path(database).expanduser()), safe=_PLAIN_IN_PATH)
    return f"{url[: parts.start('database')]}{path}{url[parts.end('database') :]}"


def in_memory(text: str) -> bool:
    """Tell whether the URL names an SQLite database that dies with its process."""
    parts = _parts(text)
    database = unquote(parts["database"] or "")
    if parts["scheme"] != "sqlite":
        return False
    if database in ("", ":memory:") or database.startswith("file::memory:"):
        return True
    return dict(parse_qsl(parts["query"] or "")).get("mode") == "memory"


def in_temporary_directory(text: str) -> bool:
    """Tell whether the URL names an SQLite file where a reboot or a cleaner removes files."""
    parts = _parts(text)
    if parts["scheme"] != "sqlite" or in_memory(text):
        return False
    return is_temporary(Path(unquote(parts["database"]).removeprefix("file:")))


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
    raw = _parts(text)["password"] if text.startswith(tuple(DRIVERS)) else urlsplit(text).password
    plain = unquote(raw or "")
    return list(dict.fromkeys([raw, plain, quote(plain, safe=_PLAIN_BEFORE_HOST)])) if raw else []
