"""Run migrations on the application's database, on SQLite by batch with foreign keys checked afterwards."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, Engine


def _migrate(connection: Connection) -> None:
    migrate = current_app.extensions["migrate"]
    options = {**migrate.configure_args, "render_as_batch": connection.dialect.name == "sqlite"}
    context.configure(connection=connection, target_metadata=migrate.db.metadata, **options)
    with context.begin_transaction():
        context.run_migrations()


def _migrate_sqlite(connection: Connection) -> None:
    """Switch foreign keys off while tables are copied (SQLite's ALTER TABLE procedure), then check every one."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        _migrate(connection)
        broken = driver.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(
                f"The migration leaves {len(broken)} rows that point nowhere, the first in {broken[0][0]}"
            )
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _run(engine: Engine) -> None:
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execution_options(write=True)
            _migrate_sqlite(connection)
        else:
            _migrate(connection)


if context.is_offline_mode():
    raise SystemExit("Offline migrations are not offered; run `manager.py upgrade` against the database")
_run(current_app.extensions["migrate"].db.engine)
