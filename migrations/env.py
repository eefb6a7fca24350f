"""Run migrations on the application's database, on SQLite by batch with foreign keys checked afterwards."""

import re
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, Engine

from application.database import full_text


def _complete(_context: object, _revision: object, directives: list[Any]) -> None:
    """Refuse a revision without a change, and number the others on: four digits, where Alembic would draw lots."""
    for script in directives:
        if getattr(context.config.cmd_opts, "autogenerate", False) and script.upgrade_ops.is_empty():
            raise SystemExit(
                "No change was seen. Is the module imported, that is, does application/api/v1.py mount its redprint?"
            )
        if re.fullmatch("[0-9a-f]{12}", script.rev_id):  # else somebody chose it
            known = [int(known.revision) for known in context.script.walk_revisions() if known.revision.isdecimal()]
            script.rev_id = f"{max(known, default=0) + 1:04}"


def _migrate(connection: Connection) -> None:
    migrate = current_app.extensions["migrate"]
    dialect = connection.dialect.name
    options = {
        **migrate.configure_args,
        "render_as_batch": dialect == "sqlite",
        "include_name": full_text.is_managed,
        "include_object": full_text.is_comparable(dialect),
        "process_revision_directives": _complete,
    }
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
