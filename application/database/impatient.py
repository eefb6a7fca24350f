"""Reach the database for transactions that other processes wait for: a frozen process must not stop all of them."""

from typing import Any

from sqlalchemy import Engine, create_engine

from application.database.engine import engine_options, prepare_engine

_POOL_SIZE = 2


def impatient_engine(engine: Engine) -> Engine:
    """Return a small engine on the same database, whose server ends a transaction when its process freezes.

    That takes two seconds; waiting for a lock, three. SQLite has no server that could, and a database in memory has no
    second engine: then the same one is returned.
    """
    if engine.dialect.name == "sqlite" and engine.url.database in (None, "", ":memory:"):
        return engine
    options = _options(engine)
    impatient = create_engine(engine.url, **options)
    prepare_engine(impatient)
    return impatient


def _options(engine: Engine) -> dict[str, Any]:
    options = engine_options(engine.url.render_as_string(), _POOL_SIZE)
    arguments = options["connect_args"]
    if engine.dialect.name == "postgresql":
        arguments["options"] += " -c idle_in_transaction_session_timeout=2s -c lock_timeout=3s"
    elif engine.dialect.name != "sqlite":
        arguments["init_command"] += ", idle_write_transaction_timeout=2, innodb_lock_wait_timeout=3"
    return options | {"max_overflow": 10}  # one for each thread that marks its run
