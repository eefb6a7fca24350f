"""Set every database up so that nothing is lost and nobody waits for ever."""

import os
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import URL, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from application.database.beginning import BUSY_TIMEOUT, BUSY_TIMEOUT_SECONDS, begin, end, forget_failure, note_failure
from application.database.idle import REST_SECONDS, RETURNED, StackPool
from application.libs.host import is_loopback

_BESIDE = 2
"""How many connections for short reads beside are kept."""

_TEXT_OID = 25  # PostgreSQL's catalogue number of the type text

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    BUSY_TIMEOUT,
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=NORMAL",  # in WAL mode it survives a killed process
    "PRAGMA wal_autocheckpoint=4000",  # pages, 16 MB: whoever commits the last copies all to the disk, and all wait
)


def engine_options(url: str, pool_size: int) -> dict[str, Any]:
    """Return what `create_engine` takes for this URL, as Flask-SQLAlchemy's SQLALCHEMY_ENGINE_OPTIONS.

    A pool holds `pool_size` connections and lends as many more for a rush; SQLite's are cheap, so it lends 30.
    """
    parsed = make_url(url)
    dialect = parsed.get_backend_name()
    private: dict[str, Any] = {"hide_parameters": True}  # an error in a log or a terminal quotes no password's hash
    pooled = private | {
        "poolclass": StackPool,
        "pool_use_lifo": True,
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": BUSY_TIMEOUT_SECONDS,
    }
    if dialect == "sqlite":
        file = private | {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}}
        return file if _is_in_memory(url) else file | pooled | {"max_overflow": 30}
    if dialect == "postgresql":
        timeout = f"-c lock_timeout={BUSY_TIMEOUT_SECONDS}s"
        return pooled | {
            "connect_args": {"connect_timeout": 2, "options": f"-c TimeZone=UTC -c random_page_cost=1.1 {timeout}"},
        }
    return pooled | {
        "isolation_level": "READ COMMITTED",  # MariaDB 11.8 turns snapshot isolation on by default
        "pool_recycle": 3600,
        "pool_reset_on_return": None,  # `prepare_engine` rolls back where there is a transaction
        "connect_args": {
            "connect_timeout": 2,
            "init_command": f"SET SESSION time_zone='+00:00', innodb_lock_wait_timeout={BUSY_TIMEOUT_SECONDS}, "
            "sql_mode=CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), "  # a server without it cuts what is too long
            "group_concat_max_len=1048576",  # MariaDB's own; MySQL cuts behind 1024 characters
            **({"ssl_disabled": True} if _stays_here(parsed) else {}),
        },
    }


def _stays_here(url: URL) -> bool:
    """Tell whether nothing leaves the machine: TLS then only costs, PyMySQL reads all certificates for each connection.

    That takes 50 ms. Whoever names certificates in the URL gets TLS here, too.
    """
    return is_loopback(url.host or "localhost") and not any(name.startswith("ssl") for name in url.query)


def engine_beside(engine: Engine) -> Engine | None:
    """Return an engine for short reads beside a unit of work; None in memory, where one connection is the database.

    It keeps two connections and opens as many more as are asked for: whoever waited for a second one while holding
    the first would, with enough others, wait for ever. It is disposed of with the engine it stands beside.
    """
    url = engine.url.render_as_string(hide_password=False)
    if _is_in_memory(url):
        return None
    beside = create_engine(url, **engine_options(url, _BESIDE) | {"max_overflow": -1})
    prepare_engine(beside)
    dispose_with(engine, beside)
    return beside


def dispose_with(engine: Engine, beside: Engine) -> None:
    """Let the connections beside be given up whenever those of the engine are."""
    event.listen(engine, "engine_disposed", partial(_dispose, beside, os.getpid()))


def _dispose(beside: Engine, opened_by: int, _engine: Engine) -> None:
    """Close them, unless this is a fork, whose parent goes on with them."""
    beside.dispose(close=os.getpid() == opened_by)


def _is_in_memory(url: str) -> bool:
    """Tell whether there is one connection, which is the database."""
    parsed = make_url(url)
    return parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:")


def prepare_engine(engine: Engine) -> None:
    """Install the settings that are made on each connection.

    No driver begins a transaction by itself: whoever writes sends BEGIN. What reads by prepared statements needs
    neither that nor an end.
    """
    event.listen(engine, "begin", begin)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _connect_sqlite)
        return
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _connect_postgresql)
    else:
        event.listen(engine, "connect", _connect_mariadb)
        event.listen(engine, "reset", _reset_mariadb)
        event.listen(engine, "handle_error", _handle_mariadb)
    event.listen(engine, "checkin", _note_return)
    event.listen(engine, "checkout", partial(_look_after_rest, engine.dialect))
    event.listen(engine, "invalidate", partial(_forget_others, engine))


def _note_return(_driver: object, record: ConnectionPoolEntry) -> None:
    record.info[RETURNED] = monotonic()
    forget_failure(record.info)


def _forget_others(engine: Engine, *_what: object) -> None:
    """Put what is at hand below the connection that turns out to be lost; whoever tries again then opens a new one."""
    if isinstance(engine.pool, StackPool):
        engine.pool.release()


def _look_after_rest(dialect: Dialect, driver: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask whether a connection still lives that nobody used for a while; if not, no other one of the pool does.

    To ask before each use takes a way to the server and back. One that is lost meanwhile gives way to another when a
    unit of work begins by it (`database/channel.py`, `beginning.py`): the pool lends the one that came back last, which
    is then opened anew.
    """
    returned = record.info.get(RETURNED)
    if returned is None or monotonic() - returned < REST_SECONDS:
        return
    try:
        dialect.do_ping(driver)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _connect_sqlite(driver: Any, _record: object) -> None:
    driver.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows the letters of ASCII only
    driver.isolation_level = None  # the driver's own BEGIN comes too late; ours is sent on "begin"
    cursor = driver.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _lower(value: Any) -> Any:
    """Lower each character alone to one, as the other databases do: a beginning then stays a beginning.

    Two capitals are otherwise in Python: a sigma's small letter depends on what follows, the dotted I becomes two.
    """
    if not isinstance(value, str):
        return value
    return value.lower() if value.isascii() else value.replace("Σ", "σ").replace("İ", "i").lower()


def _connect_postgresql(driver: Any, _record: object) -> None:
    driver.autocommit = True
    text_loader = driver.adapters.get_loader(_TEXT_OID, 0)
    driver.adapters.register_loader("uuid", text_loader)  # ids are text in Python


def _connect_mariadb(driver: Any, _record: object) -> None:
    driver.autocommit(True)


def _reset_mariadb(driver: Any, _record: object, _state: object) -> None:
    """Roll back what was left open; SQLAlchemy's way would ask the server for that each time."""
    end(driver, "mysql")


def _handle_mariadb(context: ExceptionContext) -> None:
    if context.connection is not None and not context.connection.invalidated:
        note_failure(context.connection.connection, "mysql", context.original_exception)
